//! Why a command got no response, and what that means for the connection and for a retry.

use redis::RedisError;

use crate::store::StoreError;

pub(super) enum Failure {
    /// The server does not have the library.
    FunctionNotFound,
    /// Another node of the cluster has the slot: this one certainly did not execute the command.
    Redirected(String),
    /// The server cannot execute the command at present.
    Unavailable(String),
    /// The connection cannot be used any more. Whether the command was executed is unknown.
    ConnectionLost(String),
    /// A retry would fail as well.
    Corrupt(String),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = one_line(&error);
        match error.code() {
            Some("ERR") if detail.contains("Function not found") => Self::FunctionNotFound,
            Some("MOVED" | "ASK" | "TRYAGAIN") => Self::Redirected(text),
            Some("READONLY") => Self::ConnectionLost(text),
            Some("ERR" | "WRONGTYPE" | "CROSSSLOT") => Self::Corrupt(text),
            Some(_) => Self::Unavailable(text),
            None if error.is_io_error() || error.is_unrecoverable_error() => Self::ConnectionLost(text),
            None => Self::Unavailable(text),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::FunctionNotFound => {
                Self::Unavailable("the server does not have Roomcast's function library".into())
            }
            Failure::Redirected(reason) | Failure::Unavailable(reason) | Failure::ConnectionLost(reason) => {
                Self::Unavailable(reason)
            }
            Failure::Corrupt(reason) => Self::Corrupt(reason),
        }
    }
}

/// The first line of an error's text.
pub(super) fn one_line(error: impl ToString) -> String {
    error
        .to_string()
        .split(['\r', '\n'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
