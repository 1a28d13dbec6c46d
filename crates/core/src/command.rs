//! The commands of backends on a session, and the rules that accept or deny them. The Redis store applies the same
//! rules in one atomic step of its own; the contract suite compares the two.

use std::sync::Arc;

use crate::{
    Millis, browser_event,
    event::Event,
    ids::{FeedbackId, SessionId, UserId},
    json::JsonObject,
    position::Offset,
    role::Role,
    session::{Participant, Session},
};

/// A change of one session. It appends one entry to the session's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Creates or replaces the session.
    Publish {
        /// The new status, in the backend's own terms.
        status: Arc<str>,
        /// The new participants, each user and each exclusive role at most once; `None`: unchanged.
        participants: Option<Vec<(UserId, Role)>>,
        /// The new attributes; they replace all earlier ones.
        attributes: JsonObject,
        /// The revision that the session must have; 0: it must not exist; `None`: any.
        expected_revision: Option<u64>,
    },
    /// Assigns a role; a user who is not a participant becomes one.
    SelectRole {
        /// The user who gets the role.
        user: UserId,
        /// The new role; it replaces any earlier one.
        role: Role,
    },
    /// Creates or changes feedback.
    UpdateFeedback {
        /// The feedback that is created or changed.
        feedback: FeedbackId,
        /// The user whose pending feedback for the session this settles.
        author: Option<UserId>,
        /// The changed fields; the core does not interpret them.
        updates: JsonObject,
        /// The created feedback; `None` if none was created.
        new_feedback: Option<JsonObject>,
        /// The time of the change, in milliseconds since the Unix epoch; `None`: the time of the append.
        timestamp: Option<Millis>,
    },
    /// Removes a participant.
    RemoveParticipant {
        /// The participant who is removed.
        user: UserId,
    },
}

/// Why a rule denies a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandDenial {
    /// The session does not exist.
    #[error("the session does not exist: create it with PublishSessionUpdate")]
    SessionNotFound,
    /// Another participant holds the exclusive role.
    #[error("the role {0} is taken by another participant: assign another role to that participant first")]
    RoleTaken(Role),
    /// The session does not have the expected revision.
    #[error("the session is at revision {current}: read it and send the update again")]
    RevisionMismatch {
        /// The session's revision; 0 if it does not exist.
        current: u64,
    },
    /// The user is not a participant of the session.
    #[error("the user is not a participant of the session")]
    NotAParticipant,
    /// The event's payload exceeds the limit.
    #[error("the event's payload has {bytes} bytes as JSON: the limit is {limit}")]
    PayloadTooLarge {
        /// The payload's size as JSON, in bytes.
        bytes: usize,
        /// The limit, in bytes, inclusive.
        limit: usize,
    },
    /// The request id was used with a different request.
    #[error("the request id was used with a different request: choose a new one")]
    RequestIdReused,
}

/// Decides which event `command` appends at the offset `at`, given the session's current state (`None`: it does not
/// exist). `now` is the store's time in milliseconds since the Unix epoch, `max_payload` a size in bytes of JSON.
///
/// # Errors
/// The reason why a rule denies the command; nothing changes.
pub fn decide(
    id: &SessionId,
    session: Option<&Session>,
    command: &SessionCommand,
    at: Offset,
    now: Millis,
    max_payload: usize,
) -> Result<Event, CommandDenial> {
    let existing = || session.ok_or(CommandDenial::SessionNotFound);
    let event = match command {
        SessionCommand::Publish {
            status,
            participants,
            attributes,
            expected_revision,
        } => {
            check_revision(session, *expected_revision)?;
            publish(id, session, status, participants.as_deref(), attributes, at)
        }
        SessionCommand::SelectRole { user, role } => {
            if existing()?.holder(*role).is_some_and(|holder| holder != user) {
                return Err(CommandDenial::RoleTaken(*role));
            }
            Event::RoleSelected {
                user: user.clone(),
                role: *role,
            }
        }
        SessionCommand::UpdateFeedback {
            feedback,
            updates,
            new_feedback,
            timestamp,
            ..
        } => {
            existing()?;
            Event::FeedbackUpdated {
                feedback: feedback.clone(),
                updates: updates.clone(),
                new_feedback: new_feedback.clone(),
                timestamp: timestamp.unwrap_or(now),
            }
        }
        SessionCommand::RemoveParticipant { user } => {
            existing()?
                .participant(user)
                .ok_or(CommandDenial::NotAParticipant)?;
            Event::ParticipantRemoved { user: user.clone() }
        }
    };
    check_payload(id, &event, max_payload)?;
    Ok(event)
}

fn check_revision(session: Option<&Session>, expected: Option<u64>) -> Result<(), CommandDenial> {
    let current = session.map_or(0, |session| session.revision);
    match expected {
        Some(expected) if expected != current => Err(CommandDenial::RevisionMismatch { current }),
        Some(_) | None => Ok(()),
    }
}

fn check_payload(id: &SessionId, event: &Event, max_payload: usize) -> Result<(), CommandDenial> {
    let bytes = browser_event::session_event(id, event).map_or(0, |event| event.payload.len());
    if bytes > max_payload {
        return Err(CommandDenial::PayloadTooLarge {
            bytes,
            limit: max_payload,
        });
    }
    Ok(())
}

/// The event of an update that replaces `session`. Participants that were listed before keep their `added_at`.
fn publish(
    id: &SessionId,
    session: Option<&Session>,
    status: &Arc<str>,
    listed: Option<&[(UserId, Role)]>,
    attributes: &JsonObject,
    at: Offset,
) -> Event {
    let before = session.map_or(&[][..], |session| &session.participants);
    let added_at = |user: &UserId| {
        let earlier = before.iter().find(|participant| participant.user == *user);
        earlier.map_or(at, |participant| participant.added_at)
    };
    let participants = match listed {
        None => before.to_vec(),
        Some(listed) => listed
            .iter()
            .map(|(user, role)| Participant {
                user: user.clone(),
                role: *role,
                added_at: added_at(user),
            })
            .collect(),
    };
    let is_removed = |user: &UserId| participants.iter().all(|participant| participant.user != *user);
    let removed = before
        .iter()
        .map(|participant| &participant.user)
        .filter(|user| is_removed(user))
        .cloned()
        .collect();
    Event::SessionUpdated {
        removed,
        session: Arc::new(Session {
            id: id.clone(),
            status: status.clone(),
            participants,
            attributes: attributes.clone(),
            revision: session.map_or(0, |session| session.revision) + 1,
        }),
    }
}
