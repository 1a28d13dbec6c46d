//! The codes that state to a browser why a connection or a request was denied.

use std::fmt;

/// A code that browsers see: the message of a `connect_error`, `error.code` of an acknowledgement, `code` of a
/// `session-error`, or `reason` of a `session-revoked`.
///
/// | code | meaning | what the page can do |
/// | --- | --- | --- |
/// | `token_missing` | the connection has no token | connect with a token |
/// | `token_invalid` | the token is malformed, has no trusted signature, or belongs to another user | get another token |
/// | `token_expired` | the token has expired | get a new token |
/// | `session_not_found` | the session does not exist | – |
/// | `not_a_participant` | the user is not a participant of the session | – |
/// | `too_many_sessions` | the socket has joined the maximum number of sessions | leave a session |
/// | `bad_request` | the event or its arguments are malformed, or the session was left before the join was complete | correct the request |
/// | `rate_limited` | the socket sent too many events | slow down and retry |
/// | `unavailable` | no control plane, or the store, can be reached | retry |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// `token_missing`
    TokenMissing,
    /// `token_invalid`
    TokenInvalid,
    /// `token_expired`
    TokenExpired,
    /// `session_not_found`
    SessionNotFound,
    /// `not_a_participant`
    NotAParticipant,
    /// `too_many_sessions`
    TooManySessions,
    /// `bad_request`
    BadRequest,
    /// `rate_limited`
    RateLimited,
    /// `unavailable`
    Unavailable,
}

impl ErrorCode {
    /// The code as browsers see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::SessionNotFound => "session_not_found",
            Self::NotAParticipant => "not_a_participant",
            Self::TooManySessions => "too_many_sessions",
            Self::BadRequest => "bad_request",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
