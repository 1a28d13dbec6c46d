//! The events that browsers receive: their names and the JSON of their first argument.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    Millis,
    error_code::ErrorCode,
    event::Event,
    ids::SessionId,
    json,
    role::Role,
    session::{Participant, Session},
};

/// A Socket.IO event without its second argument, the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserEvent {
    /// The event's name: ASCII, without characters that JSON escapes.
    pub name: &'static str,
    /// The first argument, as JSON.
    pub payload: Arc<str>,
}

impl BrowserEvent {
    fn new(name: &'static str, payload: String) -> Self {
        Self {
            name,
            payload: payload.into(),
        }
    }
}

/// The browser event for an event of a session's log; `None` if browsers do not receive it.
#[must_use]
pub fn session_event(id: &SessionId, event: &Event) -> Option<BrowserEvent> {
    match event {
        Event::SessionUpdated { session, .. } => {
            let mut payload = String::with_capacity(estimated_bytes(session));
            let _ = write!(payload, r#"{{"sessionId":"{id}","session":"#); // a String never fails
            write_session(&mut payload, session);
            payload.push('}');
            Some(BrowserEvent::new("session-updated", payload))
        }
        Event::RoleSelected { user, role } => Some(BrowserEvent::new(
            "role-selected",
            format!(r#"{{"sessionId":"{id}","userId":"{user}","role":"{role}"}}"#),
        )),
        Event::FeedbackUpdated {
            feedback,
            updates,
            new_feedback,
            timestamp,
        } => {
            let updates = updates.as_str();
            let timestamp = rfc3339(*timestamp);
            let created = match new_feedback {
                Some(created) => format!(r#""newFeedback":{},"#, created.as_str()),
                None => String::new(),
            };
            let payload = format!(
                r#"{{"sessionId":"{id}","feedbackId":"{feedback}","updates":{updates},{created}"timestamp":"{timestamp}"}}"#
            );
            Some(BrowserEvent::new("feedback-updated", payload))
        }
        Event::ParticipantRemoved { .. }
        | Event::FeedbackRequired { .. }
        | Event::FeedbackSettled { .. }
        | Event::UserDisconnected { .. } => None,
    }
}

/// `feedback-required`: the user has pending feedback for the session.
#[must_use]
pub fn feedback_required(session: &SessionId) -> BrowserEvent {
    BrowserEvent::new("feedback-required", format!(r#"{{"sessionId":"{session}"}}"#))
}

/// `session-joined`: this socket is in the session's room.
#[must_use]
pub fn session_joined(session: &SessionId, role: Role) -> BrowserEvent {
    BrowserEvent::new(
        "session-joined",
        format!(r#"{{"sessionId":"{session}","role":"{role}"}}"#),
    )
}

/// `session-revoked`: this socket left the session's room, because its user is no longer a participant.
#[must_use]
pub fn session_revoked(session: &SessionId, reason: ErrorCode) -> BrowserEvent {
    BrowserEvent::new(
        "session-revoked",
        format!(r#"{{"sessionId":"{session}","reason":"{reason}"}}"#),
    )
}

/// `session-reset`: continuity was lost; the event carries the session's current state.
#[must_use]
pub fn session_reset(session: &Session, position: &str) -> BrowserEvent {
    let (id, session, position) = (&session.id, session_json(session), json::string(position));
    BrowserEvent::new(
        "session-reset",
        format!(r#"{{"sessionId":"{id}","session":{session},"position":{position}}}"#),
    )
}

/// The session as browsers see it: `{ id, status, participants: [{ userId, role }], …attributes }`.
#[must_use]
pub fn session_json(session: &Session) -> String {
    let mut json = String::with_capacity(estimated_bytes(session));
    write_session(&mut json, session);
    json
}

/// Roughly the size in bytes of an event with this session.
fn estimated_bytes(session: &Session) -> usize {
    160 + session.status.len() + 64 * session.participants.len() + session.attributes.as_str().len()
}

fn write_session(json: &mut String, session: &Session) {
    let (id, status) = (&session.id, json::string(&session.status));
    let _ = write!(json, r#"{{"id":"{id}","status":{status},"participants":["#); // a String never fails
    for (number, Participant { user, role, .. }) in session.participants.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(json, r#"{comma}{{"userId":"{user}","role":"{role}"}}"#); // a String never fails
    }
    json.push(']');
    let fields = session.attributes.fields();
    if !fields.is_empty() {
        json.push(',');
        json.push_str(fields);
    }
    json.push('}');
}

/// Formats milliseconds since the Unix epoch as `2025-05-08T01:20:00.000Z` (RFC 3339, three decimals, UTC). A time
/// outside the years 0001 to 9999 becomes the nearest time inside them.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    const FIRST: Millis = -62_135_596_800_000;
    const LAST: Millis = 253_402_207_199_999;
    let at = jiff::Timestamp::from_millisecond(at.clamp(FIRST, LAST)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{json::JsonObject, position::Offset};

    fn parsed(event: &BrowserEvent) -> Value {
        serde_json::from_str(&event.payload).unwrap()
    }

    #[test]
    fn a_session_has_its_attributes_beside_its_own_fields() {
        let mut session = Session {
            id: "s1".parse().unwrap(),
            status: "in \"progress\"".into(),
            participants: vec![Participant {
                user: "alice".parse().unwrap(),
                role: Role::Interviewer,
                added_at: Offset(1),
            }],
            attributes: JsonObject::parse(r#"{"topic":"Rust","n":[1,null]}"#).unwrap(),
            revision: 1,
        };
        let participants = json!([{ "userId": "alice", "role": "interviewer" }]);
        assert_eq!(
            serde_json::from_str::<Value>(&session_json(&session)).unwrap(),
            json!({ "id": "s1", "status": "in \"progress\"", "participants": participants, "topic": "Rust", "n": [1, null] })
        );
        session.attributes = JsonObject::empty();
        session.participants.clear();
        assert_eq!(
            session_json(&session),
            r#"{"id":"s1","status":"in \"progress\"","participants":[]}"#
        );
    }

    #[test]
    fn new_feedback_is_present_only_if_it_was_created() {
        let id = "s1".parse().unwrap();
        let event = |new_feedback| Event::FeedbackUpdated {
            feedback: "f1".parse().unwrap(),
            updates: JsonObject::empty(),
            new_feedback,
            timestamp: 1_746_667_200_000,
        };
        let without = session_event(&id, &event(None)).unwrap();
        let timestamp = "2025-05-08T01:20:00.000Z";
        let expected =
            json!({ "sessionId": "s1", "feedbackId": "f1", "updates": {}, "timestamp": timestamp });
        assert_eq!(parsed(&without), expected);
        let with = session_event(&id, &event(Some(JsonObject::empty()))).unwrap();
        assert_eq!(parsed(&with)["newFeedback"], json!({}));
    }

    #[test]
    fn every_time_can_be_formatted() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1), "1970-01-01T00:00:00.001Z");
        assert_eq!(rfc3339(Millis::MIN), "0001-01-01T00:00:00.000Z");
        assert!(rfc3339(Millis::MAX).starts_with("9999-12-30"));
    }
}
