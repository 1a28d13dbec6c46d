//! What browsers see of an event: its name and the JSON of its first argument.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    Millis,
    event::Event,
    ids::SessionId,
    json,
    role::Role,
    session::{Participant, Session},
};

/// A Socket.IO event without its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserEvent {
    /// The event's name: plain ASCII, without anything that JSON escapes.
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

/// The event that an entry of a session's log is for those in the room; `None` where it is none.
#[must_use]
pub fn session_event(id: &SessionId, body: &Event) -> Option<BrowserEvent> {
    match body {
        Event::SessionUpdated { session, .. } => {
            let mut payload = String::with_capacity(session_bytes(session));
            let _infallible = write!(payload, r#"{{"sessionId":"{id}","session":"#);
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

/// The reminder that feedback for a session is owed.
#[must_use]
pub fn feedback_required(session: &SessionId) -> BrowserEvent {
    BrowserEvent::new("feedback-required", format!(r#"{{"sessionId":"{session}"}}"#))
}

/// This socket is in the session's room.
#[must_use]
pub fn session_joined(session: &SessionId, role: Role) -> BrowserEvent {
    BrowserEvent::new(
        "session-joined",
        format!(r#"{{"sessionId":"{session}","role":"{role}"}}"#),
    )
}

/// This socket left the session's room, since its user is no longer a participant. `reason` is one of ours.
#[must_use]
pub fn session_revoked(session: &SessionId, reason: &'static str) -> BrowserEvent {
    BrowserEvent::new(
        "session-revoked",
        format!(r#"{{"sessionId":"{session}","reason":"{reason}"}}"#),
    )
}

/// Continuity could not be kept; the session as it stands.
#[must_use]
pub fn session_reset(session: &Session, position: &str) -> BrowserEvent {
    let (id, session, position) = (&session.id, session_json(session), json::string(position));
    BrowserEvent::new(
        "session-reset",
        format!(r#"{{"sessionId":"{id}","session":{session},"position":{position}}}"#),
    )
}

/// `{ id, status, participants: [{ userId, role }], …attributes }`.
#[must_use]
pub fn session_json(session: &Session) -> String {
    let mut json = String::with_capacity(session_bytes(session));
    write_session(&mut json, session);
    json
}

/// About how long the JSON of a session is, with what may be around it.
fn session_bytes(session: &Session) -> usize {
    160 + session.status.len() + 64 * session.participants.len() + session.attributes.as_str().len()
}

fn write_session(json: &mut String, session: &Session) {
    let (id, status) = (&session.id, json::string(&session.status));
    let _infallible = write!(json, r#"{{"id":"{id}","status":{status},"participants":["#);
    for (number, Participant { user, role, .. }) in session.participants.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _infallible = write!(json, r#"{comma}{{"userId":"{user}","role":"{role}"}}"#);
    }
    json.push(']');
    let fields = session.attributes.fields();
    if !fields.is_empty() {
        json.push(',');
        json.push_str(fields);
    }
    json.push('}');
}

/// Milliseconds since the Unix epoch as `2025-05-08T01:20:00.000Z` (RFC 3339 with three decimals, UTC). Times
/// outside the years 0001 to 9999 are the nearest that can be written.
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
    fn a_session_spreads_its_attributes() {
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
        let people = json!([{ "userId": "alice", "role": "interviewer" }]);
        assert_eq!(
            serde_json::from_str::<Value>(&session_json(&session)).unwrap(),
            json!({ "id": "s1", "status": "in \"progress\"", "participants": people, "topic": "Rust", "n": [1, null] })
        );
        session.attributes = JsonObject::empty();
        session.participants.clear();
        assert_eq!(
            session_json(&session),
            r#"{"id":"s1","status":"in \"progress\"","participants":[]}"#
        );
    }

    #[test]
    fn new_feedback_is_there_only_where_one_was_created() {
        let id = "s1".parse().unwrap();
        let body = |new_feedback| Event::FeedbackUpdated {
            feedback: "f1".parse().unwrap(),
            updates: JsonObject::empty(),
            new_feedback,
            timestamp: 1_746_667_200_000,
        };
        let without = session_event(&id, &body(None)).unwrap();
        let timestamp = "2025-05-08T01:20:00.000Z";
        let expected =
            json!({ "sessionId": "s1", "feedbackId": "f1", "updates": {}, "timestamp": timestamp });
        assert_eq!(parsed(&without), expected);
        let with = session_event(&id, &body(Some(JsonObject::empty()))).unwrap();
        assert_eq!(parsed(&with)["newFeedback"], json!({}));
    }

    #[test]
    fn every_time_can_be_written() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1), "1970-01-01T00:00:00.001Z");
        assert_eq!(rfc3339(Millis::MIN), "0001-01-01T00:00:00.000Z");
        assert!(rfc3339(Millis::MAX).starts_with("9999-12-30"));
    }
}
