//! Events: the facts that a room's log holds.

use std::sync::Arc;

use crate::{
    Millis,
    ids::{FeedbackId, SessionId, UserId},
    json::JsonObject,
    position::{Epoch, Mark, Offset, Position},
    role::Role,
    session::Session,
};

/// One entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// When the store appended it: milliseconds since the Unix epoch, by the store's clock.
    pub published_at: Millis,
    /// What it says.
    pub event: Event,
}

impl Entry {
    /// The entry at this place; its position gets its mark.
    #[must_use]
    pub fn new(epoch: Epoch, offset: Offset, published_at: Millis, event: Event) -> Self {
        Self {
            position: Position::new(epoch, offset).marked(Mark::of(published_at)),
            published_at,
            event,
        }
    }
}

/// What an entry says. The first four stand in a session's log, the others in a user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The session was created or replaced.
    SessionUpdated {
        /// The session after it.
        session: Arc<Session>,
        /// Who took part before and does not any more.
        removed: Vec<UserId>,
    },
    /// A user takes part in a role.
    RoleSelected {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// Feedback was created or changed.
    FeedbackUpdated {
        /// Which feedback.
        feedback: FeedbackId,
        /// The changed fields.
        updates: JsonObject,
        /// The new feedback, where one was created.
        new_feedback: Option<JsonObject>,
        /// When it changed, by the backend's word: milliseconds since the Unix epoch.
        timestamp: Millis,
    },
    /// A user takes part no more. Browsers see no event of it but `session-revoked`, and only the removed one's.
    ParticipantRemoved {
        /// Who.
        user: UserId,
    },
    /// The user owes feedback for a session.
    FeedbackRequired {
        /// The session.
        session: SessionId,
    },
    /// The user owes feedback for a session no more. Browsers see no event of it.
    FeedbackSettled {
        /// The session.
        session: SessionId,
    },
    /// Every socket that the user had when this was appended is to be closed.
    UserDisconnected {
        /// Why, in the backend's words; may be empty.
        reason: String,
    },
}

impl Event {
    /// Who is out of the session by this entry.
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

/// What one read of a log after an offset found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    /// The life of the log; [`Epoch::NONE`] where there is no log.
    pub epoch: Epoch,
    /// The oldest offset that is still in the log; the one after `tail` where none is.
    pub first: Offset,
    /// The last offset written.
    pub tail: Offset,
    /// The offset that was asked for.
    pub after: Offset,
    /// The mark of the entry there, where it is still in the log or was the last.
    pub after_mark: Mark,
    /// The entries after the offset that was asked for, in order and without holes; a prefix of them where
    /// the read's cap cut it.
    pub entries: Vec<Arc<Entry>>,
}

impl LogSlice {
    /// What a read after an offset finds where there is no log.
    #[must_use]
    pub fn of_no_log(after: Offset) -> Self {
        Self {
            epoch: Epoch::NONE,
            first: Offset::ZERO.next(),
            tail: Offset::ZERO,
            after,
            after_mark: Mark::UNKNOWN,
            entries: Vec::new(),
        }
    }

    /// Whether a reader that has everything up to `after` can go on from this slice without a gap.
    #[must_use]
    pub fn continues(&self, after: Position) -> bool {
        let same_life = self.epoch == after.epoch || after == Position::NONE;
        let same_entry = self.mark(after.offset).agrees(after.mark);
        same_life && same_entry && self.tail >= after.offset && self.first <= after.offset.next()
    }

    /// Whether that position was not in the log when this was read, or another entry stood there.
    #[must_use]
    pub fn contradicts(&self, at: Position) -> bool {
        self.epoch == at.epoch && (self.tail < at.offset || !self.mark(at.offset).agrees(at.mark))
    }

    /// The mark of the entry at this offset, where the slice shows it.
    fn mark(&self, offset: Offset) -> Mark {
        if offset == self.after {
            return self.after_mark;
        }
        let entry = self.entries.iter().find(|entry| entry.position.offset == offset);
        entry.map_or(Mark::UNKNOWN, |entry| entry.position.mark)
    }
}
