//! A hub with 100,000 rooms of interest: its memory is bounded by them, and an event costs what its own room costs.
//!
//! `cargo test -p roomcast-core --test many_rooms -- --nocapture` prints the bytes a room.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{collections::BTreeSet, sync::Arc};

use roomcast_core::{
    Entry, Epoch, Event, Offset, Position, RoomId, RoomState, Snapshot,
    hub::{Action, FollowerId, Hub, Input},
    limits::{COMPARE_BATCHES, COMPARE_INTERVAL, MIN_COMPARE_BATCH},
};

const ROOMS: usize = 100_000;
/// Each room is on two edges.
const FOLLOWERS: [FollowerId; 2] = [FollowerId(1), FollowerId(2)];
/// Measured: 905.
const BYTES_OF_ROOM: usize = 1_200;

fn room(number: usize) -> RoomId {
    format!("user:participant-{number}").parse().unwrap()
}

/// Bytes that the process has of its own.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

/// Does at once what the hub asks of the store, whose logs have one entry each. How much was sent and read.
fn serve(hub: &mut Hub, at: Position) -> (usize, usize) {
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
            Action::Read { room, .. } => panic!("nothing of {room} is missing"),
            Action::Compare(_) | Action::Unsubscribe(_) => panic!("not yet"),
        }
    }
    (sent, read)
}

#[test]
fn a_hundred_thousand_rooms_have_a_bound_and_do_not_make_an_event_dearer() {
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
        assert_eq!(serve(&mut hub, first), (FOLLOWERS.len(), 1));
    }
    let each = (memory() - before) / ROOMS;
    println!("{each} bytes a room");
    assert!(each <= BYTES_OF_ROOM, "{each} bytes a room");

    // An event is sent to those who follow its room, and asks the store for nothing.
    hub.handle(Input::Notification(room(ROOMS / 2), Arc::new(appended(2))), 0);
    assert_eq!(serve(&mut hub, first), (FOLLOWERS.len(), 0));

    // All tails are compared once in an interval, in turns none of which is long.
    let mut compared = BTreeSet::new();
    let mut now = 0;
    while let Some(deadline) = hub.next_deadline().filter(|at| *at < 2 * COMPARE_INTERVAL) {
        now = deadline;
        hub.handle_deadline(now);
        let mut turn = 0;
        while let Some(Action::Compare(rooms)) = hub.next_action() {
            turn += rooms.len();
            for (room, _) in rooms {
                assert!(compared.insert(room), "compared twice");
            }
        }
        assert!(
            turn <= MIN_COMPARE_BATCH.max(ROOMS.div_ceil(COMPARE_BATCHES)),
            "{turn} in one turn"
        );
    }
    assert_eq!(compared.len(), ROOMS, "until {now}");

    for follower in FOLLOWERS {
        hub.handle(Input::Detached(follower), now);
    }
    assert_eq!(hub.rooms(), 0);
}
