//! The feed of one room: it turns notifications, which may be lost, repeated or out of order, and reads, which are
//! authoritative, into entries in order, each once, or a reset. Both sides of the link use it.
//!
//! A feed never delivers across a gap (I1), and never resets because of a notification: only a read is evidence.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    limits::HELD_ENTRIES,
    log::{Entry, LogSlice},
    position::{Offset, Position},
};

/// The inputs of a feed.
#[derive(Debug, Clone)]
pub enum Input {
    /// The room's state at this position is known, and entries after it are wanted. Starts the feed, or restarts it after
    /// a reset.
    Start(Position),
    /// A notification about an appended entry.
    Notification(Arc<Entry>),
    /// An entry from the link, which delivers in order. Because a new link can repeat entries or start later, the feed
    /// checks it like a notification.
    Entry(Arc<Entry>),
    /// The log's tail, read at some time after the feed was at `compared`. Notifications up to the tail may be lost.
    Tail {
        /// The feed's position when the tail was requested.
        compared: Position,
        /// The tail that was read.
        tail: Position,
    },
    /// The source was unavailable, and another source may have replaced it. Notifications and log entries may be lost.
    SourceLost,
    /// Further entries come from another source, which knows the feed's position. They may not fit the held entries.
    SourceChanged,
    /// The result of [`Action::Read`].
    ReadResult {
        /// The exclusive lower bound of the read.
        after: Position,
        /// What the read returned.
        slice: LogSlice,
    },
}

/// The outputs of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Deliver the next entry: its offset is the last one plus one.
    Deliver(Arc<Entry>),
    /// Read the log and respond with [`Input::ReadResult`].
    Read {
        /// The exclusive lower bound of the read.
        after: Position,
    },
    /// The feed cannot be continued: fetch a snapshot and respond with [`Input::Start`].
    Reset {
        /// The feed's last position.
        at: Position,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The feed has no position and holds the entries that it receives.
    Starting,
    /// Every entry up to the position was delivered.
    Live(Position),
    /// As `Live`, and a read is in progress.
    Reading(Position),
    /// As `Reading`, but nothing is delivered until a read shows that the entry at the position is still in the log.
    Verifying(Position),
}

/// The feed of one room.
#[derive(Debug)]
pub struct Feed {
    phase: Phase,
    /// Entries beyond the position, all of one epoch: at most [`HELD_ENTRIES`]; later ones are dropped and read again.
    held: BTreeMap<Offset, Arc<Entry>>,
    actions: VecDeque<Action>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            phase: Phase::Starting,
            held: BTreeMap::new(),
            actions: VecDeque::new(),
        }
    }
}

