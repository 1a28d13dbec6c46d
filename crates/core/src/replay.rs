//! Where a replay begins, and what it brings.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    browser_event::{self, BrowserEvent},
    cursor,
    event::Entry,
    ids::{SessionId, UserId},
    position::{Offset, Position},
};

/// What of the entries that a page missed is for its user, who takes part since the entry at `since`: nothing from before
/// that. `None` where the user was out meanwhile, so that the page can't go on from what it has.
#[must_use]
pub fn missed(mut entries: Vec<Arc<Entry>>, user: &UserId, added_at: Offset) -> Option<Vec<Arc<Entry>>> {
    if entries.iter().any(|entry| entry.event.removed().contains(user)) {
        return None;
    }
    entries.retain(|entry| entry.position.offset >= added_at);
    Some(entries)
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
    type Item = (BrowserEvent, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.entries.pop_front()?;
            self.positions.insert(self.session.clone(), entry.position);
            if let Some(event) = browser_event::session_event(&self.session, &entry.event) {
                return Some((event, cursor::write(&self.positions)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Event, position::Epoch, role::Role};

    fn entries(bodies: Vec<Event>) -> Vec<Arc<Entry>> {
        let entry = |(n, body)| Arc::new(Entry::new(Epoch::from_random(1), Offset(n), 0, body));
        (5..).zip(bodies).map(entry).collect()
    }

    #[test]
    fn nothing_from_before_taking_part_was_missed_and_whoever_was_out_can_not_go_on() {
        let user = |name: &str| name.parse::<UserId>().unwrap();
        let comes = |name| Event::RoleSelected {
            user: user(name),
            role: Role::Observer,
        };
        let goes = |name| Event::ParticipantRemoved { user: user(name) };
        let log = entries(vec![comes("bob"), goes("bob"), comes("alice"), comes("bob")]);
        let offsets = |name, added_at| {
            let missed = missed(log.clone(), &user(name), Offset(added_at));
            missed.map(|entries| {
                entries
                    .iter()
                    .map(|entry| entry.position.offset.0)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(offsets("alice", 7), Some(vec![7, 8]));
        assert_eq!(offsets("carol", 1), Some(vec![5, 6, 7, 8]));
        assert_eq!(offsets("bob", 8), None);
    }
}
