//! A room's log, limited by number of entries and by age.

use std::{collections::VecDeque, sync::Arc};

use roomcast_core::{Entry, Epoch, Event, LogSlice, Mark, Millis, Offset, Position};

use crate::{limits::StoreLimits, store::Appended};

pub(super) struct Log {
    epoch: Epoch,
    tail: Offset,
    tail_mark: Mark,
    entries: VecDeque<Arc<Entry>>,
    /// When the room's slot was last written.
    pub(super) written_at: Millis,
}

impl Log {
    pub(super) fn new(epoch: Epoch, now: Millis) -> Self {
        Self {
            epoch,
            tail: Offset::ZERO,
            tail_mark: Mark::UNKNOWN,
            entries: VecDeque::new(),
            written_at: now,
        }
    }

    pub(super) fn position(&self) -> Position {
        Position::new(self.epoch, self.tail).marked(self.tail_mark)
    }

    pub(super) fn append(&mut self, event: Event, now: Millis, limits: &StoreLimits) -> Arc<Entry> {
        self.tail = self.tail.next();
        let entry = Arc::new(Entry::new(self.epoch, self.tail, now, event));
        self.tail_mark = entry.position.mark;
        self.entries.push_back(entry.clone());
        self.written_at = now;
        while self.entries.len() as u64 > limits.log_entries
            || self
                .entries
                .front()
                .is_some_and(|entry| is_old(entry, now, limits))
        {
            self.entries.pop_front();
        }
        entry
    }

    pub(super) fn read(&self, after: Offset, limit: usize, now: Millis, limits: &StoreLimits) -> LogSlice {
        let kept = || self.entries.iter().skip_while(|entry| is_old(entry, now, limits));
        LogSlice {
            epoch: self.epoch,
            first: kept()
                .next()
                .map_or(self.tail.next(), |entry| entry.position.offset),
            tail: self.tail,
            after,
            after_mark: if after == self.tail {
                self.tail_mark
            } else {
                kept()
                    .find(|entry| entry.position.offset == after)
                    .map_or(Mark::UNKNOWN, |entry| entry.position.mark)
            },
            entries: kept()
                .filter(|entry| entry.position.offset > after)
                .take(limit)
                .cloned()
                .collect(),
        }
    }
}

fn is_old(entry: &Entry, now: Millis, limits: &StoreLimits) -> bool {
    now.saturating_sub(entry.published_at) >= limits.log_retention
}

pub(super) fn appended(entry: &Entry) -> Appended {
    Appended {
        position: entry.position,
        published_at: entry.published_at,
    }
}
