//! A hub with 100,000 rooms: its memory per room is bounded, and the cost of an event does not depend on the number of
//! rooms.
//!
//! `cargo test -p roomcast-core --test many_rooms -- --nocapture` prints the number of bytes per room.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{collections::BTreeSet, sync::Arc};

use roomcast_core::{
    Entry, Epoch, Event, Offset, Position, RoomId, RoomState, Snapshot,
    hub::{Action, FollowerId, Hub, Input},
    limits::{COMPARE_BATCHES, COMPARE_INTERVAL, MIN_COMPARE_BATCH},
};

const ROOMS: usize = 100_000;
/// Two edges are interested in each room.
const FOLLOWERS: [FollowerId; 2] = [FollowerId(1), FollowerId(2)];
/// The limit for one room. 905 bytes were measured.
const BYTES_PER_ROOM: usize = 1_200;

fn room(number: usize) -> RoomId {
    format!("user:participant-{number}").parse().unwrap()
}

/// The anonymous memory of this process, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

/// Performs the hub's actions with a store whose logs have one entry each. Returns the number of updates sent and of
/// snapshots read.
fn perform_actions(hub: &mut Hub, at: Position) -> (usize, usize) {
    let (mut sent, mut read) = (0, 0);
    while let Some(action) = hub.next_action() {
        match action {
            Action::Subscribe(room) => hub.handle(Input::Subscribed(room), 0),
            Action::ReadSnapshot(room) => {
                read += 1;
                let state = RoomState::User {
                    pending_feedback: BTreeSet::new(),
                };
                hub.handle(Input::Snapshot(room, Some(Snapshot { position: at, state })), 0);
            }
            Action::Send { .. } => sent += 1,
            action @ (Action::Read { .. } | Action::Compare(_) | Action::Unsubscribe(_)) => {
                panic!("unexpected: {action:?}")
            }
        }
    }
    (sent, read)
}

#[test]
fn a_hundred_thousand_rooms_use_bounded_memory_and_do_not_raise_the_cost_of_an_event() {
    let epoch = Epoch::from_random(7);
    let appended = |offset| {
        let reason = String::new();
        Entry::new(epoch, Offset(offset), 0, Event::UserDisconnected { reason })
    };
    let first = appended(1).position;
    let mut hub = Hub::default();
    let before = memory();
    for number in 0..ROOMS {
        for follower in FOLLOWERS {
            let interest = Input::Interest {
                follower,
                room: room(number),
                after: None,
            };
            hub.handle(interest, 0);
        }
        assert_eq!(perform_actions(&mut hub, first), (FOLLOWERS.len(), 1));
    }
    let bytes_per_room = (memory() - before) / ROOMS;
    println!("{bytes_per_room} bytes per room");
    assert!(
        bytes_per_room <= BYTES_PER_ROOM,
        "{bytes_per_room} bytes per room"
    );

    // An event is sent to the followers of its room, and needs no read of the store.
    hub.handle(Input::Notification(room(ROOMS / 2), Arc::new(appended(2))), 0);
    assert_eq!(perform_actions(&mut hub, first), (FOLLOWERS.len(), 0));

    // All tails are compared once per interval, in batches of limited size.
    let mut compared = BTreeSet::new();
    let mut now = 0;
    while let Some(deadline) = hub.next_deadline().filter(|at| *at < 2 * COMPARE_INTERVAL) {
        now = deadline;
        hub.handle_deadline(now);
        let mut batch = 0;
        while let Some(Action::Compare(rooms)) = hub.next_action() {
            batch += rooms.len();
            for (room, _) in rooms {
                assert!(compared.insert(room), "compared twice");
            }
        }
        assert!(
            batch <= MIN_COMPARE_BATCH.max(ROOMS.div_ceil(COMPARE_BATCHES)),
            "{batch} rooms in one batch"
        );
    }
    assert_eq!(compared.len(), ROOMS, "compared until {now}");

    for follower in FOLLOWERS {
        hub.handle(Input::Detached(follower), now);
    }
    assert_eq!(hub.rooms(), 0);
}
