//! The hub of a control plane: one feed for each room in which some follower (an edge's link, or a backend that
//! watches) is interested. The store's notifications and reads are its sources. A follower gets a snapshot or continues
//! from its own position, and then receives every entry in order (I1).
//!
//! A follower that is behind catches up by reads of its own and never delays another one (I7).

mod hub_room;
mod io;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use crate::{
    Millis, feed,
    limits::{COMPARE_BATCHES, COMPARE_INTERVAL, MAX_TAILS, MIN_COMPARE_BATCH},
    log::LogSlice,
    position::Position,
    room::RoomId,
    snapshot::Snapshot,
};

use hub_room::{Evidence, Follower, HubRoom};
pub use io::{Action, FollowerId, Input, Update};

/// The hub of a control plane; see the documentation of this module.
#[derive(Debug, Default)]
pub struct Hub {
    rooms: BTreeMap<RoomId, HubRoom>,
    interests: BTreeMap<FollowerId, BTreeSet<RoomId>>,
    compare_at: Option<Millis>,
    /// The last room of the previous batch; `None`: the next batch begins with the first room.
    compared: Option<RoomId>,
    actions: VecDeque<Action>,
}

impl Hub {
    /// Handles an input. Take the resulting actions with [`Self::next_action`].
    pub fn handle(&mut self, input: Input, now: Millis) {
        match input {
            Input::Interest {
                follower,
                room,
                after,
            } => self.interest(follower, room, after, now),
            Input::EndInterest { follower, room } => self.end_interest(follower, &room),
            Input::Detached(follower) => {
                for room in self.interests.remove(&follower).unwrap_or_default() {
                    self.remove_follower(follower, &room);
                }
            }
            Input::Subscribed(room) => self.subscribed(&room),
            Input::Notification(room, entry) => self.feed(&room, feed::Input::Notification(entry)),
            Input::Snapshot(room, None) => self.session_not_found(&room),
            Input::Snapshot(room, Some(snapshot)) => self.snapshot(&room, snapshot),
            Input::ReadResult { room, after, slice } => self.read_result(&room, after, slice),
            Input::Tails(rooms) => {
                for (room, compared, tail) in rooms {
                    self.feed(&room, feed::Input::Tail { compared, tail });
                }
            }
        }
    }

