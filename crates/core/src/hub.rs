//! The hub of a control plane: one feed for each room that some follower (an edge's link, or a backend that
//! watches) is interested in. Sources are the store's hints and reads; followers get a snapshot or go on from
//! their own position, then every entry in order (I1).
//!
//! A follower that is behind never makes another wait: it reads on its own until it has caught up (I7).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use crate::{
    Millis,
    event::{Entry, LogSlice},
    feed::{self, Feed},
    limits::{COMPARE_FEW, COMPARE_INTERVAL, COMPARE_ROOMS, COMPARE_TURNS},
    position::Position,
    room::RoomId,
    snapshot::Snapshot,
};

/// Who is fed; unique in the life of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowerId(pub u64);

/// What a hub is told.
#[derive(Debug)]
pub enum Input {
    /// Feed the follower this room: after a position that it has, or with a snapshot first. Interest in a room
    /// that it is fed already begins anew from what is said here.
    Interest {
        /// Who.
        follower: FollowerId,
        /// Which room.
        room: RoomId,
        /// The last position that it has.
        after: Option<Position>,
    },
    /// Feed the follower this room no more.
    EndInterest {
        /// Who.
        follower: FollowerId,
        /// Which room.
        room: RoomId,
    },
    /// The follower is gone.
    Detached(FollowerId),
    /// Hints of the room arrive from here on. Answers to what was asked of the room before are not wanted any more: the
    /// source may be another one now.
    Subscribed(RoomId),
    /// Something was appended.
    Notification(RoomId, Arc<Entry>),
    /// The answer to [`Action::ReadSnapshot`]; `None`: there is no such session.
    Snapshot(RoomId, Option<Snapshot>),
    /// The answer to [`Action::Read`].
    ReadResult {
        /// Which room.
        room: RoomId,
        /// What the read was asked to begin after.
        after: Position,
        /// What it found.
        slice: LogSlice,
    },
    /// The answer to [`Action::Compare`]: the rooms as they were asked for, each with its tail.
    Tails(Vec<(RoomId, Position, Position)>),
}

/// What a hub asks for. A read that fails is to be tried again until it succeeds.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Subscribe to the room's hints, then say so.
    Subscribe(RoomId),
    /// End that subscription.
    Unsubscribe(RoomId),
    /// Read the room's snapshot.
    ReadSnapshot(RoomId),
    /// Read the room's log after a position.
    Read {
        /// Which room.
        room: RoomId,
        /// Where the read begins.
        after: Position,
    },
    /// Read the tails of these rooms, whose feeds are at these positions.
    Compare(Vec<(RoomId, Position)>),
    /// Hand this to the follower, in order.
    Send {
        /// To whom.
        follower: FollowerId,
        /// Of which room.
        room: RoomId,
        /// What.
        update: Update,
    },
}

/// What a follower gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The room's state: what follows comes after its position.
    Snapshot {
        /// The state.
        snapshot: Arc<Snapshot>,
        /// Whether what the follower had can't be continued; or else it asked to begin with a snapshot.
        reset: bool,
    },
    /// The next entries.
    Entries(Vec<Arc<Entry>>),
    /// There is no such session (any more); the room is fed no more.
    SessionNotFound,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Follower {
    /// Waits for a snapshot.
    Waiting { reset: bool },
    /// Has everything up to the position, which the feed has passed: a read is under way.
    Reading(Position),
    /// Has everything up to the position, and gets what the feed delivers beyond it.
    Live(Position),
}

/// On whose word a follower is said to have a position.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// A read of the log has just shown it.
    Log,
    /// Its own: what it has beyond the feed may be lost since.
    Followers,
}

#[derive(Debug, Default)]
struct Room {
    subscribed: bool,
    snapshot_asked: bool,
    feed: Feed,
    followers: BTreeMap<FollowerId, Follower>,
}

