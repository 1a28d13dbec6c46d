//! Why a token was not taken. It carries nothing of the token itself, so it may be logged.

/// A token that gives no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token was given (an empty string).
    #[error("no token")]
    Missing,
    /// The token can never be taken; the reason is for logs, not for whoever sent it.
    #[error("invalid token: {0}")]
    Invalid(Reason),
    /// The token is good in every respect but its time, which is over.
    #[error("expired token")]
    Expired,
    /// The keys that could verify it were never fetched. Nothing is known about the token: trying again later
    /// may help.
    #[error("verification keys not available yet")]
    KeysUnavailable,
}

impl TokenError {
    /// The code that a browser sees: `token_missing`, `token_invalid` or `token_expired`.
    ///
    /// `None` for [`TokenError::KeysUnavailable`], which is no verdict on the token: the caller answers with
    /// its code for "try again".
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("token_missing"),
            Self::Invalid(_) => Some("token_invalid"),
            Self::Expired => Some("token_expired"),
            Self::KeysUnavailable => None,
        }
    }
}

/// What is wrong with an invalid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("too long")]
    TooLong,
    /// Not three base64url parts of which the first two are JSON objects.
    #[error("malformed")]
    Malformed,
    /// The header has `crit`: extensions that must be understood, and are not (RFC 7515, section 4.1.11).
    #[error("critical header extensions")]
    CriticalHeader,
    /// `none`, unknown, or an algorithm that no configured key is for.
    #[error("wrong algorithm")]
    WrongAlgorithm,
    /// No key has the token's `kid`; or the token has none and does not say which of several keys it means.
    #[error("unknown key")]
    UnknownKey,
    /// Signed with another key, or altered.
    #[error("wrong key")]
    WrongKey,
    /// `nbf` lies in the future.
    #[error("not yet valid")]
    NotYetValid,
    /// `aud` does not name us, or names services in a user's token.
    #[error("wrong audience")]
    WrongAudience,
    /// `iss` is not the configured issuer.
    #[error("wrong issuer")]
    WrongIssuer,
    /// No `exp`: a socket or a caller must not live for ever.
    #[error("no expiry")]
    NoExpiry,
    /// `exp` or `nbf` is not a number of seconds before the year 10000 (milliseconds end up here).
    #[error("bad time")]
    BadTime,
    /// The claim that names the user or the service is absent.
    #[error("no subject")]
    NoSubject,
    /// The claim that names the user or the service is not a string that may be an id.
    #[error("bad subject")]
    BadSubject,
}
