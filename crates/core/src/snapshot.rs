//! The state of a room, how events change it, and its position.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    event::Event,
    ids::{SessionId, UserId},
    position::{Offset, Position},
    session::{Participant, Session},
};

/// The state of a room after all entries of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomState {
    /// The state of a session's room: the session.
    Session(Arc<Session>),
    /// The state of a user's room.
    User {
        /// The sessions for which the user has pending feedback.
        pending_feedback: BTreeSet<SessionId>,
    },
}

impl RoomState {
    /// Applies the event of the entry at `offset`.
    pub fn fold(&mut self, offset: Offset, event: &Event) {
        match self {
            Self::Session(session) => match event {
                Event::SessionUpdated { session: new, .. } => *session = new.clone(),
                Event::RoleSelected { .. }
                | Event::FeedbackUpdated { .. }
                | Event::ParticipantRemoved { .. }
                | Event::FeedbackRequired { .. }
                | Event::FeedbackSettled { .. }
                | Event::UserDisconnected { .. } => Arc::make_mut(session).fold(offset, event),
            },
            Self::User { pending_feedback } => match event {
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

impl Session {
    /// Applies the event of the entry at `offset`. The store, the edges and the reference model of the tests all use
    /// this function, so that they agree on the state after each entry.
    pub fn fold(&mut self, offset: Offset, event: &Event) {
        match event {
            Event::SessionUpdated { session, .. } => *self = Self::clone(session),
            Event::RoleSelected { user, role } => {
                self.revision += 1;
                let participant = self.participants.iter_mut().find(|other| other.user == *user);
                match participant {
                    Some(participant) => participant.role = *role,
                    None => self.participants.push(Participant {
                        user: user.clone(),
                        role: *role,
                        added_at: offset,
                    }),
                }
            }
            Event::ParticipantRemoved { user } => {
                self.revision += 1;
                self.participants.retain(|participant| participant.user != *user);
            }
            Event::FeedbackUpdated { .. }
            | Event::FeedbackRequired { .. }
            | Event::FeedbackSettled { .. }
            | Event::UserDisconnected { .. } => {}
        }
    }
}

/// The state of a room at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The position of the last entry that the state includes.
    pub position: Position,
    /// The state after that entry.
    pub state: RoomState,
}

/// A session as a store returns it to a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// The tail of its log.
    pub position: Position,
    /// The users with pending feedback for the session.
    pub pending_feedback: BTreeSet<UserId>,
}
