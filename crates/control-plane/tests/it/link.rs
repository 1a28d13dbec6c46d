//! The link, from an edge's point of view.

use roomcast_core::{Epoch, LogSlice, Mark, Offset, Position, Role, RoomState, SessionCommand};
use roomcast_proto::{
    link::{FromEdge, Load, ReadLog, ToEdge},
    v1,
};
use roomcast_store::Store as _;
use tonic::Code;

use crate::{
    edge::{Edge, interest, room},
    harness::TestServer,
    requests::{code_and_reason, invalid_fields, select},
};

/// The response to a ping of the only edge.
fn pong(nonce: u64) -> ToEdge {
    let (store_unreachable, edges) = (false, 1);
    ToEdge::Pong {
        nonce,
        load: Load {
            store_unreachable,
            edges,
        },
    }
}

#[tokio::test]
async fn a_ping_is_echoed() {
    let server = TestServer::start().await;
    let mut edge = Edge::start(&server).await;
    edge.send(FromEdge::Ping { nonce: 7 }).await;
    assert_eq!(edge.receive().await.unwrap(), Some(pong(7)));
    edge.detach().await.unwrap();
}

#[tokio::test]
async fn an_interest_without_a_position_starts_with_a_snapshot() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut edge = Edge::start(&server).await;
    edge.send(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { snapshot, .. }) = edge.receive().await.unwrap() else {
        panic!("no snapshot")
    };
    let RoomState::Session(session) = &snapshot.state else {
        panic!("a user's state")
    };
    assert_eq!((session.id.as_str(), snapshot.position.offset), ("s1", Offset(1)));
    server
        .backend()
        .select_role(select("s1", "carol", v1::Role::Observer))
        .await
        .unwrap();
    assert_eq!(edge.receive_offsets().await, [2]);
    server.publish("s1").await;
    assert_eq!(edge.receive_offsets().await, [3]);
}

#[tokio::test]
async fn an_interest_is_served_when_the_store_is_reachable_again() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut edge = Edge::start(&server).await;
    server.store.set_unreachable(true);
    edge.send(interest("session:s1", None)).await;
    edge.send(FromEdge::Ping { nonce: 1 }).await;
    assert_eq!(edge.receive().await.unwrap(), Some(pong(1)));
    server.store.set_unreachable(false);
    edge.receive_snapshot().await;
}

#[tokio::test]
async fn an_interest_with_a_position_continues_after_it() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut edge = Edge::start(&server).await;
    edge.send(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { snapshot, .. }) = edge.receive().await.unwrap() else {
        panic!("no snapshot")
    };
    edge.detach().await.unwrap();
    server.publish("s1").await;
    server.publish("s1").await;
    let mut edge = Edge::start(&server).await;
    edge.send(interest("session:s1", Some(snapshot.position))).await;
    assert_eq!(edge.receive_offsets().await, [2, 3]);
}

#[tokio::test]
async fn an_interest_in_a_session_that_does_not_exist_is_denied() {
    let server = TestServer::start().await;
    let mut edge = Edge::start(&server).await;
    edge.send(interest("session:s1", None)).await;
    assert_eq!(
        edge.receive().await.unwrap(),
        Some(ToEdge::SessionNotFound {
            room: room("session:s1")
        })
    );
}

#[tokio::test]
async fn only_the_rooms_whose_interest_has_not_ended_are_followed() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    server.publish("s2").await;
    let mut edge = Edge::start(&server).await;
    for name in ["session:s1", "session:s2"] {
        edge.send(interest(name, None)).await;
        edge.receive_snapshot().await;
    }
    edge.send(FromEdge::EndInterest {
        room: room("session:s1"),
    })
    .await;
    edge.send(FromEdge::Ping { nonce: 1 }).await;
    assert_eq!(edge.receive().await.unwrap(), Some(pong(1)));
    // The hub handles the requests of one follower in order: this snapshot shows that the interest has ended.
    edge.send(interest("user:alice", None)).await;
    edge.receive_snapshot().await;
    server.publish("s1").await;
    server.publish("s2").await;
    match edge.receive().await.unwrap() {
        Some(ToEdge::Entries { room: updated, .. }) => assert_eq!(updated, room("session:s2")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_edges_receive_the_same_order() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let (mut one, mut two) = (Edge::start(&server).await, Edge::start(&server).await);
    for edge in [&mut one, &mut two] {
        edge.send(interest("session:s1", None)).await;
        edge.receive_snapshot().await;
    }
    for at in 2..30 {
        server.publish("s1").await;
        assert_eq!(
            (one.receive_offsets().await, two.receive_offsets().await),
            (vec![at], vec![at])
        );
    }
}

#[tokio::test]
async fn the_link_of_an_edge_that_takes_nothing_is_closed_and_others_are_not_affected() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut stalled = Edge::attach_with_small_window(&server).await;
    stalled.send(interest("session:s1", None)).await;
    let mut neighbour = Edge::start(&server).await;
    neighbour.send(interest("session:s1", None)).await;
    neighbour.receive_snapshot().await;
    let mut last = 1;
    for _ in 0..8_000 {
        let command = SessionCommand::SelectRole {
            user: "carol".parse().unwrap(),
            role: Role::Observer,
        };
        server
            .store
            .execute(&"s1".parse().unwrap(), &command, None)
            .await
            .unwrap();
        for at in neighbour.receive_offsets().await {
            assert_eq!(at, last + 1, "I1");
            last = at;
        }
    }
    let status = loop {
        match stalled.receive().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the link ended without a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        code_and_reason(&status),
        (Code::Unavailable, "TOO_SLOW".into()),
        "{status:?}"
    );
}

