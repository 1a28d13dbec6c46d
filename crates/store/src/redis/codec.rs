//! Entries and state as Redis holds them: fields separated by line feeds. Free text is held as JSON, which has no
//! raw line feed.

use std::{str::FromStr, sync::Arc};

use roomcast_core::{
    Entry, Event, JsonObject, Mark, Millis, Offset, Participant, Position, RoomId, Session, SessionId,
    UserId, json,
};

use crate::StoreError;

/// Free text as Redis holds it.
pub(super) fn held(text: &str) -> String {
    json::string(text)
}

fn text(held: &str) -> Result<String, StoreError> {
    serde_json::from_str(held).map_err(|_| corrupt("a text", held))
}

/// What can't be read is named by its kind alone: it may hold what must not be logged.
pub(super) fn corrupt(what: &str, found: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} can't be read ({} bytes)", found.len()))
}

pub(super) fn parse<T: FromStr>(what: &str, found: &str) -> Result<T, StoreError> {
    found.parse().map_err(|_| corrupt(what, found))
}

pub(super) fn object(found: &str) -> Result<JsonObject, StoreError> {
    JsonObject::parse(found).map_err(|_| corrupt("a JSON object", found))
}

/// `at` is when the entry there was appended, where it is known.
pub(super) fn position(epoch: &str, offset: &str, at: Option<&str>) -> Result<Position, StoreError> {
    let place = Position::new(parse("an epoch", epoch)?, Offset(parse("an offset", offset)?));
    Ok(place.marked(mark(at)?))
}

/// The mark of the entry that was appended then.
pub(super) fn mark(at: Option<&str>) -> Result<Mark, StoreError> {
    at.map_or(Ok(Mark::UNKNOWN), |at| parse("a time", at).map(Mark::of))
}

/// A session's parts as the state holds them.
pub(super) struct SessionParts<'a> {
    pub(super) revision: &'a str,
    pub(super) status: &'a str,
    pub(super) attributes: &'a str,
}

impl SessionParts<'_> {
    pub(super) fn session(
        &self,
        id: &SessionId,
        participants: Vec<Participant>,
    ) -> Result<Session, StoreError> {
        Ok(Session {
            id: id.clone(),
            status: text(self.status)?.into(),
            participants,
            attributes: object(self.attributes)?,
            revision: parse("a revision", self.revision)?,
        })
    }
}

/// Reads `role,since` and what follows a further comma.
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
        body(room, kind, rest)?,
    )))
}

fn body(room: &RoomId, kind: &str, fields: &[&str]) -> Result<Event, StoreError> {
    Ok(match (room, kind, fields) {
        (RoomId::Session(id), "session-updated", &[revision, status, attributes, people, removed]) => {
            let people = people.split_terminator(' ').map(|person| {
                let (user, value) = person
                    .split_once(',')
                    .ok_or_else(|| corrupt("a participant", person))?;
                participant(user, value).map(|(participant, _)| participant)
            });
            let session = SessionParts {
                revision,
                status,
                attributes,
            }
            .session(id, people.collect::<Result<_, _>>()?)?;
            let removed = removed
                .split_terminator(' ')
                .map(|user| parse::<UserId>("a user", user));
            Event::SessionUpdated {
                session: Arc::new(session),
                removed: removed.collect::<Result<_, _>>()?,
            }
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
        (_, "feedback-given", &[session]) => Event::FeedbackSettled {
            session: parse("a session", session)?,
        },
        (_, "user-disconnected", &[reason]) => Event::UserDisconnected {
            reason: text(reason)?,
        },
        _ => return Err(corrupt("an entry's kind", kind)),
    })
}
