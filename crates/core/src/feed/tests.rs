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
    let event = Event::UserDisconnected {
        reason: String::new(),
    };
    Arc::new(Entry::new(epoch(n), Offset(offset), 0, event))
}

/// The result of a read of a log of epoch `n` with the entries `first..=tail`.
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
fn a_gap_is_read_and_never_delivered_across() {
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
fn notifications_before_the_start_are_merged_with_it() {
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
fn a_read_that_a_limit_cut_short_is_continued() {
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
fn another_epoch_is_a_reset_once_a_read_shows_it() {
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
fn a_tail_before_the_position_is_a_reset_once_a_read_shows_it() {
    let mut feed = started(4);
    feed.handle(Input::Tail {
        compared: at(1, 4),
        tail: at(1, 2),
    });
    assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 4) }]);
    feed.handle(Input::ReadResult {
        after: at(1, 4),
        slice: slice(1, 1, 2, 4, 10),
    });
    assert_eq!(actions(&mut feed), [Action::Reset { at: at(1, 4) }]);
}

/// Another entry than [`entry`], with the same epoch and offset.
fn other(n: u64, offset: u64) -> Arc<Entry> {
    Arc::new(Entry::new(
        epoch(n),
        Offset(offset),
        7,
        entry(n, offset).event.clone(),
    ))
}

#[test]
fn after_the_source_was_lost_nothing_is_delivered_until_a_read_finds_the_last_entry() {
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
fn another_entry_at_the_same_offset_is_a_reset() {
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
fn a_notification_or_a_tail_with_another_entry_at_the_same_offset_causes_a_read() {
    let position = other(1, 4).position;
    let tail = Input::Tail {
        compared: at(1, 4),
        tail: position,
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
        compared: at(1, 4),
        tail: at(1, 5),
    });
    feed.handle(Input::Notification(entry(1, 5)));
    feed.handle(Input::ReadResult {
        after: at(1, 4),
        slice: slice(1, 1, 4, 4, 10),
    });
    feed.handle(Input::Tail {
        compared: at(1, 4),
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
fn a_read_beyond_trimmed_entries_is_a_reset() {
    let mut feed = started(1);
    feed.handle(Input::SourceLost);
    feed.handle(Input::ReadResult {
        after: at(1, 1),
        slice: slice(1, 4, 6, 1, 10),
    });
    assert_eq!(actions(&mut feed).last(), Some(&Action::Reset { at: at(1, 1) }));
}

#[test]
fn a_feed_without_a_log_accepts_the_first_epoch() {
    let mut feed = Feed::default();
    feed.handle(Input::Start(Position::NONE));
    feed.handle(Input::Notification(entry(7, 1)));
    assert_eq!(actions(&mut feed), [Action::Deliver(entry(7, 1))]);
    let mut feed = Feed::default();
    feed.handle(Input::Start(Position::NONE));
    feed.handle(Input::Tail {
        compared: Position::NONE,
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
fn a_notification_that_no_read_can_find_is_dropped() {
    let mut feed = started(0);
    feed.handle(Input::Notification(entry(1, 9)));
    feed.handle(Input::ReadResult {
        after: at(1, 0),
        slice: slice(1, 1, 0, 0, 10),
    });
    assert_eq!(actions(&mut feed), [Action::Read { after: at(1, 0) }]);
}

proptest! {
    /// Notifications may be lost, repeated or out of order: delivered offsets increase by one from the start, and one
    /// comparison of tails at the end delivers the rest.
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
                2 => feed.handle(Input::Tail { compared: at(1, start), tail: at(1, tail.max(start)) }),
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
        let compared = feed.position().unwrap();
        feed.handle(Input::Tail { compared, tail: at(1, tail) });
        run(&mut feed, &mut reads);
        while let Some(after) = reads.pop_front() {
            feed.handle(Input::ReadResult { after, slice: slice(1, 1, tail, after.offset.0, limit) });
            run(&mut feed, &mut reads);
        }
        prop_assert_eq!(run(&mut feed, &mut reads), tail);
    }
}