    /// The next action, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The time at which [`Self::handle_deadline`] must be called next; `None`: never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.compare_at
    }

    /// Compares the tails of the next batch of rooms. This detects a lost notification in a quiet room, and a log that
    /// lost its last entries.
    pub fn handle_deadline(&mut self, now: Millis) {
        if self.compare_at.is_none_or(|at| at > now) {
            return;
        }
        let size = self.rooms.len().div_ceil(COMPARE_BATCHES).max(MIN_COMPARE_BATCH);
        let batches = Millis::try_from(self.rooms.len().div_ceil(size)).unwrap_or(Millis::MAX);
        self.compare_at = (batches > 0).then(|| now + COMPARE_INTERVAL / batches);
        let last = self.compared.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.rooms.range((last, Bound::Unbounded));
        let batch: Vec<_> = later.by_ref().take(size).collect();
        if later.next().is_some() {
            self.compared = batch.last().map(|(id, _)| (*id).clone());
        }
        let positions = batch
            .iter()
            .filter_map(|(id, room)| Some(((*id).clone(), room.feed.position()?)));
        let positions: Vec<_> = positions.collect();
        // The feed's comparison does not cover followers that are ahead of it.
        let ahead = batch.iter().map(|(id, room)| (*id, room.ahead()));
        let ahead: Vec<_> = ahead
            .filter(|(_, followers)| !followers.is_empty())
            .map(|(id, followers)| (id.clone(), followers))
            .collect();
        for (id, followers) in ahead {
            self.catch_up(&id, &followers, Evidence::Claim);
        }
        let requests = positions.chunks(MAX_TAILS);
        self.actions
            .extend(requests.map(|rooms| Action::Compare(rooms.to_vec())));
    }

    /// The number of rooms in which some follower is interested.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Whether a read for this follower is in progress, so that it will receive more than newly appended entries.
    #[must_use]
    pub fn is_behind(&self, follower: FollowerId, room: &RoomId) -> bool {
        let state = self
            .rooms
            .get(room)
            .and_then(|room| room.followers.get(&follower));
        matches!(state, Some(Follower::Waiting { .. } | Follower::Reading(_)))
    }

    fn interest(&mut self, follower: FollowerId, id: RoomId, after: Option<Position>, now: Millis) {
        let state = after.map_or(Follower::Waiting { reset: false }, Follower::Reading);
        self.interests.entry(follower).or_default().insert(id.clone());
        let is_new = !self.rooms.contains_key(&id);
        let room = self.rooms.entry(id.clone()).or_default();
        room.followers.insert(follower, state);
        if is_new {
            self.compare_at.get_or_insert(now + COMPARE_INTERVAL);
            self.actions.push_back(Action::Subscribe(id));
        } else if let Some(after) = after {
            self.catch_up(&id, &[(follower, after)], Evidence::Claim);
        } else {
            self.request_snapshot(&id);
        }
    }

    fn end_interest(&mut self, follower: FollowerId, id: &RoomId) {
        if let Some(rooms) = self.interests.get_mut(&follower) {
            rooms.remove(id);
        }
        self.remove_follower(follower, id);
    }

    fn remove_follower(&mut self, follower: FollowerId, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.followers.remove(&follower);
        if room.followers.is_empty() {
            self.rooms.remove(id);
            self.actions.push_back(Action::Unsubscribe(id.clone()));
        }
    }

    /// The room's subscription is active. If it was active before, notifications may have been lost in the meantime.
    fn subscribed(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut room.subscribed, true) {
            room.snapshot_requested = false;
            room.feed.handle(feed::Input::SourceLost);
        }
        let reading = room.reading();
        self.drive(id);
        self.catch_up(id, &reading, Evidence::Claim);
        self.request_snapshot(id);
    }

    /// Requests one snapshot for all followers that wait for one.
    fn request_snapshot(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let wanted = room
            .followers
            .values()
            .any(|state| matches!(state, Follower::Waiting { .. }));
        if wanted && room.subscribed && !std::mem::replace(&mut room.snapshot_requested, true) {
            self.actions.push_back(Action::ReadSnapshot(id.clone()));
        }
    }

    /// Makes each follower live if it has every entry that the feed delivered, and reads the log for the others. Followers
    /// with the same position share one read.
    fn catch_up(&mut self, id: &RoomId, followers: &[(FollowerId, Position)], evidence: Evidence) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let mut reads = BTreeSet::new();
        for (follower, after) in followers {
            if room.place(*follower, *after, evidence) {
                reads.insert(*after);
            }
        }
        if room.subscribed {
            self.actions.extend(reads.into_iter().map(|after| Action::Read {
                room: id.clone(),
                after,
            }));
        }
    }

    /// Sends the snapshot to every follower that waits for one, and starts the feed if it has not started.
    fn snapshot(&mut self, id: &RoomId, snapshot: Snapshot) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.snapshot_requested = false;
        let position = snapshot.position;
        let snapshot = Arc::new(snapshot);
        let waiting = room.waiting();
        room.align(position);
        for (follower, reset) in &waiting {
            let snapshot = snapshot.clone();
            self.send(
                *follower,
                id,
                Update::Snapshot {
                    snapshot,
                    reset: *reset,
                },
            );
        }
        let served = waiting.into_iter().map(|(follower, _)| (follower, position));
        let served: Vec<_> = served.collect();
        self.drive(id);
        self.catch_up(id, &served, Evidence::Log);
    }

    fn session_not_found(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.snapshot_requested = false;
        for (follower, _) in room.waiting() {
            self.send(follower, id, Update::SessionNotFound);
            self.end_interest(follower, id);
        }
    }

    /// Handles a read of the log for the followers at `after`, or for the feed, or for both. If the log does not continue
    /// from `after`, these followers get a snapshot as a reset.
    fn read_result(&mut self, id: &RoomId, after: Position, slice: LogSlice) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let reading = room.reading().into_iter().filter(|(_, at)| *at == after);
        let reading: Vec<_> = reading.map(|(follower, _)| follower).collect();
        if !slice.continues(after) {
            for follower in reading {
                room.followers.insert(follower, Follower::Waiting { reset: true });
            }
            room.feed.handle(feed::Input::ReadResult { after, slice });
            self.drive(id);
            return self.request_snapshot(id);
        }
        let last = slice.entries.last().map_or(after, |entry| entry.position);
        if !reading.is_empty() {
            room.align(last);
        }
        let entries = match reading.is_empty() {
            true => Vec::new(),
            false => slice.entries.clone(),
        };
        room.feed.handle(feed::Input::ReadResult { after, slice });
        for follower in reading.iter().filter(|_| !entries.is_empty()) {
            self.send(*follower, id, Update::Entries(entries.clone()));
        }
        let served: Vec<_> = reading.into_iter().map(|follower| (follower, last)).collect();
        self.drive(id);
        self.catch_up(id, &served, Evidence::Log);
    }

    fn feed(&mut self, id: &RoomId, input: feed::Input) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.feed.handle(input);
            self.drive(id);
        }
    }

    /// Executes the actions of the room's feed.
    fn drive(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (mut lost, mut ahead) = (false, Vec::new());
        while let Some(action) = room.feed.next_action() {
            match action {
                feed::Action::Deliver(entry) => lost |= room.deliver(id, &entry, &mut self.actions),
                feed::Action::Read { after } => self.actions.push_back(Action::Read {
                    room: id.clone(),
                    after,
                }),
                feed::Action::Reset { at } => {
                    ahead.extend(room.reset(at));
                    lost = true;
                }
            }
        }
        if lost {
            self.catch_up(id, &ahead, Evidence::Claim);
            self.request_snapshot(id);
        }
    }

    fn send(&mut self, follower: FollowerId, id: &RoomId, update: Update) {
        self.actions.push_back(Action::Send {
            follower,
            room: id.clone(),
            update,
        });
    }
}
