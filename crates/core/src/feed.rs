//! The feed of one room: from hints, which may be lost, repeated or out of order, and from reads, which are
//! true, to entries in order, each once, or a reset. The same machine runs on both sides of the link.
//!
//! It must never deliver across a hole (I1), nor call a reset on the word of a hint: only a read is evidence.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    event::{Entry, LogSlice},
    limits::HELD_ENTRIES,
    position::{Offset, Position},
};

/// What a feed is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// The state at this position is known: entries after it are wanted. Begins the feed, or begins it anew
    /// after a reset.
    Start(Position),
    /// An entry that somebody saw appended.
    Notification(Arc<Entry>),
    /// The log's tail, as it was seen at some time after the feed was at `asked`. Hints may be lost up to it.
    Tail {
        /// Where the feed was when the tail was asked for.
        asked: Position,
        /// The tail.
        tail: Position,
    },
    /// Hints may be lost since some time ago, and entries too: the source was away, and may be another one now.
    SourceLost,
    /// Hints come from another source from here on, one that was told the position: those that are held may not go
    /// together with them.
    SourceChanged,
    /// The answer to [`Action::Read`].
    ReadResult {
        /// What the read was asked to begin after.
        after: Position,
        /// What it found.
        slice: LogSlice,
    },
}

/// What a feed asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The next entry: it rises by one from the last.
    Deliver(Arc<Entry>),
    /// Read the log after this position and answer with [`Input::Read`].
    Read {
        /// Where the read begins.
        after: Position,
    },
    /// The room cannot be continued from this position: fetch a snapshot and answer with [`Input::Start`].
    Reset {
        /// Where the feed was.
        at: Position,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No position yet; hints are held.
    Starting,
    /// Everything up to the position is delivered.
    Live(Position),
    /// The same, and a read is under way.
    Reading(Position),
    /// The same, and until a read shows that the entry at the position still stands, nothing is delivered.
    Verifying(Position),
}

