//! Where a replay begins, and what it brings.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    cursor,
    event::Entry,
    ids::SessionId,
    payload::{self, Event},
    position::{Offset, Position},
};

/// The position after which a join with `after` is replayed to, or `None` where it can't be continued: the
/// position is from another life of the log, or from beyond its tail.
///
/// `since` is the entry since which the user takes part: nothing before it is replayed. `at` is where the
/// room stands.
#[must_use]
pub fn replay_from(after: Option<Position>, since: Offset, at: Position) -> Option<Position> {
    let after = after.filter(|after| at.has_reached(*after))?;
    let joined = Position::new(after.epoch, since.previous());
    Some(if after.offset >= joined.offset {
        after
    } else {
        joined
    })
}

/// What a socket missed of one session: its events in order, each with the socket's cursor after it. Events are made
/// when they are asked for, so that a long replay that waits for its socket costs little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    session: SessionId,
    entries: VecDeque<Arc<Entry>>,
    /// Where the socket is in all of its rooms.
    positions: BTreeMap<SessionId, Position>,
}

impl Replay {
    /// The replay of these entries for a socket that is at these positions.
    #[must_use]
    pub fn new(
        session: SessionId,
        entries: Vec<Arc<Entry>>,
        positions: BTreeMap<SessionId, Position>,
    ) -> Self {
        Self {
            session,
            entries: entries.into(),
            positions,
        }
    }
}

impl Iterator for Replay {
    type Item = (Event, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.entries.pop_front()?;
            self.positions.insert(self.session.clone(), entry.position);
            if let Some(event) = payload::session_event(&self.session, &entry.body) {
                return Some((event, cursor::write(&self.positions)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Epoch;

    #[test]
    fn a_replay_begins_after_the_cursor_and_never_before_taking_part() {
        let at = |epoch, offset| Position::new(Epoch::from_random(epoch), Offset(offset));
        let from = |after, since| replay_from(after, Offset(since), at(1, 9));
        assert_eq!(from(None, 1), None);
        assert_eq!(from(Some(at(1, 4)), 1), Some(at(1, 4)));
        assert_eq!(from(Some(at(1, 4)), 7), Some(at(1, 6)));
        assert_eq!(from(Some(at(1, 9)), 1), Some(at(1, 9)));
        assert_eq!(from(Some(at(1, 10)), 1), None);
        assert_eq!(from(Some(at(2, 4)), 1), None);
    }
}