impl Room {
    /// Who waits for a snapshot, and whether it is a reset for them.
    fn waiting(&self) -> Vec<(FollowerId, bool)> {
        let waiting = self.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Waiting { reset } => Some((*follower, *reset)),
            Follower::Reading(_) | Follower::Live(_) => None,
        });
        waiting.collect()
    }

    /// Who is ahead of the feed.
    fn ahead(&self) -> Vec<(FollowerId, Position)> {
        let Some(at) = self.feed.position() else {
            return Vec::new();
        };
        let ahead = self.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Live(position) if !at.has_reached(*position) => Some((*follower, *position)),
            Follower::Live(_) | Follower::Waiting { .. } | Follower::Reading(_) => None,
        });
        ahead.collect()
    }

    /// Starts the feed at a position that was read from the log, or, where it is in another life of the log
    /// than that, makes it look for itself.
    fn align(&mut self, read: Position) {
        match self.feed.position() {
            None => self.feed.handle(feed::Input::Start(read)),
            Some(asked) if asked.epoch != read.epoch => {
                self.feed.handle(feed::Input::Tail { asked, tail: read });
            }
            Some(_) => {}
        }
    }
}

/// The hub.
#[derive(Debug, Default)]
pub struct Hub {
    rooms: BTreeMap<RoomId, Room>,
    interests: BTreeMap<FollowerId, BTreeSet<RoomId>>,
    compare_at: Option<Millis>,
    /// The last room that had its turn; `None`: the first one is next.
    compared: Option<RoomId>,
    actions: VecDeque<Action>,
}

impl Hub {
    /// Takes what happened; [`Self::next_action`] then says what to do.
    pub fn handle(&mut self, input: Input, now: Millis) {
        match input {
            Input::Interest {
                follower,
                room,
                after,
            } => {
                let state = after.map_or(Follower::Waiting { reset: false }, Follower::Reading);
                self.interests.entry(follower).or_default().insert(room.clone());
                let known = self.rooms.contains_key(&room);
                self.rooms
                    .entry(room.clone())
                    .or_default()
                    .followers
                    .insert(follower, state);
                if !known {
                    self.compare_at.get_or_insert(now + COMPARE_INTERVAL);
                    self.actions.push_back(Action::Subscribe(room));
                } else if let Some(after) = after {
                    self.catch_up(&room, &[(follower, after)], Word::Followers);
                } else {
                    self.ask_snapshot(&room);
                }
            }
            Input::EndInterest { follower, room } => {
                if let Some(rooms) = self.interests.get_mut(&follower) {
                    rooms.remove(&room);
                }
                self.forget(follower, &room);
            }
            Input::Detached(follower) => {
                for room in self.interests.remove(&follower).unwrap_or_default() {
                    self.forget(follower, &room);
                }
            }
            Input::Subscribed(room) => self.subscribed(&room),
            Input::Notification(room, entry) => self.feed(&room, feed::Input::Notification(entry)),
            Input::Snapshot(room, None) => self.gone(&room),
            Input::Snapshot(room, Some(snapshot)) => self.snapshot(&room, snapshot),
            Input::ReadResult { room, after, slice } => self.slice(&room, after, slice),
            Input::Tails(rooms) => {
                for (room, asked, tail) in rooms {
                    self.feed(&room, feed::Input::Tail { asked, tail });
                }
            }
        }
    }

