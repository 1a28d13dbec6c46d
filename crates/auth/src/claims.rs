//! The rules on claims: pure, given the time. They run only after the signature was found good.

use roomcast_core::UserId;
use serde_json::{Map, Value};

use crate::error::{Reason, TokenError};

/// The audience that makes a token a service token, and that no user's token may name.
pub const SERVICE_AUDIENCE: &str = "roomcast-api";

/// How far in the future, in seconds, `nbf` may lie: the clocks of issuer and verifier differ. `exp` has no
/// leeway.
pub const NOT_BEFORE_LEEWAY: i64 = 5;

/// The last time that `exp` and `nbf` may name, in seconds since the Unix epoch: the end of the year 9999.
/// Milliseconds lie beyond it.
pub const MAX_TIME: i64 = 253_402_300_799;

const MAX_SERVICE_NAME_BYTES: usize = 128;

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id (a valid `UserId`), or the service's name (1 to 128 visible ASCII characters).
    pub subject: String,
    /// When the token's time is over, in seconds since the Unix epoch: from then on it stands for nobody.
    pub expires_at: i64,
}

/// What a user's token must say beside being signed and in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserTokens {
    /// `iss` must be this; `None`: any, or none.
    pub issuer: Option<String>,
    /// `aud` must be or contain this; `None`: any, or none. In both cases it must not name
    /// [`SERVICE_AUDIENCE`].
    pub audience: Option<String>,
    /// The top-level claim that holds the user's id.
    pub user_claim: String,
}

impl Default for UserTokens {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            user_claim: "sub".to_owned(),
        }
    }
}

/// Whose tokens a verifier takes.
#[derive(Debug)]
pub(crate) enum Policy {
    Users(UserTokens),
    Services,
}

impl Policy {
    /// Expiry is looked at last: "expired" says that a fresh token of the same kind would do.
    pub(crate) fn identify(&self, claims: &Map<String, Value>, now: i64) -> Result<Identity, TokenError> {
        let expires_at = time(claims, "exp")?.ok_or(TokenError::Invalid(Reason::NoExpiry))?;
        if time(claims, "nbf")?.is_some_and(|not_before| not_before > now.saturating_add(NOT_BEFORE_LEEWAY)) {
            return Err(TokenError::Invalid(Reason::NotYetValid));
        }
        let subject = self.subject(claims).map_err(TokenError::Invalid)?.to_owned();
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        Ok(Identity { subject, expires_at })
    }

    fn subject<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, Reason> {
        let for_services = is_for(claims, SERVICE_AUDIENCE)?;
        match self {
            Self::Users(users) => {
                if let Some(issuer) = &users.issuer
                    && claims.get("iss").and_then(Value::as_str) != Some(issuer)
                {
                    return Err(Reason::WrongIssuer);
                }
                let for_us = users
                    .audience
                    .as_deref()
                    .map_or(Ok(true), |ours| is_for(claims, ours))?;
                if !for_us || for_services {
                    return Err(Reason::WrongAudience);
                }
                named(claims, &users.user_claim, is_user_id)
            }
            Self::Services if for_services => named(claims, "sub", is_service_name),
            Self::Services => Err(Reason::WrongAudience),
        }
    }
}

/// `aud` is a string or an array of strings (RFC 7519, section 4.1.3); absent, it is for nobody in
/// particular.
fn is_for(claims: &Map<String, Value>, audience: &str) -> Result<bool, Reason> {
    match claims.get("aud") {
        None => Ok(false),
        Some(Value::String(one)) => Ok(one == audience),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            Ok(several.iter().any(|one| one == audience))
        }
        Some(_) => Err(Reason::WrongAudience),
    }
}

fn named<'a>(
    claims: &'a Map<String, Value>,
    claim: &str,
    valid: fn(&str) -> bool,
) -> Result<&'a str, Reason> {
    let value = claims.get(claim).ok_or(Reason::NoSubject)?;
    value
        .as_str()
        .filter(|name| valid(name))
        .ok_or(Reason::BadSubject)
}

/// A NumericDate may have a fraction (RFC 7519, section 2), which is cut off: a token ends early rather than
/// late.
fn time(claims: &Map<String, Value>, claim: &str) -> Result<Option<i64>, TokenError> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let seconds = value
        .as_f64()
        .ok_or(TokenError::Invalid(Reason::BadTime))?
        .floor();
    if seconds.abs() > MAX_TIME as f64 {
        return Err(TokenError::Invalid(Reason::BadTime));
    }
    Ok(Some(seconds as i64))
}

fn is_user_id(id: &str) -> bool {
    id.parse::<UserId>().is_ok()
}

fn is_service_name(name: &str) -> bool {
    (1..=MAX_SERVICE_NAME_BYTES).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}
