//! The payload of an event: 250 bytes of JSON for every competitor. `n` is the number of the event in its room, counted
//! from 1, `r` is the number of the room, and `fill` makes up the rest of the length.

use std::collections::BTreeMap;

use prost_types::{Struct, Value, value::Kind};
use serde::Serialize;

/// The length of the payload in bytes, when `n` has four digits and `r` has three.
const PAYLOAD_BYTES: usize = 250;

/// The length of `fill`, for competitors that accept any payload.
pub(crate) const FILL_BYTES: usize = PAYLOAD_BYTES - r#"{"n":1234,"r":123,"fill":""}"#.len();

/// The payload for competitors that accept any.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Payload {
    n: u64,
    r: u32,
    fill: &'static str,
}

impl Payload {
    pub(crate) fn new(room: u32, number: u64) -> Self {
        const FILL: &str = match str::from_utf8(&[b'x'; FILL_BYTES]) {
            Ok(fill) => fill,
            Err(_) => "",
        };
        Self {
            n: number,
            r: room,
            fill: FILL,
        }
    }

    pub(crate) fn json(self) -> String {
        // Serialising numbers and text does not fail.
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// Attributes of a Roomcast session. With these participants, the payload of `session-updated` is as long as a
/// [`Payload`].
pub(crate) fn session_attributes(room: u32, number: u64, participants: &[String]) -> Struct {
    let participant_bytes: usize = participants
        .iter()
        .map(|user| format!(r#"{{"userId":"{user}","role":"observer"}},"#).len())
        .sum();
    let empty_session = r#"{"sessionId":"s123","session":{"id":"s123","status":"live","participants":[],"fill":"","n":1234,"r":123}}"#;
    // The last participant has no comma.
    let fill = PAYLOAD_BYTES.saturating_sub(empty_session.len() + participant_bytes.saturating_sub(1));
    let number_value = |value: f64| Value {
        kind: Some(Kind::NumberValue(value)),
    };
    let fill = Value {
        kind: Some(Kind::StringValue("x".repeat(fill))),
    };
    let fields = [
        ("fill".to_owned(), fill),
        ("n".to_owned(), number_value(number as f64)),
        ("r".to_owned(), number_value(f64::from(room))),
    ];
    Struct {
        fields: BTreeMap::from(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_250_bytes() {
        assert_eq!(Payload::new(123, 4567).json().len(), PAYLOAD_BYTES);
    }

    #[test]
    fn the_payload_of_a_session_has_250_bytes_too() {
        let users: Vec<_> = (0..3).map(|n| format!("u{n}")).collect();
        let fill = &session_attributes(1, 1, &users).fields["fill"];
        let Some(Kind::StringValue(fill)) = &fill.kind else {
            panic!("{fill:?}")
        };
        let list: Vec<_> = users
            .iter()
            .map(|user| serde_json::json!({ "userId": user, "role": "observer" }))
            .collect();
        let session = serde_json::json!({ "id": "s123", "status": "live", "participants": list, "fill": fill, "n": 1234, "r": 123 });
        let whole = serde_json::json!({ "sessionId": "s123", "session": session });
        assert_eq!(whole.to_string().len(), PAYLOAD_BYTES);
    }
}
