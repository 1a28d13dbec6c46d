//! A room's state together with the position at which it is true.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    event::Event,
    ids::{SessionId, UserId},
    position::{Offset, Position},
    session::Session,
};

/// The state that a room's log adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomState {
    /// Of a session's room: the session.
    Session(Arc<Session>),
    /// Of a user's room: the sessions that the user owes feedback for.
    User {
        /// Those sessions.
        pending_feedback: BTreeSet<SessionId>,
    },
}

impl RoomState {
    /// Applies the entry at `offset`.
    pub fn fold(&mut self, offset: Offset, body: &Event) {
        match self {
            Self::Session(session) => match body {
                Event::SessionUpdated { session: new, .. } => *session = new.clone(),
                Event::RoleSelected { .. }
                | Event::FeedbackUpdated { .. }
                | Event::ParticipantRemoved { .. }
                | Event::FeedbackRequired { .. }
                | Event::FeedbackSettled { .. }
                | Event::UserDisconnected { .. } => Arc::make_mut(session).fold(offset, body),
            },
            Self::User { pending_feedback } => match body {
                Event::FeedbackRequired { session } => {
                    pending_feedback.insert(session.clone());
                }
                Event::FeedbackSettled { session } => {
                    pending_feedback.remove(session);
                }
                Event::SessionUpdated { .. }
                | Event::RoleSelected { .. }
                | Event::FeedbackUpdated { .. }
                | Event::ParticipantRemoved { .. }
                | Event::UserDisconnected { .. } => {}
            },
        }
    }
}

/// A room's state at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that the state includes.
    pub position: Position,
    /// The state.
    pub state: RoomState,
}

/// A session as a store gives it to a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// The last entry of its log.
    pub position: Position,
    /// Who owes feedback for it.
    pub pending_feedback: BTreeSet<UserId>,
}