/// The feed of one room.
#[derive(Debug)]
pub struct Feed {
    phase: Phase,
    /// Hints beyond the position, one life of the log at a time: at most [`HELD_ENTRIES`].
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
    /// The last position delivered, or started from; `None` before the start and after a reset.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self.phase {
            Phase::Starting => None,
            Phase::Live(position) | Phase::Reading(position) | Phase::Verifying(position) => Some(position),
        }
    }

    /// Takes what happened; [`Self::next_action`] then says what to do.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Start(position) => {
                self.phase = Phase::Live(position);
                self.held.retain(|_, entry| {
                    let same_life = position == Position::NONE || entry.position.epoch == position.epoch;
                    same_life && entry.position.offset > position.offset
                });
                self.deliver_held();
                self.read_if_held();
            }
            Input::Notification(entry) => self.hint(entry),
            Input::Tail { asked, tail } => {
                if let Phase::Live(position) = self.phase
                    && !(position.has_reached(tail) && tail.has_reached(asked))
                {
                    self.read(position);
                }
            }
            Input::SourceLost => {
                // Hints of another source would not go together with those.
                self.held.clear();
                if let Some(position) = self.position() {
                    self.read(position);
                    self.phase = Phase::Verifying(position);
                }
            }
            Input::SourceChanged => self.held.clear(),
            Input::ReadResult { after, slice } => self.slice(after, slice),
        }
    }

    /// The next thing to do, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn hint(&mut self, entry: Arc<Entry>) {
        let (Phase::Live(position) | Phase::Reading(position)) = self.phase else {
            return self.hold(entry);
        };
        let at = entry.position;
        if at.epoch != position.epoch && position != Position::NONE {
            self.look(); // another life of the log: only a read may say so
        } else if at.offset == position.offset.next() {
            self.deliver(entry);
            self.deliver_held();
            if let (Some(position), true) = (self.position(), self.held.is_empty()) {
                self.phase = Phase::Live(position); // no hole any more, whatever a read under way will say
            }
        } else if at.offset > position.offset {
            self.hold(entry);
            self.look();
        } else if at.offset == position.offset && !at.mark.agrees(position.mark) {
            self.look(); // what was delivered is not in the log any more, if this is
        }
    }

    /// Delivers what the slice adds. A read that was asked for at a position and can't be continued from there
    /// is the evidence for a reset.
    fn slice(&mut self, after: Position, slice: LogSlice) {
        let Some(position) = self.position() else { return };
        if matches!(self.phase, Phase::Verifying(_)) && after != position {
            return; // asked for before; it shows nothing of what stands there since
        }
        if after.epoch != position.epoch && after != Position::NONE {
            return; // asked for before a reset
        }
        let continues = slice.continues(after) || slice.continues(position);
        if !continues && after == position {
            return self.reset(position);
        }
        if !continues || slice.contradicts(position) {
            return self.read(position); // it may be older than what was delivered, or that is lost: this will say
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
            self.read(position); // the read's limit cut it
        } else if !self.held.is_empty() && position != before {
            self.read(position); // hints beyond the read: what is between them and it was appended since
        } else {
            // Hints beyond a tail that no read can find were lost with their log.
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

    /// Reads what comes after the position, unless that is under way.
    fn look(&mut self) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        event::Event,
        position::{Epoch, Mark},
    };

    fn epoch(n: u64) -> Epoch {
        Epoch::from_random(n)
    }

    fn at(n: u64, offset: u64) -> Position {
        Position::new(epoch(n), Offset(offset)).marked(Mark::of(0))
    }

    fn entry(n: u64, offset: u64) -> Arc<Entry> {
        let body = Event::UserDisconnected {
            reason: String::new(),
        };
        Arc::new(Entry::new(epoch(n), Offset(offset), 0, body))
    }

    /// What a read of a log of epoch `n` with the entries `first..=tail` finds.
    fn slice(n: u64, first: u64, tail: u64, after: u64, limit: u64) -> LogSlice {
        let from = first.max(after + 1);
        let entries = (from..=tail.min(after + limit))
            .map(|offset| entry(n, offset))
            .collect();
        LogSlice {
            epoch: epoch(n),
            first: Offset(first),
            tail: Offset(tail),
            after: Offset(after),
            after_mark: Mark::UNKNOWN,
            entries,
        }
    }

    fn actions(feed: &mut Feed) -> Vec<Action> {
        std::iter::from_fn(|| feed.next_action()).collect()
    }

    fn started(offset: u64) -> Feed {
        let mut feed = Feed::default();
        feed.handle(Input::Start(at(1, offset)));
        feed
    }

    #[test]
    fn entries_in_order_are_delivered_once() {
        let mut feed = started(0);
        for offset in [1, 1, 2, 1, 3] {
            feed.handle(Input::Notification(entry(1, offset)));
        }
        assert_eq!(
            actions(&mut feed),
            [1, 2, 3].map(|offset| Action::Deliver(entry(1, offset)))
        );
    }

    #[test]
    fn a_hole_is_read_and_never_delivered_across() {
        let mut feed = started(0);
        feed.handle(Input::Notification(entry(1, 3)));
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 0) }]);
        feed.handle(Input::ReadResult {
            after: at(1, 0),
            slice: slice(1, 1, 2, 0, 10),
        });
        assert_eq!(
            actions(&mut feed),
            [1, 2, 3].map(|offset| Action::Deliver(entry(1, offset)))
        );
    }

    #[test]
    fn hints_before_the_start_are_merged_with_it() {
        let mut feed = Feed::default();
        for offset in [5, 6, 8] {
            feed.handle(Input::Notification(entry(1, offset)));
        }
        feed.handle(Input::Start(at(1, 5)));
        assert_eq!(
            actions(&mut feed),
            [Action::Deliver(entry(1, 6)), Action::Read { after: at(1, 6) }]
        );
    }

    #[test]
    fn a_cut_read_is_continued() {
        let mut feed = started(0);
        feed.handle(Input::SourceLost);
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 0) }]);
        feed.handle(Input::ReadResult {
            after: at(1, 0),
            slice: slice(1, 1, 3, 0, 2),
        });
        let expected = [
            Action::Deliver(entry(1, 1)),
            Action::Deliver(entry(1, 2)),
            Action::Read { after: at(1, 2) },
        ];
        assert_eq!(actions(&mut feed), expected);
    }

    #[test]
    fn another_epoch_is_a_reset_once_a_read_says_so() {
        let mut feed = started(4);
        feed.handle(Input::Notification(entry(2, 1)));
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 4) }]);
        feed.handle(Input::ReadResult {
            after: at(1, 4),
            slice: slice(2, 1, 1, 4, 10),
        });
        assert_eq!(actions(&mut feed), [Action::Reset { at: at(1, 4) }]);
        assert_eq!(feed.position(), None);
    }

    #[test]
    fn a_tail_behind_what_was_delivered_is_a_reset_once_a_read_says_so() {
        let mut feed = started(4);
        feed.handle(Input::Tail {
            asked: at(1, 4),
            tail: at(1, 2),
        });
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 4) }]);
        feed.handle(Input::ReadResult {
            after: at(1, 4),
            slice: slice(1, 1, 2, 4, 10),
        });
        assert_eq!(actions(&mut feed), [Action::Reset { at: at(1, 4) }]);
    }

    /// The same place, but with another entry than [`entry`].
    fn other(n: u64, offset: u64) -> Arc<Entry> {
        Arc::new(Entry::new(
            epoch(n),
            Offset(offset),
            7,
            entry(n, offset).event.clone(),
        ))
    }

    #[test]
    fn after_the_source_was_away_nothing_is_delivered_before_a_read_has_found_the_last_entry() {
        let mut feed = started(4);
        feed.handle(Input::SourceLost);
        feed.handle(Input::Notification(entry(1, 5)));
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 4) }]);
        feed.handle(Input::ReadResult {
            after: at(1, 4),
            slice: slice(1, 1, 4, 4, 10),
        });
        assert_eq!(actions(&mut feed), [Action::Deliver(entry(1, 5))]);
    }

    #[test]
    fn another_entry_at_the_same_place_is_a_reset() {
        let mut feed = started(4);
        feed.handle(Input::SourceLost);
        feed.handle(Input::Notification(other(1, 5)));
        let mut read = slice(1, 1, 5, 4, 10);
        read.after_mark = other(1, 4).position.mark;
        feed.handle(Input::ReadResult {
            after: at(1, 4),
            slice: read,
        });
        assert_eq!(
            actions(&mut feed),
            [Action::Read { after: at(1, 4) }, Action::Reset { at: at(1, 4) }]
        );
    }

    #[test]
    fn a_hint_or_a_tail_with_another_entry_at_the_same_place_makes_it_look() {
        let place = other(1, 4).position;
        let tail = Input::Tail {
            asked: at(1, 4),
            tail: place,
        };
        for input in [Input::Notification(other(1, 4)), tail] {
            let mut feed = started(4);
            feed.handle(input);
            assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 4) }]);
        }
    }

    #[test]
    fn a_stale_tail_or_read_changes_nothing() {
        let mut feed = started(4);
        feed.handle(Input::Tail {
            asked: at(1, 4),
            tail: at(1, 5),
        });
        feed.handle(Input::Notification(entry(1, 5)));
        feed.handle(Input::ReadResult {
            after: at(1, 4),
            slice: slice(1, 1, 4, 4, 10),
        });
        feed.handle(Input::Tail {
            asked: at(1, 4),
            tail: at(1, 4),
        });
        assert_eq!(
            actions(&mut feed),
            [
                Action::Read { after: at(1, 4) },
                Action::Deliver(entry(1, 5)),
                Action::Read { after: at(1, 5) }
            ]
        );
        feed.handle(Input::ReadResult {
            after: at(1, 5),
            slice: slice(1, 1, 5, 5, 10),
        });
        assert_eq!(actions(&mut feed), []);
    }

    #[test]
    fn what_was_trimmed_away_is_a_reset() {
        let mut feed = started(1);
        feed.handle(Input::SourceLost);
        feed.handle(Input::ReadResult {
            after: at(1, 1),
            slice: slice(1, 4, 6, 1, 10),
        });
        assert_eq!(actions(&mut feed).last(), Some(&Action::Reset { at: at(1, 1) }));
    }

    #[test]
    fn a_room_without_a_log_takes_the_first_life_it_sees() {
        let mut feed = Feed::default();
        feed.handle(Input::Start(Position::NONE));
        feed.handle(Input::Notification(entry(7, 1)));
        assert_eq!(actions(&mut feed), [Action::Deliver(entry(7, 1))]);
        let mut feed = Feed::default();
        feed.handle(Input::Start(Position::NONE));
        feed.handle(Input::Tail {
            asked: Position::NONE,
            tail: at(7, 2),
        });
        feed.handle(Input::ReadResult {
            after: Position::NONE,
            slice: slice(7, 1, 2, 0, 10),
        });
        let expected = [
            Action::Read {
                after: Position::NONE,
            },
            Action::Deliver(entry(7, 1)),
            Action::Deliver(entry(7, 2)),
        ];
        assert_eq!(actions(&mut feed), expected);
    }

    #[test]
    fn a_hint_that_no_read_can_find_is_given_up() {
        let mut feed = started(0);
        feed.handle(Input::Notification(entry(1, 9)));
        feed.handle(Input::ReadResult {
            after: at(1, 0),
            slice: slice(1, 1, 0, 0, 10),
        });
        assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 0) }]);
    }

    proptest! {
        /// Whatever is lost, repeated or out of order: what is delivered rises by one from the start, and
        /// one comparison of tails at the end brings everything.
        #[test]
        fn every_entry_is_delivered_once_and_in_order(
            start in 0u64..5,
            steps in proptest::collection::vec((0u8..4, 1u64..30), 0..60),
            limit in 1u64..8,
        ) {
            let mut feed = started(start);
            let (mut tail, mut delivered, mut reads) = (start, start, VecDeque::new());
            let mut run = |feed: &mut Feed, reads: &mut VecDeque<Position>| {
                while let Some(action) = feed.next_action() {
                    match action {
                        Action::Deliver(entry) => {
                            assert_eq!(entry.position, at(1, delivered + 1));
                            delivered += 1;
                        }
                        Action::Read { after } => reads.push_back(after),
                        Action::Reset { .. } => panic!("nothing was lost"),
                    }
                }
                delivered
            };
            for (kind, n) in steps {
                match kind {
                    0 => tail += 1,
                    1 if tail > 0 => feed.handle(Input::Notification(entry(1, n.min(tail)))),
                    2 => feed.handle(Input::Tail { asked: at(1, start), tail: at(1, tail.max(start)) }),
                    _ => if let Some(after) = reads.pop_front() {
                        feed.handle(Input::ReadResult { after, slice: slice(1, 1, tail, after.offset.0, limit) });
                    }
                }
                run(&mut feed, &mut reads);
            }
            while let Some(after) = reads.pop_front() {
                feed.handle(Input::ReadResult { after, slice: slice(1, 1, tail, after.offset.0, limit) });
                run(&mut feed, &mut reads);
            }
            let asked = feed.position().unwrap();
            feed.handle(Input::Tail { asked, tail: at(1, tail) });
            run(&mut feed, &mut reads);
            while let Some(after) = reads.pop_front() {
                feed.handle(Input::ReadResult { after, slice: slice(1, 1, tail, after.offset.0, limit) });
                run(&mut feed, &mut reads);
            }
            prop_assert_eq!(run(&mut feed, &mut reads), tail);
        }
    }
}
