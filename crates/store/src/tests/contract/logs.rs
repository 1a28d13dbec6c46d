//! Logs, and the states that their entries lead to.

use std::collections::BTreeSet;

use roomcast_core::{CommandDenial, Epoch, Mark, Offset, Position, Role};

use super::*;
use crate::StoreLimits;

pub(super) async fn offsets_are_dense_and_each_room_has_an_epoch(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let mut last = s.execute(&publish("new", None)).await.unwrap().appended;
    for n in 0..20 {
        let command = if n % 2 == 0 {
            select("alice", Role::Observer)
        } else {
            update(None)
        };
        let next = s.execute(&command).await.unwrap().appended;
        let expected = Position::new(last.position.epoch, last.position.offset.next());
        assert_eq!(next.position, expected.marked(Mark::of(next.published_at)));
        assert!(next.published_at >= last.published_at);
        last = next;
    }
    let entries = s.log("session:s1").await;
    let offsets: Vec<u64> = entries.iter().map(|entry| entry.position.offset.0).collect();
    assert_eq!(offsets, (1..=21).collect::<Vec<_>>());
    assert_eq!(
        (entries[20].position, entries[20].published_at),
        (last.position, last.published_at)
    );

    let other = s
        .store
        .execute(&session("s2"), &publish("new", None), None)
        .await
        .unwrap();
    let third = s.store.disconnect_user(&user("alice"), "").await.unwrap();
    let epochs = [
        last.position.epoch,
        other.appended.position.epoch,
        third.position.epoch,
        Epoch::NONE,
    ];
    assert_eq!(BTreeSet::from(epochs).len(), 4);
}

pub(super) async fn a_read_starts_after_an_offset_and_has_a_limit(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", None)).await.unwrap();
    for _ in 0..4 {
        s.execute(&update(None)).await.unwrap();
    }
    for (after, limit, expected) in [
        (0, 2, vec![1, 2]),
        (2, 2, vec![3, 4]),
        (4, 2, vec![5]),
        (5, 2, vec![]),
        (9, 2, vec![]),
        (u64::MAX, 2, vec![]),
        (0, 0, vec![]),
        (0, usize::MAX, vec![1, 2, 3, 4, 5]),
    ] {
        let slice = s
            .store
            .read(&room("session:s1"), Offset(after), limit)
            .await
            .unwrap();
        let offsets: Vec<u64> = slice
            .entries
            .iter()
            .map(|entry| entry.position.offset.0)
            .collect();
        assert_eq!(offsets, expected, "after {after}, at most {limit}");
        assert_eq!((slice.first, slice.tail), (Offset(1), Offset(5)));
    }
}

pub(super) async fn a_room_without_a_log_reads_as_empty(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    for name in ["session:s1", "user:alice"] {
        let slice = s.store.read(&room(name), Offset(3), 10).await.unwrap();
        assert_eq!(
            (slice.epoch, slice.first, slice.tail),
            (Epoch::NONE, Offset(1), Offset(0))
        );
        assert!(slice.entries.is_empty());
    }
    assert_eq!(s.snapshot("user:alice").await.position, Position::NONE);
}

pub(super) async fn a_log_keeps_a_limited_number_of_entries(kind: StoreKind) {
    let s = kind
        .subject(StoreLimits {
            log_entries: 3,
            ..StoreLimits::default()
        })
        .await;
    s.execute(&publish("new", None)).await.unwrap();
    for _ in 0..6 {
        s.execute(&update(None)).await.unwrap();
        s.store.disconnect_user(&user("alice"), "").await.unwrap();
    }
    for (name, tail) in [("session:s1", 7), ("user:alice", 6)] {
        let slice = s.store.read(&room(name), Offset::ZERO, 10).await.unwrap();
        let offsets: Vec<u64> = slice
            .entries
            .iter()
            .map(|entry| entry.position.offset.0)
            .collect();
        assert_eq!(offsets, [tail - 2, tail - 1, tail]);
        assert_eq!((slice.first.0, slice.tail.0), (tail - 2, tail));
        assert!(slice.continues(Position::new(slice.epoch, Offset(tail - 3))));
        assert!(!slice.continues(Position::new(slice.epoch, Offset(tail - 4))));
    }
}

pub(super) async fn every_position_has_the_mark_of_its_entry(kind: StoreKind) {
    let s = kind
        .subject_with_clock(StoreLimits {
            log_entries: 3,
            ..StoreLimits::default()
        })
        .await;
    let mut positions = vec![s.execute(&publish("new", None)).await.unwrap().appended.position];
    for _ in 0..4 {
        s.pass(5).await;
        positions.push(s.execute(&update(None)).await.unwrap().appended.position);
    }
    let last = positions[4];
    assert_ne!(last.mark, positions[3].mark);
    let room = room("session:s1");
    assert_eq!(s.store.tails(std::slice::from_ref(&room)).await.unwrap(), [last]);
    assert_eq!(s.store.snapshot(&room).await.unwrap().unwrap().position, last);
    let log: Vec<_> = s
        .log("session:s1")
        .await
        .iter()
        .map(|entry| entry.position)
        .collect();
    assert_eq!(log, positions[2..]);
    for position in &positions {
        let slice = s.store.read(&room, position.offset, 1).await.unwrap();
        let kept = position.offset >= Offset(3);
        assert_eq!(slice.after_mark, if kept { position.mark } else { Mark::UNKNOWN });
        let lost = position.marked(Mark::from_bits(position.mark.bits() ^ 1));
        assert_eq!(
            (slice.continues(*position), slice.continues(lost)),
            (position.offset >= Offset(2), position.offset == Offset(2))
        );
    }
}

