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
/// | `removed` | a backend removed the user while the socket was in the session; only a `reason` | close the session's view |
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
    /// `removed`
    Removed,
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
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ErrorCode; 10] = [
        ErrorCode::TokenMissing,
        ErrorCode::TokenInvalid,
        ErrorCode::TokenExpired,
        ErrorCode::SessionNotFound,
        ErrorCode::NotAParticipant,
        ErrorCode::TooManySessions,
        ErrorCode::BadRequest,
        ErrorCode::RateLimited,
        ErrorCode::Unavailable,
        ErrorCode::Removed,
    ];

    fn sorted(codes: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
        let mut codes: Vec<String> = codes.into_iter().map(Into::into).collect();
        codes.sort();
        codes
    }

    #[test]
    fn browser_proto_describes_every_code_of_a_denial() {
        let proto = include_str!("../../../proto/roomcast/browser/v1/browser.proto");
        let described = proto.lines().filter_map(|line| {
            let (name, _) = line.trim().strip_prefix("ERROR_CODE_")?.split_once(" = ")?;
            Some(name.to_lowercase()).filter(|name| name != "unspecified")
        });
        let denials = ALL.into_iter().filter(|code| *code != ErrorCode::Removed);
        assert_eq!(sorted(described), sorted(denials.map(ErrorCode::as_str)));
    }

    #[test]
    fn the_table_in_the_documentation_has_every_code() {
        let page = include_str!("../../../docs/browser.md");
        let (_, section) = page.split_once("\n### Codes\n").expect("a section of codes");
        let section = section.split("\n#").next().unwrap_or_default();
        let documented = section
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0));
        assert_eq!(sorted(documented), sorted(ALL.map(ErrorCode::as_str)));
    }
}
