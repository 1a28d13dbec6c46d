//! The state of a session and its participants.

use std::sync::Arc;

use crate::{
    ids::{SessionId, UserId},
    json::JsonObject,
    position::Offset,
    role::Role,
};

/// A user who takes part in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The user who takes part in the session.
    pub user: UserId,
    /// The user's only role in the session.
    pub role: Role,
    /// The offset of the entry that made the user a participant. Earlier entries are not replayed to them.
    pub added_at: Offset,
}

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The status in the backend's own terms, such as `scheduled`: 1 to 128 bytes.
    pub status: Arc<str>,
    /// The participants, each user once: those of the last update in its order, then later ones.
    pub participants: Vec<Participant>,
    /// The backend's own fields.
    pub attributes: JsonObject,
    /// The number of changes of status, participants and attributes; 1 after the creation.
    pub revision: u64,
}

impl Session {
    /// The participant with this user id, if any.
    #[must_use]
    pub fn participant(&self, user: &UserId) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.user == *user)
    }

    /// The user who holds `role`, if the role is exclusive and taken.
    #[must_use]
    pub fn holder(&self, role: Role) -> Option<&UserId> {
        let holds = |participant: &&Participant| role.is_exclusive() && participant.role == role;
        self.participants
            .iter()
            .find(holds)
            .map(|participant| &participant.user)
    }
}
