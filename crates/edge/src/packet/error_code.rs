//! The codes by which a browser learns that a connection or a request was denied.

use std::fmt;

use roomcast_auth::TokenError;
use roomcast_core::rooms::JoinDenial;

/// Every code that a browser can see: as the message of a `connect_error`, as `error.code` of an acknowledgement, or as
/// `code` of a `session-error`.
///
/// | code | meaning | what the page can do |
/// | --- | --- | --- |
/// | `token_missing` | the connection has no token | connect with a token |
/// | `token_invalid` | the token is malformed, not signed by a known key, or another user's | get another token |
/// | `token_expired` | the token has expired | get a new token |
/// | `session_not_found` | the session does not exist | – |
/// | `not_a_participant` | the user does not take part in the session | – |
/// | `too_many_sessions` | the socket is in as many sessions as a socket may be in | leave a session first |
/// | `bad_request` | the event or its arguments are malformed, or the session was left before the join was complete | correct the request |
/// | `rate_limited` | the socket sent too many events at once | slow down and retry |
/// | `unavailable` | no control plane, or the store, can be reached | retry |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    TokenMissing,
    TokenInvalid,
    TokenExpired,
    SessionNotFound,
    NotAParticipant,
    TooManySessions,
    BadRequest,
    RateLimited,
    Unavailable,
}

impl ErrorCode {
    pub(crate) fn as_str(self) -> &'static str {
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

impl From<JoinDenial> for ErrorCode {
    fn from(denial: JoinDenial) -> Self {
        match denial {
            JoinDenial::SessionNotFound => Self::SessionNotFound,
            JoinDenial::NotAParticipant => Self::NotAParticipant,
            JoinDenial::TooManySessions => Self::TooManySessions,
            JoinDenial::LeftMeanwhile => Self::BadRequest,
            JoinDenial::Unavailable => Self::Unavailable,
        }
    }
}

impl From<TokenError> for ErrorCode {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Missing => Self::TokenMissing,
            TokenError::Invalid(_) => Self::TokenInvalid,
            TokenError::Expired => Self::TokenExpired,
            TokenError::KeysUnavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Describes the same codes to the TypeScript packages.
    const BROWSER_PROTO: &str = include_str!("../../../../proto/roomcast/browser/v1/browser.proto");

    #[test]
    fn browser_proto_and_this_table_have_the_same_codes() {
        let mut codes = [
            ErrorCode::TokenMissing,
            ErrorCode::TokenInvalid,
            ErrorCode::TokenExpired,
            ErrorCode::SessionNotFound,
            ErrorCode::NotAParticipant,
            ErrorCode::TooManySessions,
            ErrorCode::BadRequest,
            ErrorCode::RateLimited,
            ErrorCode::Unavailable,
        ]
        .map(|code| code.as_str().to_owned());
        let described = BROWSER_PROTO.lines().filter_map(|line| {
            let (name, _) = line.trim().strip_prefix("ERROR_CODE_")?.split_once(" = ")?;
            Some(name.to_lowercase()).filter(|name| name != "unspecified")
        });
        let mut described: Vec<_> = described.collect();
        codes.sort();
        described.sort();
        assert_eq!(described, codes);
    }

    #[test]
    fn the_core_and_this_table_agree_on_the_codes_of_join_denials() {
        for denial in [
            JoinDenial::SessionNotFound,
            JoinDenial::NotAParticipant,
            JoinDenial::TooManySessions,
            JoinDenial::LeftMeanwhile,
            JoinDenial::Unavailable,
        ] {
            assert_eq!(ErrorCode::from(denial).as_str(), denial.code());
        }
    }
}
