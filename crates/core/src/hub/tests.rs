use proptest::prelude::*;

use super::*;
use crate::{
    event::Event,
    log::Entry,
    position::{Epoch, Mark, Offset},
    snapshot::RoomState,
};

const ROOM: &str = "user:u";
const FOLLOWERS: u64 = 3;

/// A store of one room whose log can be lost. The test releases pending results in any order.
struct World {
    hub: Hub,
    epoch: u64,
    tail: u64,
    first: u64,
    /// The time at which each entry was appended, from which its mark follows.
    published_at: Vec<Millis>,
    lost: bool,
    now: Millis,
    pending: Vec<Action>,
    /// Each follower's position; `None` before its snapshot.
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
        let published_at = self.published_at[usize::try_from(offset).unwrap() - 1];
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
        self.published_at.push(self.now);
    }

    fn input(&mut self, input: Input) {
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
                self.pending.push(action);
                continue;
            };
            let Some(seen) = self.seen.get_mut(&follower) else {
                panic!("an unknown follower")
            };
            match item {
                Update::Snapshot { snapshot, .. } => *seen = Some(snapshot.position),
                Update::Entries(entries) => {
                    for entry in entries {
                        let before = seen.expect("a snapshot first");
                        let same_epoch = before == Position::NONE || before.epoch == entry.position.epoch;
                        assert!(same_epoch && entry.position.offset == before.offset.next(), "I1");
                        *seen = Some(entry.position);
                    }
                }
                Update::SessionNotFound => panic!("a user's room always has a state"),
            }
        }
    }

    fn complete(&mut self, at: usize) {
        if self.pending.is_empty() {
            return;
        }
        let room: RoomId = ROOM.parse().unwrap();
        match self.pending.remove(at % self.pending.len()) {
            Action::Subscribe(room) => self.input(Input::Subscribed(room)),
            Action::Unsubscribe(_) => {}
            Action::ReadSnapshot(room) => {
                let state = RoomState::User {
                    pending_feedback: BTreeSet::new(),
                };
                let snapshot = Snapshot {
                    position: self.position(self.tail),
                    state,
                };
                self.input(Input::Snapshot(room, Some(snapshot)));
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
                self.input(Input::ReadResult { room, after, slice });
            }
            Action::Compare(rooms) => {
                let tail = self.position(self.tail);
                self.input(Input::Tails(
                    rooms
                        .into_iter()
                        .map(|(room, asked)| (room, asked, tail))
                        .collect(),
                ));
            }
            Action::Send { .. } => unreachable!("handled by run"),
        }
    }

    fn settle(&mut self) {
        for now in 1..4 {
            self.hub.handle_deadline(now * COMPARE_INTERVAL);
            self.run();
            for _ in 0..1_000 {
                self.complete(0);
            }
            assert!(self.pending.is_empty(), "a busy loop");
        }
    }
}

proptest! {
    /// Notifications are lost, results arrive in any order, logs are trimmed and lost, and followers are added and
    /// removed: each follower sees offsets that increase by one, or a snapshot, and finally has every entry (I1).
    #[test]
    fn every_follower_has_everything_in_order(
        steps in proptest::collection::vec((0u8..11, 0u64..FOLLOWERS, 0usize..8), 1..80)
    ) {
        let room: RoomId = ROOM.parse().unwrap();
        let mut world = World {
            hub: Hub::default(), epoch: 1, tail: 0, first: 1, published_at: vec![], lost: false, now: 0, pending: vec![],
            seen: BTreeMap::new(),
        };
        for (kind, n, at) in steps {
            let follower = FollowerId(n);
            match kind {
                0 | 1 => {
                    world.append();
                    if kind == 0 {
                        let entry = world.entry(world.tail);
                        world.input(Input::Notification(room.clone(), entry));
                    }
                }
                2 => {
                    let after = world.seen.get(&follower).copied().flatten();
                    world.seen.insert(follower, after);
                    world.input(Input::Interest { follower, room: room.clone(), after });
                }
                3 => {
                    world.seen.remove(&follower);
                    world.input(Input::EndInterest { follower, room: room.clone() });
                }
                4 if at == 0 => {
                    (world.epoch, world.tail, world.first) = (world.epoch + 1, 0, 1);
                    world.published_at.clear();
                }
                // After a trim it is unknown which entry had an offset, so a log that lost entries is not trimmed.
                5 if at == 0 && !world.lost => world.first = world.tail + 1,
                6 => world.input(Input::Subscribed(room.clone())),
                // A replica without the last entries is promoted.
                7 if at < 3 => {
                    world.tail = world.tail.saturating_sub(n + 1).max(world.first - 1);
                    world.lost = true;
                    world.published_at.truncate(usize::try_from(world.tail).unwrap());
                }
                _ => world.complete(at),
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
fn one_snapshot_read_serves_every_follower_that_waits() {
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
fn each_of_many_rooms_is_compared_once_per_interval_in_batches() {
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
        let mut batch = 0;
        while let Some(action) = hub.next_action() {
            let Action::Compare(rooms) = action else {
                panic!("{action:?}")
            };
            batch += rooms.len();
            for (room, _) in rooms {
                *compared.entry(room).or_default() += 1;
            }
        }
        assert_eq!(batch, ROOMS / COMPARE_BATCHES);
    }
    assert_eq!(rounds, 2 * COMPARE_BATCHES);
    assert_eq!(compared.len(), ROOMS);
    assert!(compared.values().all(|count| *count == 2));
}
