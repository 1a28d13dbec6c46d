//! Replays: the events that a socket missed in a session.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    browser_event::{self, BrowserEvent},
    cursor,
    ids::{SessionId, UserId},
    log::Entry,
    position::{Offset, Position},
};

/// Selects the entries that a user may see of those that their page missed: none before `added_at`, the offset at which
/// the user became a participant. `None` if one of the entries removes the user, because the page's state is then no
/// basis for the entries after it.
#[must_use]
pub fn missed(mut entries: Vec<Arc<Entry>>, user: &UserId, added_at: Offset) -> Option<Vec<Arc<Entry>>> {
    if entries.iter().any(|entry| entry.event.removed().contains(user)) {
        return None;
    }
    entries.retain(|entry| entry.position.offset >= added_at);
    Some(entries)
}

/// The events that a socket missed in one session, in order, each with the socket's cursor after it. The iterator
/// encodes an event when it is taken, so that a long replay of a slow socket needs little memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    session: SessionId,
    entries: VecDeque<Arc<Entry>>,
    /// The socket's position in each of its sessions.
    positions: BTreeMap<SessionId, Position>,
}

impl Replay {
    /// Makes the replay of `entries` for a socket with these positions.
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

    fn entries(events: Vec<Event>) -> Vec<Arc<Entry>> {
        let entry = |(n, event)| Arc::new(Entry::new(Epoch::from_random(1), Offset(n), 0, event));
        (5..).zip(events).map(entry).collect()
    }

    #[test]
    fn entries_before_the_user_was_added_are_left_out_and_a_removal_ends_the_replay() {
        let user = |name: &str| name.parse::<UserId>().unwrap();
        let added = |name| Event::RoleSelected {
            user: user(name),
            role: Role::Observer,
        };
        let removed = |name| Event::ParticipantRemoved { user: user(name) };
        let log = entries(vec![added("bob"), removed("bob"), added("alice"), added("bob")]);
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
