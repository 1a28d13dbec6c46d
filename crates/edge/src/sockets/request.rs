//! The requests of browsers, parsed once: the arguments of events, and the payload of CONNECT. Nothing here closes a
//! connection; malformed input becomes a value that contains the reason.

use std::{convert::Infallible, sync::Arc};

use http::HeaderMap;
use roomcast_core::{Cursor, Position, SessionId};
use serde_json::{Map, Value};
use socketioxide::{adapter::LocalAdapter, handler::FromConnectParts, socket::Socket};
use socketioxide_core::Value as Packet;

/// An event from a browser.
pub(super) struct BrowserRequest {
    pub(super) name: String,
    /// `None` if the arguments cannot be parsed, for example because they are nested too deeply.
    arguments: Option<Vec<Value>>,
}

impl BrowserRequest {
    /// Reads an event's packet, `["name", …arguments]`. socketioxide has found a name in it.
    pub(super) fn read(packet: &Packet) -> Self {
        let text = match packet {
            Packet::Str(text, _) => text.as_str(),
            Packet::Bytes(_) => "",
        };
        let name = text.split('"').nth(1).unwrap_or_default().to_owned();
        let packet = serde_json::from_str::<Vec<Value>>(text).ok();
        let arguments = packet.map(|mut packet| packet.split_off(1.min(packet.len())));
        Self { name, arguments }
    }

    fn arguments(&self) -> Result<&[Value], BadRequest> {
        let arguments = self.arguments.as_deref();
        arguments.ok_or_else(|| bad(None, "the arguments cannot be parsed as JSON"))
    }
}

/// Extracts the socket in the form that socketioxide's own functions need.
pub(super) struct ExtractSocket(pub(super) Arc<Socket>);

impl FromConnectParts<LocalAdapter> for ExtractSocket {
    type Error = Infallible;
    fn from_connect_parts(socket: &Arc<Socket>, _: &Option<Packet>) -> Result<Self, Infallible> {
        Ok(Self(socket.clone()))
    }
}

/// The payload of CONNECT: the page's `auth` object; empty if it is not an object.
pub(super) struct Auth(Map<String, Value>);

impl FromConnectParts<LocalAdapter> for Auth {
    type Error = Infallible;
    fn from_connect_parts(_: &Arc<Socket>, auth: &Option<Packet>) -> Result<Self, Infallible> {
        let text = match auth {
            Some(Packet::Str(text, _)) => text,
            Some(Packet::Bytes(_)) | None => return Ok(Self(Map::new())),
        };
        Ok(Self(serde_json::from_str(text).unwrap_or_default()))
    }
}

impl Auth {
    /// The token: `auth.token`, or else the request's `Authorization: Bearer`. A value that is not a string becomes an
    /// invalid token; an empty string is a missing token.
    pub(super) fn token(&self, headers: &HeaderMap) -> String {
        match self.0.get("token") {
            Some(Value::String(token)) => token.clone(),
            Some(Value::Null) | None => {
                let header = headers
                    .get(http::header::AUTHORIZATION)
                    .and_then(|value| value.to_str().ok());
                header
                    .and_then(roomcast_auth::bearer)
                    .unwrap_or_default()
                    .to_owned()
            }
            Some(other) => other.to_string(),
        }
    }

    /// The pid and the cursor that a stock client sends when it reconnects. The cursor is empty if the client has
    /// received no event yet. `None` if there is no pid, or if the cursor is not valid.
    pub(super) fn resume(&self) -> Option<(&str, Cursor)> {
        let Some(Value::String(pid)) = self.0.get("pid") else {
            return None;
        };
        match self.0.get("offset") {
            None => Some((pid, Cursor::default())),
            Some(Value::String(offset)) => Some((pid, offset.parse().ok()?)),
            Some(_) => None,
        }
    }
}

/// A malformed request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRequest {
    /// The session id as the browser sent it, if it could be read; at most as long as an id may be.
    pub(super) session: Option<String>,
    /// What is wrong, and how to correct it.
    pub(super) reason: String,
}

