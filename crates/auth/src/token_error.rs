//! Why a token was not accepted. The errors contain nothing of the token and may be logged.

/// A token without a verified identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token was given (an empty string).
    #[error("no token")]
    Missing,
    /// The token is invalid. The reason is for logs; the sender must not see it.
    #[error("invalid token: {0}")]
    Invalid(Reason),
    /// The token has expired and is valid otherwise.
    #[error("expired token")]
    Expired,
    /// The keys that could verify the token were never fetched. A retry may succeed.
    #[error("verification keys not available yet")]
    KeysUnavailable,
}

impl TokenError {
    /// The code that a browser sees: `token_missing`, `token_invalid` or `token_expired`.
    ///
    /// `None` for [`TokenError::KeysUnavailable`], which does not mean that the token is bad: the caller sends its own
    /// code for "retry".
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

/// Why a token is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("too long")]
    TooLong,
    /// It does not consist of three base64url parts, of which the first two are JSON objects.
    #[error("malformed")]
    Malformed,
    /// The header has `crit`, so it requires extensions, and none is supported (RFC 7515, section 4.1.11).
    #[error("critical header extensions")]
    CriticalHeader,
    /// `none`, an unknown algorithm, or one that no configured key allows.
    #[error("wrong algorithm")]
    WrongAlgorithm,
    /// No key has the token's `kid`, or the token has no `kid` and several keys are possible.
    #[error("unknown key")]
    UnknownKey,
    /// The signature does not match: another key made it, or the token was changed.
    #[error("wrong key")]
    WrongKey,
    /// `nbf` is in the future.
    #[error("not yet valid")]
    NotYetValid,
    /// `aud` does not contain the required audience, or a user's token contains the audience of services.
    #[error("wrong audience")]
    WrongAudience,
    /// `iss` is not the configured issuer.
    #[error("wrong issuer")]
    WrongIssuer,
    /// `exp` is absent. It is required, because sockets and callers must not stay authenticated forever.
    #[error("no expiry")]
    NoExpiry,
    /// `exp` or `nbf` is not a number of seconds before the year 10000. Times in milliseconds exceed it.
    #[error("bad time")]
    BadTime,
    /// The claim that contains the id of the user or the name of the service is absent.
    #[error("no subject")]
    NoSubject,
    /// The claim that contains the id of the user or the name of the service is not valid.
    #[error("bad subject")]
    BadSubject,
}
