//! A room of the hub, and the state of its followers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::io::{Action, FollowerId, Update};
use crate::{
    feed::{self, Feed},
    log::Entry,
    position::Position,
    room::RoomId,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Follower {
    /// Waits for a snapshot.
    Waiting { reset: bool },
    /// Has every entry up to the position. The feed is beyond it, and a read is in progress.
    Reading(Position),
    /// Has every entry up to the position, and receives each entry that the feed delivers after it.
    Live(Position),
}

/// What shows that a follower has a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Evidence {
    /// A read of the log has just shown the position.
    Log,
    /// The follower claims it. Entries that it has beyond the feed may have been lost.
    Claim,
}

#[derive(Debug, Default)]
pub(super) struct HubRoom {
    pub(super) subscribed: bool,
    pub(super) snapshot_requested: bool,
    pub(super) feed: Feed,
    pub(super) followers: BTreeMap<FollowerId, Follower>,
}

impl HubRoom {
    /// The followers that wait for a snapshot, and whether it is a reset for them.
    pub(super) fn waiting(&self) -> Vec<(FollowerId, bool)> {
        let waiting = self.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Waiting { reset } => Some((*follower, *reset)),
            Follower::Reading(_) | Follower::Live(_) => None,
        });
        waiting.collect()
    }

    /// The followers that wait for a read, with their positions.
    pub(super) fn reading(&self) -> Vec<(FollowerId, Position)> {
        let reading = self.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Reading(after) => Some((*follower, *after)),
            Follower::Waiting { .. } | Follower::Live(_) => None,
        });
        reading.collect()
    }

    /// The live followers whose position is beyond the feed's.
    pub(super) fn ahead(&self) -> Vec<(FollowerId, Position)> {
        let Some(at) = self.feed.position() else {
            return Vec::new();
        };
        let ahead = self.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Live(position) if !at.has_reached(*position) => Some((*follower, *position)),
            Follower::Live(_) | Follower::Waiting { .. } | Follower::Reading(_) => None,
        });
        ahead.collect()
    }

    /// Starts the feed at a position that was read from the log. If the feed is in another epoch, it compares the tails.
    pub(super) fn align(&mut self, read: Position) {
        match self.feed.position() {
            None => self.feed.handle(feed::Input::Start(read)),
            Some(compared) if compared.epoch != read.epoch => {
                self.feed.handle(feed::Input::Tail { compared, tail: read });
            }
            Some(_) => {}
        }
    }

    /// Makes a follower live if it has caught up with the feed, or else marks it as reading. Returns whether a read is
    /// needed.
    pub(super) fn place(&mut self, follower: FollowerId, after: Position, evidence: Evidence) -> bool {
        let caught_up = self.feed.position().is_some_and(|position| match evidence {
            Evidence::Log => after.has_reached(position),
            Evidence::Claim => after.has_reached(position) && position.has_reached(after),
        });
        let state = if caught_up {
            Follower::Live(after)
        } else {
            Follower::Reading(after)
        };
        self.followers.insert(follower, state);
        !caught_up
    }

    /// Sends an entry to each live follower for which it is the next one. Returns whether some follower needs a reset,
    /// because it has another entry at this offset: it was ahead of the feed, and its entry was lost.
    pub(super) fn deliver(
        &mut self,
        id: &RoomId,
        entry: &Arc<Entry>,
        actions: &mut VecDeque<Action>,
    ) -> bool {
        let at = entry.position;
        let mut lost = false;
        for (follower, state) in &mut self.followers {
            let Follower::Live(position) = state else { continue };
            if at.offset == position.offset && !at.mark.agrees(position.mark) {
                *state = Follower::Waiting { reset: true };
                lost = true;
                continue;
            }
            let is_next = at.offset == position.offset.next();
            if is_next && (at.epoch == position.epoch || *position == Position::NONE) {
                *position = at;
                actions.push_back(Action::Send {
                    follower: *follower,
                    room: id.clone(),
                    update: Update::Entries(vec![entry.clone()]),
                });
            }
        }
        lost
    }

    /// Makes the followers that are not ahead of the feed wait for a snapshot. Returns the others, because a read may show
    /// that they can continue.
    pub(super) fn reset(&mut self, at: Position) -> Vec<(FollowerId, Position)> {
        let mut ahead = Vec::new();
        for (follower, state) in &mut self.followers {
            let Follower::Live(position) = state else { continue };
            if at.has_reached(*position) {
                *state = Follower::Waiting { reset: true };
            } else {
                ahead.push((*follower, *position));
            }
        }
        ahead
    }
}
