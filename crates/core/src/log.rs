//! A room's log: its entries, and what one read of it returns.

use std::sync::Arc;

use crate::{
    Millis,
    event::Event,
    position::{Epoch, Mark, Offset, Position},
};

/// One entry of a room's log: an event with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The entry's position in the log: epoch, offset and mark.
    pub position: Position,
    /// When the store appended the entry, by the store's clock, in milliseconds since the Unix epoch.
    pub published_at: Millis,
    /// The fact that the entry records.
    pub event: Event,
}

impl Entry {
    /// Makes an entry; its position gets the mark that follows from `published_at`.
    #[must_use]
    pub fn new(epoch: Epoch, offset: Offset, published_at: Millis, event: Event) -> Self {
        Self {
            position: Position::new(epoch, offset).marked(Mark::of(published_at)),
            published_at,
            event,
        }
    }
}

/// The result of one read of a log after an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    /// The log's epoch; [`Epoch::NONE`] if the room has no log.
    pub epoch: Epoch,
    /// The oldest offset that is still in the log; `tail` + 1 if the log has no entries.
    pub first: Offset,
    /// The last offset written.
    pub tail: Offset,
    /// The exclusive lower bound of the read.
    pub after: Offset,
    /// The mark of the entry at `after`, if that entry is still in the log or was the last one.
    pub after_mark: Mark,
    /// The entries after `after`, in order and without gaps. If a limit of the read cut them short, they end before
    /// `tail`.
    pub entries: Vec<Arc<Entry>>,
}

impl LogSlice {
    /// The result of a read of a room without a log.
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

    /// Whether a reader that has every entry up to `after` can continue with this slice without a gap.
    #[must_use]
    pub fn continues(&self, after: Position) -> bool {
        let same_epoch = self.epoch == after.epoch || after == Position::NONE;
        let same_entry = self.mark(after.offset).agrees(after.mark);
        same_epoch && same_entry && self.tail >= after.offset && self.first <= after.offset.next()
    }

    /// Whether the log did not contain the entry at this position when it was read: its tail was before it, or another
    /// entry had its offset.
    #[must_use]
    pub fn contradicts(&self, at: Position) -> bool {
        self.epoch == at.epoch && (self.tail < at.offset || !self.mark(at.offset).agrees(at.mark))
    }

    /// The mark of the entry at this offset, or [`Mark::UNKNOWN`] if the slice does not show it.
    fn mark(&self, offset: Offset) -> Mark {
        if offset == self.after {
            return self.after_mark;
        }
        let entry = self.entries.iter().find(|entry| entry.position.offset == offset);
        entry.map_or(Mark::UNKNOWN, |entry| entry.position.mark)
    }
}
