//! A session as it stands, and how entries of its log change it.

use std::sync::Arc;

use crate::{
    event::Event,
    ids::{SessionId, UserId},
    json::JsonObject,
    position::Offset,
    role::Role,
};

/// One who takes part in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// The entry since which they take part; nothing before it is replayed to them.
    pub added_at: Offset,
}

/// A session as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// The backend's word for where it stands, such as `scheduled`.
    pub status: Arc<str>,
    /// Who takes part, in the order in which the backend listed them; later ones last.
    pub participants: Vec<Participant>,
    /// The backend's own fields.
    pub attributes: JsonObject,
    /// Counts the changes of status, participants and attributes, from 1.
    pub revision: u64,
}

impl Session {
    /// The participant that `user` is, if any.
    #[must_use]
    pub fn participant(&self, user: &UserId) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.user == *user)
    }

    /// Who has the one seat of `role`.
    #[must_use]
    pub fn holder(&self, role: Role) -> Option<&UserId> {
        let taken = |participant: &&Participant| role.is_exclusive() && participant.role == role;
        self.participants
            .iter()
            .find(taken)
            .map(|participant| &participant.user)
    }

    /// Applies the entry at `offset`. A session after an entry is the session before it, folded: the store,
    /// the edges and the reference model of the tests agree on it by this one function.
    pub fn fold(&mut self, offset: Offset, body: &Event) {
        match body {
            Event::SessionUpdated { session, .. } => *self = Self::clone(session),
            Event::RoleSelected { user, role } => {
                self.revision += 1;
                match self
                    .participants
                    .iter_mut()
                    .find(|participant| participant.user == *user)
                {
                    Some(participant) => participant.role = *role,
                    None => {
                        let participant = Participant {
                            user: user.clone(),
                            role: *role,
                            added_at: offset,
                        };
                        self.participants.push(participant);
                    }
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
