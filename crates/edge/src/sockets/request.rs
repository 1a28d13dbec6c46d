//! What browsers send, parsed once: arguments of events, and the payload of CONNECT. Nothing here fails a
//! connection; what can't be read is a value that says so.

use std::{convert::Infallible, sync::Arc};

use http::HeaderMap;
use roomcast_core::{Cursor, Position, SessionId};
use serde_json::{Map, Value};
use socketioxide::{adapter::LocalAdapter, handler::FromConnectParts, socket::Socket};
use socketioxide_core::Value as Packet;

/// An event of a browser.
pub(crate) struct Question {
    /// Its name.
    pub(crate) name: String,
    /// Its arguments; `None`: not JSON that we read (nested too deeply, for example).
    arguments: Option<Vec<Value>>,
}

impl Question {
    /// Reads an event's packet, `["name", …arguments]`, of which the crate has read the name.
    pub(crate) fn read(packet: &Packet) -> Self {
        let text = match packet {
            Packet::Str(text, _) => text.as_str(),
            Packet::Bytes(_) => "",
        };
        let name = text.split('"').nth(1).unwrap_or_default().to_owned();
        let packet = serde_json::from_str::<Vec<Value>>(text).ok();
        let arguments = packet.map(|mut packet| packet.split_off(1.min(packet.len())));
        Self { name, arguments }
    }

    /// Its arguments.
    fn arguments(&self) -> Result<&[Value], BadRequest> {
        let arguments = self.arguments.as_deref();
        arguments.ok_or_else(|| bad(None, "the arguments can't be read as JSON"))
    }
}

/// The socket, as the crate's own functions take it.
pub(crate) struct Itself(pub(crate) Arc<Socket>);

impl FromConnectParts<LocalAdapter> for Itself {
    type Error = Infallible;
    fn from_connect_parts(socket: &Arc<Socket>, _: &Option<Packet>) -> Result<Self, Infallible> {
        Ok(Self(socket.clone()))
    }
}

/// The payload of CONNECT: the page's `auth`, if it is an object.
pub(crate) struct Auth(Map<String, Value>);

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
    /// The token: `auth.token`, or else the request's `Authorization: Bearer`. Something that is no text is a
    /// token that nobody signed; the empty text is a missing token.
    pub(crate) fn token(&self, headers: &HeaderMap) -> String {
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

    /// What a stock client hands back when it reconnects: the pid, and its cursor, which is empty where it saw no event
    /// yet. `None` where there is no pid, or the cursor is none of ours.
    pub(crate) fn resume(&self) -> Option<(&str, Cursor)> {
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

/// Why a browser's question can't be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadRequest {
    /// The session that it spoke of, as far as that could be read.
    pub(crate) session: Option<String>,
    /// What is wrong and how to mend it.
    pub(crate) text: String,
}

fn bad(session: Option<&str>, text: impl Into<String>) -> BadRequest {
    BadRequest {
        session: session.map(str::to_owned),
        text: text.into(),
    }
}

/// `(sessionId)` or `(sessionId, { after })`.
pub(crate) fn join(question: &Question) -> Result<(SessionId, Option<Position>), BadRequest> {
    let arguments = question.arguments()?;
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
                    "after must be a string: a position that was handed out",
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
pub(crate) fn leave(question: &Question) -> Result<SessionId, BadRequest> {
    session(question.arguments()?.first())
}

/// `(token)`.
pub(crate) fn token(question: &Question) -> Result<String, BadRequest> {
    match question.arguments.as_deref() {
        Some([Value::String(token), ..]) => Ok(token.clone()),
        Some(_) | None => Err(bad(None, "the first argument must be a token: a string")),
    }
}

fn session(argument: Option<&Value>) -> Result<SessionId, BadRequest> {
    let Some(Value::String(text)) = argument else {
        return Err(bad(None, "the first argument must be a session id: a string"));
    };
    text.parse().map_err(|error| {
        let short: String = text.chars().take(roomcast_core::ids::MAX_ID_LENGTH).collect();
        bad(Some(&short), format!("the session id {error}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(mut arguments: Value) -> Question {
        arguments.as_array_mut().unwrap().insert(0, json!("asked"));
        Question::read(&Packet::Str(arguments.to_string().into(), None))
    }

    #[test]
    fn a_question_has_a_name_also_where_its_arguments_can_not_be_read() {
        assert_eq!(question(json!([1])).name, "asked");
        let deep = format!(r#"[ "join-session",{}]"#, "[".repeat(200));
        let deep = Question::read(&Packet::Str(deep.into(), None));
        assert_eq!((deep.name.as_str(), join(&deep).is_err()), ("join-session", true));
    }

    #[test]
    fn a_join_takes_a_session_and_perhaps_a_position_in_it() {
        let (session, after) = join(&question(json!(["s1"]))).unwrap();
        assert_eq!((session.as_str(), after), ("s1", None));
        let (_, after) = join(&question(
            json!(["s1", { "after": "1;s0,0000000000aa,3;s1,0000000000ab,7" }]),
        ))
        .unwrap();
        assert_eq!(after.unwrap().offset.0, 7);
        let (_, after) = join(&question(json!(["s1", { "after": "1;s0,0000000000aa,3" }]))).unwrap();
        assert_eq!(after, None);
    }

    #[test]
    fn what_is_malformed_says_what_is_wrong() {
        for (value, session) in [
            (json!([]), None),
            (json!([7]), None),
            (json!([""]), Some("")),
            (json!(["a b"]), Some("a b")),
            (json!(["s1", "x"]), Some("s1")),
            (json!(["s1", { "after": 7 }]), Some("s1")),
            (json!(["s1", { "after": "x" }]), Some("s1")),
        ] {
            let error = join(&question(value)).unwrap_err();
            assert_eq!(error.session.as_deref(), session, "{error:?}");
        }
    }
}
