//! What an event carries: 250 bytes of JSON for every peer, with a number `n` that rises by one in each room and the
//! room's number `r`; the rest is filling.

use std::collections::BTreeMap;

use prost_types::{Struct, Value, value::Kind};
use serde::Serialize;

/// How long the payload is, in bytes, where `n` has four digits and `r` three.
pub(crate) const BYTES: usize = 250;

/// The filling of peers that take any payload.
pub(crate) const FILL_BYTES: usize = BYTES - r#"{"n":1234,"r":123,"fill":""}"#.len();

/// The payload of peers that take any.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Payload {
    n: u64,
    r: u32,
    fill: &'static str,
}

impl Payload {
    pub(crate) fn new(room: u32, n: u64) -> Self {
        const FILL: &str = match str::from_utf8(&[b'x'; FILL_BYTES]) {
            Ok(fill) => fill,
            Err(_) => "",
        };
        Self {
            n,
            r: room,
            fill: FILL,
        }
    }

    pub(crate) fn json(self) -> String {
        // Numbers and text are always JSON.
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// The attributes of a session with such participants, which make the payload of its `session-updated` as long as
/// the others'.
pub(crate) fn attributes(room: u32, n: u64, participants: &[String]) -> Struct {
    let users: usize = participants
        .iter()
        .map(|user| format!(r#"{{"userId":"{user}","role":"observer"}},"#).len())
        .sum();
    let frame = r#"{"sessionId":"s123","session":{"id":"s123","status":"live","participants":[],"fill":"","n":1234,"r":123}}"#;
    let fill = BYTES.saturating_sub(frame.len() + users.saturating_sub(1));
    let number = |number: f64| Value {
        kind: Some(Kind::NumberValue(number)),
    };
    let fill = Value {
        kind: Some(Kind::StringValue("x".repeat(fill))),
    };
    let fields = [
        ("fill".to_owned(), fill),
        ("n".to_owned(), number(n as f64)),
        ("r".to_owned(), number(f64::from(room))),
    ];
    Struct {
        fields: BTreeMap::from(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_has_its_length() {
        assert_eq!(Payload::new(123, 4567).json().len(), BYTES);
    }

    #[test]
    fn attributes_fill_up_what_the_participants_leave() {
        let users: Vec<_> = (0..3).map(|n| format!("u{n}")).collect();
        let fill = &attributes(1, 1, &users).fields["fill"];
        let Some(Kind::StringValue(fill)) = &fill.kind else {
            panic!("{fill:?}")
        };
        let list: Vec<_> = users
            .iter()
            .map(|user| serde_json::json!({ "userId": user, "role": "observer" }))
            .collect();
        let session = serde_json::json!({ "id": "s123", "status": "live", "participants": list, "fill": fill, "n": 1234, "r": 123 });
        let whole = serde_json::json!({ "sessionId": "s123", "session": session });
        assert_eq!(whole.to_string().len(), BYTES);
    }
}
