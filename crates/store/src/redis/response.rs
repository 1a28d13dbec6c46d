//! The responses of the Lua functions that write: `done` or `duplicate` with fields, or `denied` with a denial.

use redis::Value;
use roomcast_core::CommandDenial;

use super::codec::{corrupt_response, parse, position, typed};
use crate::store::{Appended, StoreError};

pub(super) struct Response {
    pub(super) fields: Vec<String>,
    pub(super) duplicate: bool,
}

impl Response {
    pub(super) fn parse(value: Value) -> Result<Self, StoreError> {
        let mut fields: Vec<String> = typed(value)?;
        if fields.is_empty() {
            return Err(corrupt_response());
        }
        let rest = fields.split_off(1);
        let duplicate = match fields[0].as_str() {
            "done" => false,
            "duplicate" => true,
            "denied" => return Err(denial(&rest)?.into()),
            _ => return Err(corrupt_response()),
        };
        Ok(Self {
            fields: rest,
            duplicate,
        })
    }

    /// The fields, if there are exactly `N`.
    pub(super) fn fields<const N: usize>(&self) -> Result<[&str; N], StoreError> {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        fields.try_into().map_err(|_| corrupt_response())
    }

    pub(super) fn appended(&self) -> Result<Appended, StoreError> {
        let [epoch, offset, at] = self.fields()?;
        appended(epoch, offset, at)
    }
}

pub(super) fn appended(epoch: &str, offset: &str, at: &str) -> Result<Appended, StoreError> {
    Ok(Appended {
        position: position(epoch, offset, Some(at))?,
        published_at: parse("a time", at)?,
    })
}

fn denial(fields: &[String]) -> Result<CommandDenial, StoreError> {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    Ok(match fields[..] {
        ["SessionNotFound"] => CommandDenial::SessionNotFound,
        ["RoleTaken", role] => CommandDenial::RoleTaken(parse("a role", role)?),
        ["RevisionMismatch", current] => CommandDenial::RevisionMismatch {
            current: parse("a revision", current)?,
        },
        ["NotAParticipant"] => CommandDenial::NotAParticipant,
        ["RequestIdReused"] => CommandDenial::RequestIdReused,
        ["PayloadTooLarge", bytes, limit] => CommandDenial::PayloadTooLarge {
            bytes: parse("a size", bytes)?,
            limit: parse("a size", limit)?,
        },
        _ => return Err(corrupt_response()),
    })
}
