//! Entries and state as Redis stores them: fields separated by line feeds. Free text is stored as JSON, which
//! contains no raw line feed.

use std::{str::FromStr, sync::Arc};

use redis::{FromRedisValue, Value};
use roomcast_core::{
    Entry, Event, JsonObject, Mark, Millis, Offset, Participant, Position, RoomId, Session, SessionId,
    UserId, json,
};

use crate::store::StoreError;

/// Free text as Redis stores it.
pub(super) fn encoded(text: &str) -> String {
    json::string(text)
}

fn decoded(stored: &str) -> Result<String, StoreError> {
    serde_json::from_str(stored).map_err(|_| corrupt("a text", stored))
}

/// An error that names the kind and the size of the unreadable data. It must not contain the data, because errors are
/// logged.
pub(super) fn corrupt(kind: &str, data: &str) -> StoreError {
    StoreError::Corrupt(format!("cannot read {kind} ({} bytes)", data.len()))
}

/// An error about a response whose shape is wrong.
pub(super) fn corrupt_response() -> StoreError {
    corrupt("a response", "")
}

/// Converts a response of Redis.
pub(super) fn typed<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    redis::from_redis_value(value).map_err(|_| corrupt_response())
}

pub(super) fn parse<T: FromStr>(kind: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| corrupt(kind, text))
}

fn object(text: &str) -> Result<JsonObject, StoreError> {
    JsonObject::parse(text).map_err(|_| corrupt("a JSON object", text))
}

/// `published_at` is the time of the entry at the position; without it the position has no mark.
pub(super) fn position(
    epoch: &str,
    offset: &str,
    published_at: Option<&str>,
) -> Result<Position, StoreError> {
    let position = Position::new(parse("an epoch", epoch)?, Offset(parse("an offset", offset)?));
    Ok(position.marked(mark(published_at)?))
}

/// The mark of the entry with this time.
pub(super) fn mark(published_at: Option<&str>) -> Result<Mark, StoreError> {
    published_at.map_or(Ok(Mark::UNKNOWN), |at| parse("a time", at).map(Mark::of))
}

/// The fields of a session in its state and in entries.
pub(super) struct SessionFields<'a> {
    pub(super) revision: &'a str,
    pub(super) status: &'a str,
    pub(super) attributes: &'a str,
}

impl SessionFields<'_> {
    pub(super) fn session(
        &self,
        id: &SessionId,
        participants: Vec<Participant>,
    ) -> Result<Session, StoreError> {
        Ok(Session {
            id: id.clone(),
            status: decoded(self.status)?.into(),
            participants,
            attributes: object(self.attributes)?,
            revision: parse("a revision", self.revision)?,
        })
    }
}

/// Reads `role,added_at` and returns the rest after a further comma too.
pub(super) fn participant<'a>(user: &str, value: &'a str) -> Result<(Participant, &'a str), StoreError> {
    let mut parts = value.splitn(3, ',');
    let (Some(role), Some(added_at)) = (parts.next(), parts.next()) else {
        return Err(corrupt("a participant", value));
    };
    let participant = Participant {
        user: parse("a user", user)?,
        role: parse("a role", role)?,
        added_at: Offset(parse("an offset", added_at)?),
    };
    Ok((participant, parts.next().unwrap_or("")))
}

/// Reads an entry of the room's log.
pub(super) fn entry(room: &RoomId, line: &str) -> Result<Arc<Entry>, StoreError> {
    let fields: Vec<&str> = line.split('\n').collect();
    let [epoch, offset, published_at, kind, ref rest @ ..] = fields[..] else {
        return Err(corrupt("an entry", line));
    };
    Ok(Arc::new(Entry::new(
        parse("an epoch", epoch)?,
        Offset(parse("an offset", offset)?),
        parse::<Millis>("a time", published_at)?,
        event(room, kind, rest)?,
    )))
}

fn event(room: &RoomId, kind: &str, fields: &[&str]) -> Result<Event, StoreError> {
    Ok(match (room, kind, fields) {
        (RoomId::Session(id), "session-updated", &[revision, status, attributes, participants, removed]) => {
            let fields = SessionFields {
                revision,
                status,
                attributes,
            };
            session_updated(id, &fields, participants, removed)?
        }
        (_, "role-selected", &[user, role]) => Event::RoleSelected {
            user: parse("a user", user)?,
            role: parse("a role", role)?,
        },
        (_, "feedback-updated", &[feedback, timestamp, updates, new_feedback]) => Event::FeedbackUpdated {
            feedback: parse("a feedback", feedback)?,
            updates: object(updates)?,
            new_feedback: Some(new_feedback)
                .filter(|text| !text.is_empty())
                .map(object)
                .transpose()?,
            timestamp: parse("a time", timestamp)?,
        },
        (_, "participant-removed", &[user]) => Event::ParticipantRemoved {
            user: parse("a user", user)?,
        },
        (_, "feedback-required", &[session]) => Event::FeedbackRequired {
            session: parse("a session", session)?,
        },
        (_, "feedback-settled", &[session]) => Event::FeedbackSettled {
            session: parse("a session", session)?,
        },
        (_, "user-disconnected", &[reason]) => Event::UserDisconnected {
            reason: decoded(reason)?,
        },
        _ => return Err(corrupt("the kind of an entry", kind)),
    })
}

fn session_updated(
    id: &SessionId,
    fields: &SessionFields<'_>,
    participants: &str,
    removed: &str,
) -> Result<Event, StoreError> {
    let participants = participants.split_terminator(' ').map(|text| {
        let (user, value) = text
            .split_once(',')
            .ok_or_else(|| corrupt("a participant", text))?;
        participant(user, value).map(|(participant, _)| participant)
    });
    let session = fields.session(id, participants.collect::<Result<_, _>>()?)?;
    let removed = removed
        .split_terminator(' ')
        .map(|user| parse::<UserId>("a user", user));
    Ok(Event::SessionUpdated {
        session: Arc::new(session),
        removed: removed.collect::<Result<_, _>>()?,
    })
}
