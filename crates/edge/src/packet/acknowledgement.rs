//! The JSON of acknowledgements, and of the `session-error` that replaces a denial where the browser requested no
//! acknowledgement.

use roomcast_core::{ErrorCode, Role, SessionId, browser_event::BrowserEvent, json};
use serde_json::value::RawValue;
use tracing::error;

/// The argument of an acknowledgement, as JSON.
pub(crate) struct Acknowledgement(Box<RawValue>);

impl Acknowledgement {
    /// A join succeeded. `snapshot` is the session as JSON.
    pub(crate) fn joined(
        session: &SessionId,
        role: Role,
        position: &str,
        recovered: bool,
        snapshot: &str,
    ) -> Self {
        let position = json::string(position);
        Self::new(format!(
            r#"{{"ok":true,"sessionId":"{session}","role":"{role}","position":{position},"recovered":{recovered},"session":{snapshot}}}"#
        ))
    }

    /// The socket has left the session's room.
    pub(crate) fn left(session: &SessionId) -> Self {
        Self::new(format!(r#"{{"ok":true,"sessionId":"{session}"}}"#))
    }

    /// A new token was accepted; it expires at this RFC 3339 time.
    pub(crate) fn token_refreshed(expires_at: &str) -> Self {
        Self::new(format!(
            r#"{{"ok":true,"expiresAt":{}}}"#,
            json::string(expires_at)
        ))
    }

    /// A token was denied. It concerns no session, so that there is no `sessionId`.
    pub(crate) fn token_denied(code: ErrorCode, message: &str) -> Self {
        Self::new(format!(r#"{{"ok":false,"error":{}}}"#, error(code, message)))
    }

    /// A request was denied. `session` is the id as the browser sent it, if it could be read.
    pub(crate) fn denied(session: Option<&str>, code: ErrorCode, message: &str) -> Self {
        let (session, error) = (session_json(session), error(code, message));
        Self::new(format!(r#"{{"ok":false,"sessionId":{session},"error":{error}}}"#))
    }

    fn new(json: String) -> Self {
        Self(RawValue::from_string(json).unwrap_or_else(|error| {
            error!(%error, "an acknowledgement is not valid JSON; sending null");
            Box::default()
        }))
    }

    pub(crate) fn get(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn into_json(self) -> Box<RawValue> {
        self.0
    }
}

/// The event for a denied request without an acknowledgement.
pub(crate) fn session_error(session: Option<&str>, code: ErrorCode, message: &str) -> BrowserEvent {
    let (session, message) = (session_json(session), json::string(message));
    let payload = format!(r#"{{"sessionId":{session},"code":"{code}","message":{message}}}"#);
    BrowserEvent {
        name: "session-error",
        payload: payload.into(),
    }
}

fn error(code: ErrorCode, message: &str) -> String {
    let message = json::string(message);
    format!(r#"{{"code":"{code}","message":{message}}}"#)
}

fn session_json(session: Option<&str>) -> String {
    session.map_or("null".to_owned(), json::string)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Describes the codes to the TypeScript packages.
    const BROWSER_PROTO: &str = include_str!("../../../../proto/roomcast/browser/v1/browser.proto");

    #[test]
    fn browser_proto_describes_every_error_code() {
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
    fn text_from_a_browser_is_escaped_in_a_denial() {
        let denied = Acknowledgement::denied(Some("a\"b"), ErrorCode::BadRequest, "say \"id\"");
        assert_eq!(
            denied.get(),
            r#"{"ok":false,"sessionId":"a\"b","error":{"code":"bad_request","message":"say \"id\""}}"#
        );
        let event = session_error(None, ErrorCode::RateLimited, "slow down");
        assert_eq!(
            (event.name, &*event.payload),
            (
                "session-error",
                r#"{"sessionId":null,"code":"rate_limited","message":"slow down"}"#
            )
        );
    }

    #[test]
    fn a_token_response_names_no_session() {
        let refreshed = Acknowledgement::token_refreshed("2025-05-08T01:20:00.000Z");
        assert_eq!(
            refreshed.get(),
            r#"{"ok":true,"expiresAt":"2025-05-08T01:20:00.000Z"}"#
        );
        let denied = Acknowledgement::token_denied(ErrorCode::TokenExpired, "expired");
        assert_eq!(
            denied.get(),
            r#"{"ok":false,"error":{"code":"token_expired","message":"expired"}}"#
        );
    }
}