pub(super) async fn a_log_keeps_entries_for_a_time_and_its_tail_for_longer(kind: StoreKind) {
    let s = kind
        .subject_with_clock(StoreLimits {
            log_retention: 300 * MINUTE,
            ..StoreLimits::default()
        })
        .await;
    let first = s.execute(&publish("new", None)).await.unwrap().appended;
    s.pass(200 * MINUTE).await;
    s.execute(&update(None)).await.unwrap();
    s.pass(150 * MINUTE).await;
    // A read removes old entries: the first is too old, the second is not.
    let slice = s.store.read(&room("session:s1"), Offset::ZERO, 10).await.unwrap();
    assert_eq!(
        (slice.first, slice.tail, slice.entries.len()),
        (Offset(2), Offset(2), 1)
    );
    s.pass(200 * MINUTE).await;
    // All entries are too old, and the epoch is the same.
    let slice = s.store.read(&room("session:s1"), Offset::ZERO, 10).await.unwrap();
    assert_eq!(
        (slice.epoch, slice.first, slice.tail),
        (first.position.epoch, Offset(3), Offset(2))
    );
    assert!(slice.entries.is_empty());
    assert!(slice.continues(Position::new(slice.epoch, Offset(2))));
    let next = s.execute(&update(None)).await.unwrap().appended.position;
    assert!(next.has_reached(Position::new(first.position.epoch, Offset(3))));
    assert_eq!(s.log("session:s1").await.len(), 1);
}

pub(super) async fn a_session_without_writes_is_forgotten(kind: StoreKind) {
    let s = kind
        .subject_with_clock(StoreLimits {
            log_retention: 100 * MINUTE,
            state_retention: 200 * MINUTE,
            ..StoreLimits::default()
        })
        .await;
    let first = s
        .execute(&publish("new", participants(&[("alice", Role::Observer)])))
        .await
        .unwrap();
    let left = s.store.disconnect_user(&user("alice"), "").await.unwrap();
    s.pass(120 * MINUTE).await;
    s.execute(&update(None)).await.unwrap();
    s.pass(120 * MINUTE).await;
    assert_eq!(s.s1().await.revision, 1, "each write starts the retention again");
    s.pass(120 * MINUTE).await;
    assert_eq!(s.store.session(&session("s1")).await, Ok(None));
    assert_eq!(s.denied(&update(None)).await, CommandDenial::SessionNotFound);
    assert_eq!(
        s.store.tails(&[room("session:s1"), room("user:alice")]).await,
        Ok(vec![Position::NONE; 2])
    );

    let again = s.execute(&publish("new", None)).await.unwrap();
    assert_eq!((again.appended.position.offset, again.revision), (Offset(1), 1));
    assert_ne!(again.appended.position.epoch, first.appended.position.epoch);
    assert!(s.participants().await.is_empty());
    let again = s.store.disconnect_user(&user("alice"), "").await.unwrap();
    assert_eq!(again.position.offset, Offset(1));
    assert_ne!(again.position.epoch, left.position.epoch);
}

pub(super) async fn tails_are_in_the_order_of_the_rooms(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    let mut rooms = Vec::new();
    let mut expected = Vec::new();
    for n in (0..200).rev() {
        let id = format!("tail-{n}");
        rooms.push(room(&format!("session:{id}")));
        if n % 3 == 0 {
            expected.push(Position::NONE);
        } else {
            let done = s
                .store
                .execute(&session(&id), &publish("new", None), None)
                .await
                .unwrap();
            expected.push(done.appended.position);
        }
    }
    rooms.push(room("user:tail"));
    expected.push(s.store.disconnect_user(&user("tail"), "").await.unwrap().position);
    assert_eq!(s.store.tails(&rooms).await.unwrap(), expected);
    assert_eq!(s.store.tails(&[]).await.unwrap(), []);
}

pub(super) async fn a_snapshot_is_an_earlier_one_with_the_later_entries_applied(kind: StoreKind) {
    let s = kind.subject(StoreLimits::default()).await;
    s.execute(&publish("new", participants(&[("alice", Role::Interviewer)])))
        .await
        .unwrap();
    let mut folded = s.snapshot("session:s1").await;
    for command in [
        select("bob", Role::Interviewee),
        update(Some("alice")),
        select("bob", Role::Observer),
        publish("ready", None),
        remove("alice"),
        select("alice", Role::Observer),
        publish(
            "over",
            participants(&[("carol", Role::Observer), ("bob", Role::Interviewer)]),
        ),
    ] {
        s.execute(&command).await.unwrap();
        let slice = s
            .store
            .read(&room("session:s1"), folded.position.offset, 10)
            .await
            .unwrap();
        for entry in slice.entries {
            folded.state.fold(entry.position.offset, &entry.event);
            folded.position = entry.position;
        }
        assert_eq!(s.snapshot("session:s1").await, folded, "after {command:?}");
    }
}
