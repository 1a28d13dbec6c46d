//! Events: the facts that rooms' logs record.

use std::sync::Arc;

use crate::{
    Millis,
    ids::{FeedbackId, SessionId, UserId},
    json::JsonObject,
    role::Role,
    session::Session,
};

/// A fact that a log's entry records. The first four kinds are in the logs of sessions, the others in those of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The session was created or replaced.
    SessionUpdated {
        /// The session after the update.
        session: Arc<Session>,
        /// The users who were participants before the update and are not after it.
        removed: Vec<UserId>,
    },
    /// A user got a role. A user who was not a participant became one.
    RoleSelected {
        /// The user who got the role.
        user: UserId,
        /// The new role; it replaces any earlier one.
        role: Role,
    },
    /// Feedback was created or changed.
    FeedbackUpdated {
        /// The feedback that was created or changed.
        feedback: FeedbackId,
        /// The changed fields, as the backend gave them.
        updates: JsonObject,
        /// The created feedback; `None` if none was created.
        new_feedback: Option<JsonObject>,
        /// The time of the change, as the backend gave it: milliseconds since the Unix epoch.
        timestamp: Millis,
    },
    /// A user is no longer a participant. Browsers see no event for it, except `session-revoked` for the removed user.
    ParticipantRemoved {
        /// The removed user.
        user: UserId,
    },
    /// The user has pending feedback for a session.
    FeedbackRequired {
        /// The session that the feedback is about.
        session: SessionId,
    },
    /// The user's feedback for a session is no longer pending. Browsers see no event for it.
    FeedbackSettled {
        /// The session that the feedback is about.
        session: SessionId,
    },
    /// Every socket that the user had at this position must be closed.
    UserDisconnected {
        /// The backend's reason; may be empty.
        reason: String,
    },
}

impl Event {
    /// The users who are no longer participants after this event.
    #[must_use]
    pub fn removed(&self) -> &[UserId] {
        match self {
            Self::SessionUpdated { removed, .. } => removed,
            Self::ParticipantRemoved { user } => std::slice::from_ref(user),
            Self::RoleSelected { .. }
            | Self::FeedbackUpdated { .. }
            | Self::FeedbackRequired { .. }
            | Self::FeedbackSettled { .. }
            | Self::UserDisconnected { .. } => &[],
        }
    }
}