#[tokio::test]
async fn an_edge_with_more_interests_than_its_queue_holds_receives_all_snapshots() {
    // Enough rooms with long names to fill the buffers of the connection, too.
    const ROOMS: usize = 12_000;
    let server = TestServer::start().await;
    let mut edge = Edge::attach_with_small_window(&server).await;
    assert!(matches!(
        edge.receive().await.unwrap(),
        Some(ToEdge::Welcome { .. })
    ));
    // The control plane receives all interests before it can respond to the first.
    server.store.set_unreachable(true);
    for n in 0..ROOMS {
        edge.send(interest(&format!("user:{n:0120}"), None)).await;
    }
    edge.send(FromEdge::Ping { nonce: 1 }).await;
    while !matches!(edge.receive().await.unwrap(), Some(ToEdge::Pong { .. })) {}
    server.store.set_unreachable(false);
    // An edge that attaches later is served while this edge takes nothing.
    let mut neighbour = Edge::start(&server).await;
    neighbour.send(interest("user:zoe", None)).await;
    neighbour.receive_snapshot().await;
    let mut rooms = std::collections::BTreeSet::new();
    while rooms.len() < ROOMS {
        match edge.receive().await.unwrap() {
            Some(ToEdge::Snapshot { room, .. }) => assert!(rooms.insert(room)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_edge_that_is_up_to_date_in_many_rooms_follows_all_of_them() {
    const ROOMS: usize = 2_000;
    let server = TestServer::start().await;
    let mut edge = Edge::start(&server).await;
    for n in 0..ROOMS {
        // The edge is up to date: no update is sent that could release the permit to catch up.
        edge.send(interest(&format!("user:u{n}"), Some(Position::NONE)))
            .await;
    }
    edge.send(interest("user:zoe", None)).await;
    edge.receive_snapshot().await;
    for n in [0, ROOMS - 1] {
        let user = format!("u{n}").parse().unwrap();
        server.store.disconnect_user(&user, "test").await.unwrap();
        assert_eq!(edge.receive_offsets().await, [1]);
    }
}

#[tokio::test]
async fn a_link_whose_first_message_is_not_hello_is_invalid() {
    let server = TestServer::start().await;
    let status = Edge::attach(&server, FromEdge::Ping { nonce: 1 })
        .await
        .err()
        .unwrap();
    assert_eq!(
        (status.code(), invalid_fields(&status)),
        (Code::InvalidArgument, vec!["hello".to_owned()])
    );
}

#[tokio::test]
async fn an_invalid_room_ends_the_link() {
    let server = TestServer::start().await;
    let mut edge = Edge::start(&server).await;
    let interest = v1::Interest {
        room: "lobby".into(),
        after: None,
        after_mark: 0,
    };
    let item = Some(v1::attach_request::Item::Interest(interest));
    edge.send_unchecked(v1::AttachRequest { item }).await;
    let status = edge.receive().await.unwrap_err();
    assert_eq!(
        (status.code(), invalid_fields(&status)),
        (Code::InvalidArgument, vec!["interest.room".to_owned()])
    );
}

#[tokio::test]
async fn a_log_is_read_after_an_offset() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        server.publish("s1").await;
    }
    let read = ReadLog {
        room: room("session:s1"),
        after: Offset(1),
    };
    let slice = LogSlice::try_from(
        server
            .edge()
            .read_log(v1::ReadLogRequest::from(read))
            .await
            .unwrap()
            .into_inner(),
    );
    let slice = slice.unwrap();
    assert_eq!(
        (slice.first, slice.tail, slice.entries.len()),
        (Offset(1), Offset(3), 2)
    );
    assert_eq!(slice.entries[0].position.offset, Offset(2));
    assert_ne!(slice.after_mark, Mark::UNKNOWN);
}

#[tokio::test]
async fn an_interest_with_a_position_of_another_epoch_is_reset() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut edge = Edge::start(&server).await;
    edge.send(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { reset: false, .. }) = edge.receive().await.unwrap() else {
        panic!("not the first snapshot")
    };
    let elsewhere = Position::new(Epoch::from_random(7), Offset(1));
    edge.send(interest("session:s1", Some(elsewhere))).await;
    let Some(ToEdge::Snapshot { reset: true, .. }) = edge.receive().await.unwrap() else {
        panic!("no reset")
    };
}