fn bad(session: Option<&str>, reason: impl Into<String>) -> BadRequest {
    BadRequest {
        session: session.map(str::to_owned),
        reason: reason.into(),
    }
}

/// `(sessionId)` or `(sessionId, { after })`.
pub(super) fn join(request: &BrowserRequest) -> Result<(SessionId, Option<Position>), BadRequest> {
    let arguments = request.arguments()?;
    let session = session(arguments.first())?;
    let name = session.as_str();
    let after = match arguments.get(1) {
        None | Some(Value::Null) => None,
        Some(Value::Object(options)) => match options.get("after") {
            None | Some(Value::Null) => None,
            Some(Value::String(after)) => {
                let cursor = after.parse::<Cursor>();
                let cursor = cursor.map_err(|error| bad(Some(name), format!("after {error}")))?;
                cursor.0.get(&session).copied()
            }
            Some(_) => {
                return Err(bad(
                    Some(name),
                    "after must be a string: a position that the server sent",
                ));
            }
        },
        Some(_) => {
            return Err(bad(
                Some(name),
                "the second argument must be an object such as { after }",
            ));
        }
    };
    Ok((session, after))
}

/// `(sessionId)`.
pub(super) fn leave(request: &BrowserRequest) -> Result<SessionId, BadRequest> {
    session(request.arguments()?.first())
}

/// `(token)`.
pub(super) fn token(request: &BrowserRequest) -> Result<String, BadRequest> {
    match request.arguments.as_deref() {
        Some([Value::String(token), ..]) => Ok(token.clone()),
        Some(_) | None => Err(bad(None, "the first argument must be a token: a string")),
    }
}

fn session(argument: Option<&Value>) -> Result<SessionId, BadRequest> {
    let Some(Value::String(text)) = argument else {
        return Err(bad(None, "the first argument must be a session id: a string"));
    };
    text.parse().map_err(|error| {
        let shortened: String = text.chars().take(roomcast_core::ids::MAX_ID_LENGTH).collect();
        bad(Some(&shortened), format!("the session id {error}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(mut arguments: Value) -> BrowserRequest {
        arguments.as_array_mut().unwrap().insert(0, json!("name"));
        BrowserRequest::read(&Packet::Str(arguments.to_string().into(), None))
    }

    #[test]
    fn a_request_has_a_name_even_if_its_arguments_cannot_be_parsed() {
        assert_eq!(request(json!([1])).name, "name");
        let deep = format!(r#"[ "join-session",{}]"#, "[".repeat(200));
        let deep = BrowserRequest::read(&Packet::Str(deep.into(), None));
        assert_eq!((deep.name.as_str(), join(&deep).is_err()), ("join-session", true));
    }

    #[test]
    fn a_join_has_a_session_and_an_optional_position_in_it() {
        let (session, after) = join(&request(json!(["s1"]))).unwrap();
        assert_eq!((session.as_str(), after), ("s1", None));
        let (_, after) = join(&request(
            json!(["s1", { "after": "1;s0,0000000000aa,3;s1,0000000000ab,7" }]),
        ))
        .unwrap();
        assert_eq!(after.unwrap().offset.0, 7);
        let (_, after) = join(&request(json!(["s1", { "after": "1;s0,0000000000aa,3" }]))).unwrap();
        assert_eq!(after, None);
    }

    #[test]
    fn a_malformed_join_is_denied_with_the_session_that_could_be_read() {
        for (value, session) in [
            (json!([]), None),
            (json!([7]), None),
            (json!([""]), Some("")),
            (json!(["a b"]), Some("a b")),
            (json!(["s1", "x"]), Some("s1")),
            (json!(["s1", { "after": 7 }]), Some("s1")),
            (json!(["s1", { "after": "x" }]), Some("s1")),
        ] {
            let error = join(&request(value)).unwrap_err();
            assert_eq!(error.session.as_deref(), session, "{error:?}");
        }
    }
}
