//! The rules for the claims of a token. They are pure and run only after the signature was verified.

use roomcast_core::UserId;
use serde_json::{Map, Value};

use crate::token_error::{Reason, TokenError};

/// The audience of service tokens. A user's token must not contain it.
pub const SERVICE_AUDIENCE: &str = "roomcast-api";

/// How far in the future `nbf` may be, in seconds, because the clocks of issuer and verifier differ. `exp` has no leeway.
const NOT_BEFORE_LEEWAY: i64 = 5;

/// The maximum of `exp` and `nbf`, in seconds since the Unix epoch: the end of the year 9999. A time in milliseconds
/// exceeds it.
pub const MAX_TIME: i64 = 253_402_300_799;

const MAX_SERVICE_NAME_BYTES: usize = 128;

/// The verified identity of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id (a valid `UserId`), or the service's name (1 to 128 visible ASCII characters).
    pub subject: String,
    /// When the token expires, in seconds since the Unix epoch. At this second it is already invalid.
    pub expires_at: i64,
}

/// What a user's token must contain, in addition to a valid signature and a valid time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserTokens {
    /// The required `iss`; `None`: any, or no `iss`.
    pub issuer: Option<String>,
    /// What `aud` must be or contain; `None`: anything, or no `aud`. In both cases it must not contain
    /// [`SERVICE_AUDIENCE`].
    pub audience: Option<String>,
    /// The top-level claim that contains the user's id.
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

/// Which tokens a verifier accepts.
#[derive(Debug)]
pub(crate) enum Policy {
    Users(UserTokens),
    Services,
}

impl Policy {
    /// Checks all claims. The expiry is checked last: "expired" means that a new token with the same claims would be
    /// accepted.
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
        let for_services = audience_contains(claims, SERVICE_AUDIENCE)?;
        match self {
            Self::Users(users) => {
                if let Some(issuer) = &users.issuer
                    && claims.get("iss").and_then(Value::as_str) != Some(issuer)
                {
                    return Err(Reason::WrongIssuer);
                }
                let has_audience = users
                    .audience
                    .as_deref()
                    .map_or(Ok(true), |required| audience_contains(claims, required))?;
                if !has_audience || for_services {
                    return Err(Reason::WrongAudience);
                }
                string_claim(claims, &users.user_claim, is_user_id)
            }
            Self::Services if for_services => string_claim(claims, "sub", is_service_name),
            Self::Services => Err(Reason::WrongAudience),
        }
    }
}

/// `aud` is a string or an array of strings (RFC 7519, section 4.1.3). If it is absent, it contains nothing.
fn audience_contains(claims: &Map<String, Value>, audience: &str) -> Result<bool, Reason> {
    match claims.get("aud") {
        None => Ok(false),
        Some(Value::String(one)) => Ok(one == audience),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            Ok(several.iter().any(|one| one == audience))
        }
        Some(_) => Err(Reason::WrongAudience),
    }
}

fn string_claim<'a>(
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

/// A NumericDate may have a fraction (RFC 7519, section 2). It is rounded down, so that a token expires early rather
/// than late.
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