    /// The next thing to do, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Self::handle_deadline`] is wanted next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.compare_at
    }

    /// Compares the tails of the rooms whose turn it is, so that a lost last hint, and a lost end of the log, is noticed.
    pub fn handle_deadline(&mut self, now: Millis) {
        if self.compare_at.is_none_or(|at| at > now) {
            return;
        }
        let count = self.rooms.len().div_ceil(COMPARE_TURNS).max(COMPARE_FEW);
        let turns = Millis::try_from(self.rooms.len().div_ceil(count)).unwrap_or(Millis::MAX);
        self.compare_at = (turns > 0).then(|| now + COMPARE_INTERVAL / turns);
        let last = self.compared.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.rooms.range((last, Bound::Unbounded));
        let turn: Vec<_> = later.by_ref().take(count).collect();
        if later.next().is_some() {
            self.compared = turn.last().map(|(id, _)| (*id).clone());
        }
        let compared = turn
            .iter()
            .filter_map(|(id, room)| Some(((*id).clone(), room.feed.position()?)));
        let compared: Vec<_> = compared.collect();
        // Whoever is ahead of the feed is not looked after by it.
        let ahead = turn.iter().map(|(id, room)| (*id, room.ahead()));
        let ahead: Vec<_> = ahead
            .filter(|(_, followers)| !followers.is_empty())
            .map(|(id, followers)| (id.clone(), followers))
            .collect();
        for (id, followers) in ahead {
            self.catch_up(&id, &followers, Word::Followers);
        }
        self.actions.extend(
            compared
                .chunks(COMPARE_ROOMS)
                .map(|rooms| Action::Compare(rooms.to_vec())),
        );
    }

    /// How many rooms some follower is interested in.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Whether something is read for the follower, so that it is to get more of the room than what is appended.
    #[must_use]
    pub fn is_behind(&self, follower: FollowerId, room: &RoomId) -> bool {
        let state = self
            .rooms
            .get(room)
            .and_then(|room| room.followers.get(&follower));
        matches!(state, Some(Follower::Waiting { .. } | Follower::Reading(_)))
    }

    fn subscribed(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut room.subscribed, true) {
            room.snapshot_asked = false;
            room.feed.handle(feed::Input::SourceLost);
        }
        let behind = room.followers.iter().filter_map(|(follower, state)| match state {
            Follower::Reading(after) => Some((*follower, *after)),
            Follower::Waiting { .. } | Follower::Live(_) => None,
        });
        let behind: Vec<_> = behind.collect();
        self.drive(id);
        self.catch_up(id, &behind, Word::Followers);
        self.ask_snapshot(id);
    }

    /// Asks for one snapshot for all who wait for it.
    fn ask_snapshot(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let wanted = room
            .followers
            .values()
            .any(|state| matches!(state, Follower::Waiting { .. }));
        if wanted && room.subscribed && !std::mem::replace(&mut room.snapshot_asked, true) {
            self.actions.push_back(Action::ReadSnapshot(id.clone()));
        }
    }

    /// Makes each follower live where it has what the feed delivered, and else reads for it.
    fn catch_up(&mut self, id: &RoomId, followers: &[(FollowerId, Position)], word: Word) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        for (follower, after) in followers {
            let caught_up = room.feed.position().is_some_and(|position| match word {
                Word::Log => after.has_reached(position),
                Word::Followers => after.has_reached(position) && position.has_reached(*after),
            });
            let state = if caught_up {
                Follower::Live(*after)
            } else {
                Follower::Reading(*after)
            };
            room.followers.insert(*follower, state);
        }
        if !room.subscribed {
            return;
        }
        let reads: BTreeSet<Position> = followers
            .iter()
            .filter(|(follower, after)| room.followers.get(follower) == Some(&Follower::Reading(*after)))
            .map(|(_, after)| *after)
            .collect();
        self.actions.extend(reads.into_iter().map(|after| Action::Read {
            room: id.clone(),
            after,
        }));
    }

    fn snapshot(&mut self, id: &RoomId, snapshot: Snapshot) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.snapshot_asked = false;
        let position = snapshot.position;
        let snapshot = Arc::new(snapshot);
        let waiting = room.waiting();
        for (follower, reset) in &waiting {
            self.actions.push_back(Action::Send {
                follower: *follower,
                room: id.clone(),
                update: Update::Snapshot {
                    snapshot: snapshot.clone(),
                    reset: *reset,
                },
            });
        }
        let served: Vec<_> = waiting
            .into_iter()
            .map(|(follower, _)| (follower, position))
            .collect();
        room.align(position);
        self.drive(id);
        self.catch_up(id, &served, Word::Log);
    }

    fn gone(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.snapshot_asked = false;
        for (follower, _) in room.waiting() {
            self.actions.push_back(Action::Send {
                follower,
                room: id.clone(),
                update: Update::SessionNotFound,
            });
            self.handle(
                Input::EndInterest {
                    follower,
                    room: id.clone(),
                },
                0,
            );
        }
    }

    fn slice(&mut self, id: &RoomId, after: Position, slice: LogSlice) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let reading: Vec<_> = room
            .followers
            .iter()
            .filter(|(_, state)| **state == Follower::Reading(after))
            .map(|(follower, _)| *follower)
            .collect();
        if slice.continues(after) {
            let last = slice.entries.last().map_or(after, |entry| entry.position);
            for follower in reading.iter().filter(|_| !slice.entries.is_empty()) {
                let update = Update::Entries(slice.entries.clone());
                self.actions.push_back(Action::Send {
                    follower: *follower,
                    room: id.clone(),
                    update,
                });
            }
            if !reading.is_empty() {
                room.align(last);
            }
            room.feed.handle(feed::Input::ReadResult { after, slice });
            let served: Vec<_> = reading.into_iter().map(|follower| (follower, last)).collect();
            self.drive(id);
            self.catch_up(id, &served, Word::Log);
        } else {
            for follower in reading {
                room.followers.insert(follower, Follower::Waiting { reset: true });
            }
            room.feed.handle(feed::Input::ReadResult { after, slice });
            self.drive(id);
            self.ask_snapshot(id);
        }
    }

    fn feed(&mut self, id: &RoomId, input: feed::Input) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.feed.handle(input);
            self.drive(id);
        }
    }

    /// Does what the room's feed asks for.
    fn drive(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (mut lost, mut ahead) = (false, Vec::new());
        while let Some(action) = room.feed.next_action() {
            match action {
                feed::Action::Deliver(entry) => {
                    for (follower, state) in &mut room.followers {
                        let Follower::Live(position) = state else { continue };
                        let same_place = entry.position.offset == position.offset;
                        if same_place && !entry.position.mark.agrees(position.mark) {
                            // It was ahead of the feed, and what it has is not in the log any more.
                            *state = Follower::Waiting { reset: true };
                            lost = true;
                            continue;
                        }
                        let next = entry.position.offset == position.offset.next();
                        if next && (entry.position.epoch == position.epoch || *position == Position::NONE) {
                            *position = entry.position;
                            let update = Update::Entries(vec![entry.clone()]);
                            self.actions.push_back(Action::Send {
                                follower: *follower,
                                room: id.clone(),
                                update,
                            });
                        }
                    }
                }
                feed::Action::Read { after } => self.actions.push_back(Action::Read {
                    room: id.clone(),
                    after,
                }),
                feed::Action::Reset { at } => {
                    for (follower, state) in &mut room.followers {
                        let Follower::Live(position) = state else { continue };
                        if at.has_reached(*position) {
                            *state = Follower::Waiting { reset: true };
                        } else {
                            ahead.push((*follower, *position)); // it may well go on
                        }
                    }
                    lost = true;
                }
            }
        }
        if lost {
            self.catch_up(id, &ahead, Word::Followers);
            self.ask_snapshot(id);
        }
    }

    fn forget(&mut self, follower: FollowerId, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.followers.remove(&follower);
        if room.followers.is_empty() {
            self.rooms.remove(id);
            self.actions.push_back(Action::Unsubscribe(id.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        event::Event,
        position::{Epoch, Mark, Offset},
        snapshot::RoomState,
    };

    const ROOM: &str = "user:u";
    const FOLLOWERS: u64 = 3;

    /// A store of one room whose log can be lost, with answers under way that the test releases in any order.
    struct World {
        hub: Hub,
        epoch: u64,
        tail: u64,
        first: u64,
        /// When each entry was appended.
        marks: Vec<Millis>,
        lost: bool,
        now: Millis,
        under_way: Vec<Action>,
        /// What each follower has, and `None` before its snapshot.
        seen: BTreeMap<FollowerId, Option<Position>>,
    }

    impl World {
        fn position(&self, offset: u64) -> Position {
            match offset {
                0 => Position::new(Epoch::from_random(self.epoch), Offset::ZERO),
                _ => self.entry(offset).position,
            }
        }

        fn entry(&self, offset: u64) -> Arc<Entry> {
            let body = Event::UserDisconnected {
                reason: String::new(),
            };
            let published_at = self.marks[usize::try_from(offset).unwrap() - 1];
            Arc::new(Entry::new(
                Epoch::from_random(self.epoch),
                Offset(offset),
                published_at,
                body,
            ))
        }

        fn append(&mut self) {
            self.now += 1;
            self.tail += 1;
            self.marks.push(self.now);
        }

        fn tell(&mut self, input: Input) {
            self.hub.handle(input, 0);
            self.run();
        }

        fn run(&mut self) {
            while let Some(action) = self.hub.next_action() {
                let Action::Send {
                    follower,
                    update: item,
                    ..
                } = action
                else {
                    self.under_way.push(action);
                    continue;
                };
                let Some(seen) = self.seen.get_mut(&follower) else {
                    panic!("sent to nobody")
                };
                match item {
                    Update::Snapshot { snapshot, .. } => *seen = Some(snapshot.position),
                    Update::Entries(entries) => {
                        for entry in entries {
                            let before = seen.expect("a beginning first");
                            let same_life = before == Position::NONE || before.epoch == entry.position.epoch;
                            assert!(same_life && entry.position.offset == before.offset.next(), "I1");
                            *seen = Some(entry.position);
                        }
                    }
                    Update::SessionNotFound => panic!("a user's room is always there"),
                }
            }
        }

        fn answer(&mut self, at: usize) {
            if self.under_way.is_empty() {
                return;
            }
            let room: RoomId = ROOM.parse().unwrap();
            match self.under_way.remove(at % self.under_way.len()) {
                Action::Subscribe(room) => self.tell(Input::Subscribed(room)),
                Action::Unsubscribe(_) => {}
                Action::ReadSnapshot(room) => {
                    let state = RoomState::User {
                        pending_feedback: BTreeSet::new(),
                    };
                    let snapshot = Snapshot {
                        position: self.position(self.tail),
                        state,
                    };
                    self.tell(Input::Snapshot(room, Some(snapshot)));
                }
                Action::Read { after, .. } => {
                    let from = self.first.max(after.offset.0 + 1);
                    let slice = LogSlice {
                        epoch: Epoch::from_random(self.epoch),
                        first: Offset(self.first),
                        tail: Offset(self.tail),
                        after: after.offset,
                        after_mark: if (self.first..=self.tail).contains(&after.offset.0) {
                            self.position(after.offset.0).mark
                        } else {
                            Mark::UNKNOWN
                        },
                        entries: (from..=self.tail)
                            .take(3)
                            .map(|offset| self.entry(offset))
                            .collect(),
                    };
                    self.tell(Input::ReadResult { room, after, slice });
                }
                Action::Compare(rooms) => {
                    let tail = self.position(self.tail);
                    self.tell(Input::Tails(
                        rooms
                            .into_iter()
                            .map(|(room, asked)| (room, asked, tail))
                            .collect(),
                    ));
                }
                Action::Send { .. } => unreachable!("handled at once"),
            }
        }

        fn settle(&mut self) {
            for now in 1..4 {
                self.hub.handle_deadline(now * COMPARE_INTERVAL);
                self.run();
                for _ in 0..1_000 {
                    self.answer(0);
                }
                assert!(self.under_way.is_empty(), "a busy loop");
            }
        }
    }

    proptest! {
        /// Hints lost, answers in any order, logs trimmed and lost, followers that come and go: each follower
        /// sees offsets rise by one or a snapshot, and has everything once it is quiet.
        #[test]
        fn every_follower_has_everything_in_order(
            steps in proptest::collection::vec((0u8..11, 0u64..FOLLOWERS, 0usize..8), 1..80)
        ) {
            let room: RoomId = ROOM.parse().unwrap();
            let mut world = World {
                hub: Hub::default(), epoch: 1, tail: 0, first: 1, marks: vec![], lost: false, now: 0, under_way: vec![],
                seen: BTreeMap::new(),
            };
            for (kind, n, at) in steps {
                let follower = FollowerId(n);
                match kind {
                    0 | 1 => {
                        world.append();
                        if kind == 0 {
                            let entry = world.entry(world.tail);
                            world.tell(Input::Notification(room.clone(), entry));
                        }
                    }
                    2 => {
                        let after = world.seen.get(&follower).copied().flatten();
                        world.seen.insert(follower, after);
                        world.tell(Input::Interest { follower, room: room.clone(), after });
                    }
                    3 => {
                        world.seen.remove(&follower);
                        world.tell(Input::EndInterest { follower, room: room.clone() });
                    }
                    4 if at == 0 => {
                        (world.epoch, world.tail, world.first) = (world.epoch + 1, 0, 1);
                        world.marks.clear();
                    }
                    // A place that is trimmed away says no more what stood there.
                    5 if at == 0 && !world.lost => world.first = world.tail + 1,
                    6 => world.tell(Input::Subscribed(room.clone())),
                    // A replica is promoted that had not seen the last entries.
                    7 if at < 3 => {
                        world.tail = world.tail.saturating_sub(n + 1).max(world.first - 1);
                        world.lost = true;
                        world.marks.truncate(usize::try_from(world.tail).unwrap());
                    }
                    _ => world.answer(at),
                }
            }
            world.settle();
            let end = world.position(world.tail);
            for (follower, seen) in &world.seen {
                prop_assert_eq!(*seen, Some(end), "{:?}", follower);
            }
        }
    }

    #[test]
    fn one_read_serves_all_who_ask_for_the_same() {
        let room: RoomId = ROOM.parse().unwrap();
        let mut hub = Hub::default();
        for n in 0..3 {
            hub.handle(
                Input::Interest {
                    follower: FollowerId(n),
                    room: room.clone(),
                    after: None,
                },
                0,
            );
        }
        hub.handle(Input::Subscribed(room.clone()), 0);
        let actions: Vec<_> = std::iter::from_fn(|| hub.next_action()).collect();
        assert_eq!(
            actions,
            [Action::Subscribe(room.clone()), Action::ReadSnapshot(room)]
        );
    }

    #[test]
    fn each_of_many_rooms_is_compared_once_in_an_interval_and_few_at_a_time() {
        const ROOMS: usize = 10_000;
        let mut hub = Hub::default();
        for n in 0..ROOMS {
            let room: RoomId = format!("user:u{n}").parse().unwrap();
            let position = Position::new(Epoch::from_random(1), Offset(1));
            let state = RoomState::User {
                pending_feedback: BTreeSet::new(),
            };
            let interest = Input::Interest {
                follower: FollowerId(1),
                room: room.clone(),
                after: None,
            };
            hub.handle(interest, 0);
            hub.handle(Input::Subscribed(room.clone()), 0);
            hub.handle(Input::Snapshot(room, Some(Snapshot { position, state })), 0);
        }
        while hub.next_action().is_some() {}
        let (mut compared, mut rounds) = (BTreeMap::<RoomId, usize>::new(), 0);
        while let Some(at) = hub.next_deadline().filter(|at| *at < 3 * COMPARE_INTERVAL) {
            hub.handle_deadline(at);
            rounds += 1;
            let mut turn = 0;
            while let Some(action) = hub.next_action() {
                let Action::Compare(rooms) = action else {
                    panic!("{action:?}")
                };
                turn += rooms.len();
                for (room, _) in rooms {
                    *compared.entry(room).or_default() += 1;
                }
            }
            assert_eq!(turn, ROOMS / COMPARE_TURNS);
        }
        assert_eq!(rounds, 2 * COMPARE_TURNS);
        assert_eq!(compared.len(), ROOMS);
        assert!(compared.values().all(|times| *times == 2));
    }
}
