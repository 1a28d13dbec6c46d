//! Logs on the link: entries, slices and snapshots. JSON stays text, because edges pass it on unchanged.

use std::{collections::BTreeSet, fmt, sync::Arc};

use roomcast_core::{
    Entry, Epoch, Event, FeedbackId, JsonObject, LogSlice, Mark, Offset, Participant, RoomId, RoomState,
    Session, SessionId, Snapshot, UserId,
};

use crate::{
    Invalid, position, session, v1,
    v1::{log_entry, room_snapshot::State},
    violation::Fields,
};

impl From<&Entry> for v1::LogEntry {
    fn from(entry: &Entry) -> Self {
        let body = match &entry.event {
            Event::SessionUpdated { session, removed } => {
                log_entry::Body::SessionUpdated(v1::LinkSessionUpdated {
                    session: Some((&**session).into()),
                    removed_user_ids: removed.iter().map(ToString::to_string).collect(),
                })
            }
            Event::RoleSelected { user, role } => log_entry::Body::RoleSelected(v1::LinkRoleSelected {
                user_id: user.to_string(),
                role: v1::Role::from(*role).into(),
            }),
            Event::FeedbackUpdated {
                feedback,
                updates,
                new_feedback,
                timestamp,
            } => log_entry::Body::FeedbackUpdated(v1::LinkFeedbackUpdated {
                feedback_id: feedback.to_string(),
                updates_json: updates.as_str().to_owned(),
                new_feedback_json: new_feedback.as_ref().map(|created| created.as_str().to_owned()),
                timestamp_ms: *timestamp,
            }),
            Event::ParticipantRemoved { user } => log_entry::Body::ParticipantRemoved(user.to_string()),
            Event::FeedbackRequired { session } => log_entry::Body::FeedbackRequired(session.to_string()),
            Event::FeedbackSettled { session } => log_entry::Body::FeedbackSettled(session.to_string()),
            Event::UserDisconnected { reason } => log_entry::Body::UserDisconnected(reason.clone()),
        };
        let (offset, published_at_ms) = (entry.position.offset.0, entry.published_at);
        Self {
            offset,
            published_at_ms,
            body: Some(body),
        }
    }
}

impl From<&Session> for v1::LinkSession {
    fn from(session: &Session) -> Self {
        let participant = |participant: &Participant| v1::LinkParticipant {
            user_id: participant.user.to_string(),
            role: v1::Role::from(participant.role).into(),
            added_at: participant.added_at.0,
        };
        Self {
            id: session.id.to_string(),
            status: session.status.to_string(),
            participants: session.participants.iter().map(participant).collect(),
            attributes_json: session.attributes.as_str().to_owned(),
            revision: session.revision,
        }
    }
}

impl From<&LogSlice> for v1::ReadLogResponse {
    fn from(slice: &LogSlice) -> Self {
        Self {
            epoch: slice.epoch.to_string(),
            first: slice.first.0,
            tail: slice.tail.0,
            entries: slice.entries.iter().map(|entry| (&**entry).into()).collect(),
            after: slice.after.0,
            after_mark: slice.after_mark.bits(),
        }
    }
}

impl TryFrom<v1::ReadLogResponse> for LogSlice {
    type Error = Invalid;
    fn try_from(from: v1::ReadLogResponse) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let epoch = position::epoch(&mut fields, "epoch", &from.epoch);
        let slice = epoch.and_then(|epoch| {
            let entries = decode_entries(&mut fields, epoch, from.entries)?;
            Some(Self {
                epoch,
                first: Offset(from.first),
                tail: Offset(from.tail),
                after: Offset(from.after),
                after_mark: Mark::from_bits(from.after_mark),
                entries,
            })
        });
        fields.finish(slice)
    }
}

pub(crate) fn encode_snapshot(room: &RoomId, snapshot: &Snapshot, reset: bool) -> v1::RoomSnapshot {
    let state = match &snapshot.state {
        RoomState::Session(session) => State::Session((&**session).into()),
        RoomState::User { pending_feedback } => State::PendingFeedback(v1::PendingFeedback {
            session_ids: pending_feedback.iter().map(ToString::to_string).collect(),
        }),
    };
    v1::RoomSnapshot {
        room: room.to_string(),
        position: Some(snapshot.position.into()),
        state: Some(state),
        reset,
        position_mark: snapshot.position.mark.bits(),
    }
}

pub(crate) fn decode_snapshot(fields: &mut Fields, from: v1::RoomSnapshot) -> Option<(RoomId, Snapshot)> {
    let room = fields.check("snapshot.room", from.room.parse::<RoomId>());
    let position = position::required(fields, "snapshot.position", from.position.as_ref());
    let position = position.map(|position| position.marked(Mark::from_bits(from.position_mark)));
    let state = match from.state {
        Some(State::Session(from)) => {
            let session = session(fields, "snapshot.session", from);
            session.map(|session| RoomState::Session(session.into()))
        }
        Some(State::PendingFeedback(from)) => {
            let ids = from.session_ids.into_iter().map(SessionId::try_from);
            let ids = ids.collect::<Result<BTreeSet<_>, _>>();
            let pending_feedback = fields.check("snapshot.pending_feedback", ids);
            pending_feedback.map(|pending_feedback| RoomState::User { pending_feedback })
        }
        None => {
            fields.add("snapshot.state", "is required");
            None
        }
    };
    let (room, (position, state)) = room.zip(position.zip(state))?;
    Some((room, Snapshot { position, state }))
}

