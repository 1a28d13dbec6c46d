//! What backends ask of a session, and the rules that say yes or no. The Redis store applies the same rules in
//! one atomic step of its own; the contract suite compares the two.

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

/// A change of one session that appends one entry to its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Creates or replaces the session.
    Publish {
        /// The new status.
        status: Arc<str>,
        /// The new participants, each user once and each single seat at most once; `None`: unchanged.
        participants: Option<Vec<(UserId, Role)>>,
        /// The new attributes.
        attributes: JsonObject,
        /// The revision that the session must have; 0: it must not exist.
        expected_revision: Option<u64>,
    },
    /// Gives the user a role.
    SelectRole {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// Tells of feedback.
    UpdateFeedback {
        /// Which feedback.
        feedback: FeedbackId,
        /// Whose obligation ends by it.
        author: Option<UserId>,
        /// The changed fields.
        updates: JsonObject,
        /// The new feedback, where one was created.
        new_feedback: Option<JsonObject>,
        /// When; `None`: when the store appends it.
        timestamp: Option<Millis>,
    },
    /// Takes the user out of the session.
    RemoveParticipant {
        /// Who.
        user: UserId,
    },
}

/// A rule's no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandDenial {
    /// There is no such session.
    #[error("the session does not exist: create it with PublishSessionUpdate")]
    SessionNotFound,
    /// The one seat of the role is taken by someone else.
    #[error("the role {0} is taken by another participant")]
    RoleTaken(Role),
    /// The session has another revision than the caller expected.
    #[error("the session is at revision {current}: read it again and decide anew")]
    RevisionMismatch {
        /// The revision that it has; 0 where it does not exist.
        current: u64,
    },
    /// The user takes no part in the session.
    #[error("the user takes no part in the session")]
    NotAParticipant,
    /// The event would be larger than the cap.
    #[error("the event's payload would have {bytes} bytes as JSON: at most {limit} are allowed")]
    PayloadTooLarge {
        /// What it would have.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// The request id was used before, with another request.
    #[error("the request id was used before with another request: choose a new one")]
    RequestIdReused,
}

/// Decides what `command` appends at the offset `at`, given the session as it stands; `now` is the store's clock.
///
/// # Errors
/// A [`CommandDenial`], and then nothing changes.
pub fn decide(
    id: &SessionId,
    session: Option<&Session>,
    command: &SessionCommand,
    at: Offset,
    now: Millis,
    max_payload: usize,
) -> Result<Event, CommandDenial> {
    let existing = || session.ok_or(CommandDenial::SessionNotFound);
    let body = match command {
        SessionCommand::Publish {
            status,
            participants,
            attributes,
            expected_revision,
        } => {
            let current = session.map_or(0, |session| session.revision);
            if expected_revision.is_some_and(|expected| expected != current) {
                return Err(CommandDenial::RevisionMismatch { current });
            }
            let before = session.map_or(&[][..], |session| &session.participants);
            let after = match participants {
                None => before.to_vec(),
                Some(listed) => listed
                    .iter()
                    .map(|(user, role)| admit(before, user, *role, at))
                    .collect(),
            };
            let stays = |user: &UserId| after.iter().any(|participant| participant.user == *user);
            let removed = before
                .iter()
                .filter(|p| !stays(&p.user))
                .map(|p| p.user.clone())
                .collect();
            let session = Session {
                id: id.clone(),
                status: status.clone(),
                participants: after,
                attributes: attributes.clone(),
                revision: current + 1,
            };
            Event::SessionUpdated {
                session: Arc::new(session),
                removed,
            }
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
    let bytes = browser_event::session_event(id, &body).map_or(0, |event| event.payload.len());
    if bytes > max_payload {
        return Err(CommandDenial::PayloadTooLarge {
            bytes,
            limit: max_payload,
        });
    }
    Ok(body)
}

fn admit(before: &[Participant], user: &UserId, role: Role, at: Offset) -> Participant {
    let added_at = before
        .iter()
        .find(|participant| participant.user == *user)
        .map_or(at, |p| p.added_at);
    Participant {
        user: user.clone(),
        role,
        added_at,
    }
}
