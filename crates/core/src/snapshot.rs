//! A room's state together with the position at which it is true.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    event::Body,
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
        owed: BTreeSet<SessionId>,
    },
}

impl RoomState {
    /// Applies the entry at `offset`.
    pub fn fold(&mut self, offset: Offset, body: &Body) {
        match self {
            Self::Session(session) => match body {
                Body::SessionUpdated { session: new, .. } => *session = new.clone(),
                Body::RoleSelected { .. }
                | Body::FeedbackUpdated { .. }
                | Body::ParticipantRemoved { .. }
                | Body::FeedbackRequired { .. }
                | Body::FeedbackGiven { .. }
                | Body::UserDisconnected { .. } => Arc::make_mut(session).fold(offset, body),
            },
            Self::User { owed } => match body {
                Body::FeedbackRequired { session } => {
                    owed.insert(session.clone());
                }
                Body::FeedbackGiven { session } => {
                    owed.remove(session);
                }
                Body::SessionUpdated { .. }
                | Body::RoleSelected { .. }
                | Body::FeedbackUpdated { .. }
                | Body::ParticipantRemoved { .. }
                | Body::UserDisconnected { .. } => {}
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
    pub open_feedback: BTreeSet<UserId>,
}