/// Consecutive entries in order. Anything else is a violation, so that a feed never receives it.
pub(crate) fn decode_entries(
    fields: &mut Fields,
    epoch: Epoch,
    from: Vec<v1::LogEntry>,
) -> Option<Vec<Arc<Entry>>> {
    let mut entries = Vec::with_capacity(from.len());
    for from in from {
        let entry = decode_entry(fields, epoch, from)?;
        entries.push(Arc::new(entry));
    }
    if entries
        .windows(2)
        .any(|pair| pair[1].position.offset != pair[0].position.offset.next())
    {
        fields.add("entries", "are not consecutive");
        return None;
    }
    Some(entries)
}

fn decode_entry(fields: &mut Fields, epoch: Epoch, from: v1::LogEntry) -> Option<Entry> {
    let path = |name| EntryPath {
        offset: from.offset,
        name,
    };
    let event = match from.body {
        Some(log_entry::Body::SessionUpdated(from)) => session_updated(fields, path, from)?,
        Some(log_entry::Body::RoleSelected(from)) => {
            let user = fields.check(path("user_id"), UserId::try_from(from.user_id));
            let (user, role) = user.zip(session::role(fields, path("role"), from.role))?;
            Event::RoleSelected { user, role }
        }
        Some(log_entry::Body::FeedbackUpdated(from)) => feedback_updated(fields, path, from)?,
        Some(log_entry::Body::ParticipantRemoved(id)) => Event::ParticipantRemoved {
            user: fields.check(path("participant_removed"), UserId::try_from(id))?,
        },
        Some(log_entry::Body::FeedbackRequired(id)) => Event::FeedbackRequired {
            session: fields.check(path("feedback_required"), SessionId::try_from(id))?,
        },
        Some(log_entry::Body::FeedbackSettled(id)) => Event::FeedbackSettled {
            session: fields.check(path("feedback_settled"), SessionId::try_from(id))?,
        },
        Some(log_entry::Body::UserDisconnected(reason)) => Event::UserDisconnected { reason },
        None => {
            fields.add(path("body"), "is required");
            return None;
        }
    };
    Some(Entry::new(
        epoch,
        Offset(from.offset),
        from.published_at_ms,
        event,
    ))
}

fn session_updated(
    fields: &mut Fields,
    path: impl Fn(&'static str) -> EntryPath,
    from: v1::LinkSessionUpdated,
) -> Option<Event> {
    let session = match from.session {
        Some(from) => session(fields, path("session"), from),
        None => {
            fields.add(path("session"), "is required");
            None
        }
    };
    let removed = from.removed_user_ids.into_iter().map(UserId::try_from);
    let removed = fields.check(path("removed_user_ids"), removed.collect::<Result<_, _>>());
    let (session, removed) = session.zip(removed)?;
    Some(Event::SessionUpdated {
        session: Arc::new(session),
        removed,
    })
}

fn feedback_updated(
    fields: &mut Fields,
    path: impl Fn(&'static str) -> EntryPath,
    from: v1::LinkFeedbackUpdated,
) -> Option<Event> {
    let feedback = fields.check(path("feedback_id"), FeedbackId::try_from(from.feedback_id));
    let updates = fields.check(path("updates_json"), JsonObject::parse(&from.updates_json));
    let created = from
        .new_feedback_json
        .as_deref()
        .map(JsonObject::parse)
        .transpose();
    let new_feedback = fields.check(path("new_feedback_json"), created);
    let (feedback, (updates, new_feedback)) = feedback.zip(updates.zip(new_feedback))?;
    Some(Event::FeedbackUpdated {
        feedback,
        updates,
        new_feedback,
        timestamp: from.timestamp_ms,
    })
}

/// The path of a field of an entry. It is formatted only for violations, because most entries have none.
#[derive(Clone, Copy)]
struct EntryPath {
    offset: u64,
    name: &'static str,
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entries[offset {}].{}", self.offset, self.name)
    }
}

fn session(fields: &mut Fields, path: impl fmt::Display, from: v1::LinkSession) -> Option<Session> {
    let id = fields.check(format_args!("{path}.id"), SessionId::try_from(from.id));
    let attributes = fields.check(
        format_args!("{path}.attributes_json"),
        JsonObject::parse(&from.attributes_json),
    );
    let mut participants = Vec::with_capacity(from.participants.len());
    for (n, from) in from.participants.into_iter().enumerate() {
        let user = fields.check(
            format_args!("{path}.participants[{n}].user_id"),
            UserId::try_from(from.user_id),
        );
        let role = session::role(fields, format_args!("{path}.participants[{n}].role"), from.role);
        let (user, role) = user.zip(role)?;
        participants.push(Participant {
            user,
            role,
            added_at: Offset(from.added_at),
        });
    }
    let (id, attributes) = id.zip(attributes)?;
    Some(Session {
        id,
        status: from.status.into(),
        participants,
        attributes,
        revision: from.revision,
    })
}