impl Feed {
    /// The position of the last delivered entry, or of the start; `None` before the start and after a reset.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self.phase {
            Phase::Starting => None,
            Phase::Live(position) | Phase::Reading(position) | Phase::Verifying(position) => Some(position),
        }
    }

    /// Handles an input. Take the resulting actions with [`Self::next_action`].
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Start(position) => {
                self.phase = Phase::Live(position);
                self.held.retain(|_, entry| {
                    let same_epoch = position == Position::NONE || entry.position.epoch == position.epoch;
                    same_epoch && entry.position.offset > position.offset
                });
                self.deliver_held();
                self.read_if_held();
            }
            Input::Notification(entry) | Input::Entry(entry) => self.receive(entry),
            Input::Tail { compared, tail } => {
                if let Phase::Live(position) = self.phase
                    && !(position.has_reached(tail) && tail.has_reached(compared))
                {
                    self.read(position);
                }
            }
            Input::SourceLost => {
                // Entries of the new source may not fit them.
                self.held.clear();
                if let Some(position) = self.position() {
                    self.read(position);
                    self.phase = Phase::Verifying(position);
                }
            }
            Input::SourceChanged => self.held.clear(),
            Input::ReadResult { after, slice } => self.read_result(after, slice),
        }
    }

    /// The next action, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn receive(&mut self, entry: Arc<Entry>) {
        let (Phase::Live(position) | Phase::Reading(position)) = self.phase else {
            return self.hold(entry);
        };
        let at = entry.position;
        if at.epoch != position.epoch && position != Position::NONE {
            self.read_if_live(); // another epoch: only a read is evidence for a reset
        } else if at.offset == position.offset.next() {
            self.deliver(entry);
            self.deliver_held();
            if let (Some(position), true) = (self.position(), self.held.is_empty()) {
                self.phase = Phase::Live(position); // the gap is closed, whatever the read in progress returns
            }
        } else if at.offset > position.offset {
            self.hold(entry);
            self.read_if_live();
        } else if at.offset == position.offset && !at.mark.agrees(position.mark) {
            self.read_if_live(); // one of the two entries is not in the log any more
        }
    }

    /// Delivers the new entries of a read. If the read began at the feed's position and does not continue from there,
    /// that is the evidence for a reset.
    fn read_result(&mut self, after: Position, slice: LogSlice) {
        let Some(position) = self.position() else { return };
        if matches!(self.phase, Phase::Verifying(_)) && after != position {
            return; // an earlier read, which does not show what is in the log now
        }
        if after.epoch != position.epoch && after != Position::NONE {
            return; // requested before a reset
        }
        let continues = slice.continues(after) || slice.continues(position);
        if !continues && after == position {
            return self.reset(position);
        }
        if !continues || slice.contradicts(position) {
            return self.read(position); // either the read is stale or delivered entries are lost: read again
        }
        let (tail, before) = (Position::new(slice.epoch, slice.tail), position);
        self.phase = Phase::Live(position);
        for entry in slice.entries {
            if self.expects(entry.position) {
                self.deliver(entry);
            }
        }
        self.deliver_held();
        let Some(position) = self.position() else { return };
        if tail.epoch == position.epoch && tail.offset > position.offset {
            self.read(position); // a limit of the read cut the slice short
        } else if !self.held.is_empty() && position != before {
            self.read(position); // held entries beyond the slice: entries between them were appended meanwhile
        } else {
            // No read finds these entries: they were lost with their log.
            self.held.clear();
        }
    }

    fn expects(&self, at: Position) -> bool {
        self.position().is_some_and(|position| {
            (at.epoch == position.epoch || position == Position::NONE) && at.offset == position.offset.next()
        })
    }

    fn deliver(&mut self, entry: Arc<Entry>) {
        assert!(self.expects(entry.position), "I1");
        self.phase = match self.phase {
            Phase::Reading(_) => Phase::Reading(entry.position),
            Phase::Live(_) | Phase::Verifying(_) | Phase::Starting => Phase::Live(entry.position),
        };
        self.actions.push_back(Action::Deliver(entry));
    }

    fn deliver_held(&mut self) {
        while let Some((_, entry)) = self.held.pop_first() {
            let Some(position) = self.position() else { return };
            if self.expects(entry.position) {
                self.deliver(entry);
            } else if entry.position.offset > position.offset {
                self.held.insert(entry.position.offset, entry);
                return;
            }
        }
    }

    fn hold(&mut self, entry: Arc<Entry>) {
        let epoch = self.held.first_key_value().map(|(_, held)| held.position.epoch);
        if epoch.is_some_and(|epoch| epoch != entry.position.epoch) {
            self.held.clear();
        }
        if self.held.len() < HELD_ENTRIES {
            self.held.insert(entry.position.offset, entry);
        }
    }

    fn read_if_held(&mut self) {
        if let (Some(position), false) = (self.position(), self.held.is_empty()) {
            self.read(position);
        }
    }

    /// Reads the entries after the position, unless a read is in progress.
    fn read_if_live(&mut self) {
        if let Phase::Live(position) = self.phase {
            self.read(position);
        }
    }

    fn read(&mut self, after: Position) {
        self.phase = Phase::Reading(after);
        self.actions.push_back(Action::Read { after });
    }

    fn reset(&mut self, at: Position) {
        self.phase = Phase::Starting;
        self.actions.push_back(Action::Reset { at });
    }
}
