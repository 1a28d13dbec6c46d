//! The link, as an edge sees it.

use roomcast_core::{Epoch, LogSlice, Mark, Offset, Position, Role, RoomId, RoomState, SessionCommand};
use roomcast_proto::{
    link::{FromEdge, Load, ReadLog, ToEdge},
    v1::{self, edge_service_client::EdgeServiceClient},
};
use roomcast_store::Store as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::world::{World, fields, select, told};

/// An edge's end of a link.
pub(crate) struct Edge {
    said: mpsc::Sender<v1::AttachRequest>,
    heard: Streaming<v1::AttachResponse>,
}

impl Edge {
    /// Says `first`, which ought to be hello, and waits for the answer.
    pub(crate) async fn attach(world: &World, first: FromEdge) -> Result<Self, Status> {
        Self::over(world.edge(), first).await
    }

    async fn over(mut client: EdgeServiceClient<Channel>, first: FromEdge) -> Result<Self, Status> {
        let (said, says) = mpsc::channel(64);
        said.send(first.into()).await.unwrap();
        let heard = client.attach(ReceiverStream::new(says)).await?.into_inner();
        Ok(Self { said, heard })
    }

    pub(crate) async fn start(world: &World) -> Self {
        let mut edge = Self::attach(world, hello()).await.unwrap();
        assert!(matches!(edge.hear().await.unwrap(), Some(ToEdge::Welcome { .. })));
        edge
    }

    pub(crate) async fn say(&self, said: FromEdge) {
        self.said.send(said.into()).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> Result<Option<ToEdge>, Status> {
        Ok(self.heard.message().await?.map(|heard| heard.try_into().unwrap()))
    }

    /// Ends its side, and waits for the end of the other.
    pub(crate) async fn detach(mut self) -> Result<(), Status> {
        drop(self.said);
        while self.heard.message().await?.is_some() {}
        Ok(())
    }

    async fn offsets(&mut self) -> Vec<u64> {
        match self.hear().await.unwrap() {
            Some(ToEdge::Entries { entries, .. }) => {
                entries.iter().map(|entry| entry.position.offset.0).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn hello() -> FromEdge {
    FromEdge::Hello {
        edge: "edge-1".into(),
        version: "0.1.0".into(),
    }
}

fn room(name: &str) -> RoomId {
    name.parse().unwrap()
}

fn interest(name: &str, after: Option<Position>) -> FromEdge {
    FromEdge::Interest {
        room: room(name),
        after,
    }
}

/// The echo of a keepalive to the only edge.
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
    let world = World::start().await;
    let mut edge = Edge::start(&world).await;
    edge.say(FromEdge::Ping { nonce: 7 }).await;
    assert_eq!(edge.hear().await.unwrap(), Some(pong(7)));
    edge.detach().await.unwrap();
}

#[tokio::test]
async fn an_interest_without_a_position_begins_with_a_snapshot() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut edge = Edge::start(&world).await;
    edge.say(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { snapshot, .. }) = edge.hear().await.unwrap() else {
        panic!("no snapshot")
    };
    let RoomState::Session(session) = &snapshot.state else {
        panic!("a user's state")
    };
    assert_eq!((session.id.as_str(), snapshot.position.offset), ("s1", Offset(1)));
    world
        .backend()
        .select_role(select("s1", "carol", v1::Role::Observer))
        .await
        .unwrap();
    assert_eq!(edge.offsets().await, [2]);
    world.publish("s1").await;
    assert_eq!(edge.offsets().await, [3]);
}

#[tokio::test]
async fn an_interest_is_served_once_the_store_is_back() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut edge = Edge::start(&world).await;
    world.store.set_away(true);
    edge.say(interest("session:s1", None)).await;
    edge.say(FromEdge::Ping { nonce: 1 }).await;
    assert_eq!(edge.hear().await.unwrap(), Some(pong(1)));
    world.store.set_away(false);
    assert!(matches!(
        edge.hear().await.unwrap(),
        Some(ToEdge::Snapshot { .. })
    ));
}

#[tokio::test]
async fn an_interest_with_a_position_goes_on_after_it() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut edge = Edge::start(&world).await;
    edge.say(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { snapshot, .. }) = edge.hear().await.unwrap() else {
        panic!("no snapshot")
    };
    edge.detach().await.unwrap();
    world.publish("s1").await;
    world.publish("s1").await;
    let mut edge = Edge::start(&world).await;
    edge.say(interest("session:s1", Some(snapshot.position))).await;
    assert_eq!(edge.offsets().await, [2, 3]);
}

#[tokio::test]
async fn the_room_of_a_session_that_does_not_exist_is_gone() {
    let world = World::start().await;
    let mut edge = Edge::start(&world).await;
    edge.say(interest("session:s1", None)).await;
    assert_eq!(
        edge.hear().await.unwrap(),
        Some(ToEdge::SessionNotFound {
            room: room("session:s1")
        })
    );
}

#[tokio::test]
async fn a_forgotten_room_is_fed_no_more_and_others_are() {
    let world = World::start().await;
    world.publish("s1").await;
    world.publish("s2").await;
    let mut edge = Edge::start(&world).await;
    for name in ["session:s1", "session:s2"] {
        edge.say(interest(name, None)).await;
        assert!(matches!(
            edge.hear().await.unwrap(),
            Some(ToEdge::Snapshot { .. })
        ));
    }
    edge.say(FromEdge::EndInterest {
        room: room("session:s1"),
    })
    .await;
    edge.say(FromEdge::Ping { nonce: 1 }).await;
    assert_eq!(edge.hear().await.unwrap(), Some(pong(1)));
    // The hub takes what one follower says in order: what the next interest brings shows that it has forgotten.
    edge.say(interest("user:alice", None)).await;
    assert!(matches!(
        edge.hear().await.unwrap(),
        Some(ToEdge::Snapshot { .. })
    ));
    world.publish("s1").await;
    world.publish("s2").await;
    match edge.hear().await.unwrap() {
        Some(ToEdge::Entries { room: fed, .. }) => assert_eq!(fed, room("session:s2")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_edges_see_one_order() {
    let world = World::start().await;
    world.publish("s1").await;
    let (mut one, mut two) = (Edge::start(&world).await, Edge::start(&world).await);
    for edge in [&mut one, &mut two] {
        edge.say(interest("session:s1", None)).await;
        assert!(matches!(
            edge.hear().await.unwrap(),
            Some(ToEdge::Snapshot { .. })
        ));
    }
    for at in 2..30 {
        world.publish("s1").await;
        assert_eq!((one.offsets().await, two.offsets().await), (vec![at], vec![at]));
    }
}

#[tokio::test]
async fn an_edge_that_takes_nothing_is_cut_and_disturbs_nobody() {
    let world = World::start().await;
    world.publish("s1").await;
    // A small window, so that what waits, waits in the control plane.
    let endpoint = Endpoint::from_shared(format!("http://{}", world.addr)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(65_535);
    let mut stalled = Edge::over(EdgeServiceClient::new(endpoint.connect_lazy()), hello())
        .await
        .unwrap();
    stalled.say(interest("session:s1", None)).await;
    let mut neighbour = Edge::start(&world).await;
    neighbour.say(interest("session:s1", None)).await;
    assert!(matches!(
        neighbour.hear().await.unwrap(),
        Some(ToEdge::Snapshot { .. })
    ));
    let mut last = 1;
    for _ in 0..8_000 {
        let command = SessionCommand::SelectRole {
            user: "carol".parse().unwrap(),
            role: Role::Observer,
        };
        world
            .store
            .execute(&"s1".parse().unwrap(), &command, None)
            .await
            .unwrap();
        for at in neighbour.offsets().await {
            assert_eq!(at, last + 1, "I1");
            last = at;
        }
    }
    let end = loop {
        match stalled.hear().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(told(&end), (Code::Unavailable, "TOO_SLOW".into()), "{end:?}");
}

#[tokio::test]
async fn an_edge_that_asks_for_more_rooms_than_its_queue_holds_gets_all_of_them() {
    // With long names they fill the connection's buffers, too.
    const ROOMS: usize = 12_000;
    let world = World::start().await;
    // A small window, so that what the edge has not taken waits in the control plane.
    let endpoint = Endpoint::from_shared(format!("http://{}", world.addr)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(65_535);
    let mut edge = Edge::over(EdgeServiceClient::new(endpoint.connect_lazy()), hello())
        .await
        .unwrap();
    assert!(matches!(edge.hear().await.unwrap(), Some(ToEdge::Welcome { .. })));
    // All of them are asked for before the first can be answered.
    world.store.set_away(true);
    for n in 0..ROOMS {
        edge.say(interest(&format!("user:{n:0120}"), None)).await;
    }
    edge.say(FromEdge::Ping { nonce: 1 }).await;
    while !matches!(edge.hear().await.unwrap(), Some(ToEdge::Pong { .. })) {}
    world.store.set_away(false);
    // Whoever asks later is served while the edge takes nothing.
    let mut neighbour = Edge::start(&world).await;
    neighbour.say(interest("user:zoe", None)).await;
    assert!(matches!(
        neighbour.hear().await.unwrap(),
        Some(ToEdge::Snapshot { .. })
    ));
    let mut rooms = std::collections::BTreeSet::new();
    while rooms.len() < ROOMS {
        match edge.hear().await.unwrap() {
            Some(ToEdge::Snapshot { room, .. }) => assert!(rooms.insert(room)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_edge_that_asks_with_positions_for_many_rooms_is_fed_each_of_them() {
    const ROOMS: usize = 2_000;
    let world = World::start().await;
    let mut edge = Edge::start(&world).await;
    for n in 0..ROOMS {
        // Up to date: nothing is sent that could end the room's turn.
        edge.say(interest(&format!("user:u{n}"), Some(Position::NONE)))
            .await;
    }
    edge.say(interest("user:zoe", None)).await;
    assert!(matches!(
        edge.hear().await.unwrap(),
        Some(ToEdge::Snapshot { .. })
    ));
    for n in [0, ROOMS - 1] {
        let user = format!("u{n}").parse().unwrap();
        world.store.disconnect_user(&user, "test").await.unwrap();
        assert_eq!(edge.offsets().await, [1]);
    }
}

#[tokio::test]
async fn who_does_not_say_hello_first_is_refused() {
    let world = World::start().await;
    let status = Edge::attach(&world, FromEdge::Ping { nonce: 1 })
        .await
        .err()
        .unwrap();
    assert_eq!(
        (status.code(), fields(&status)),
        (Code::InvalidArgument, vec!["hello".to_owned()])
    );
}

#[tokio::test]
async fn a_room_that_is_none_ends_the_link() {
    let world = World::start().await;
    let mut edge = Edge::start(&world).await;
    let interest = v1::Interest {
        room: "lobby".into(),
        after: None,
        after_mark: 0,
    };
    let item = Some(v1::attach_request::Item::Interest(interest));
    edge.said.send(v1::AttachRequest { item }).await.unwrap();
    let status = edge.hear().await.unwrap_err();
    assert_eq!(
        (status.code(), fields(&status)),
        (Code::InvalidArgument, vec!["interest.room".to_owned()])
    );
}

#[tokio::test]
async fn a_log_is_read_after_an_offset() {
    let world = World::start().await;
    for _ in 0..3 {
        world.publish("s1").await;
    }
    let read = ReadLog {
        room: room("session:s1"),
        after: Offset(1),
    };
    let slice = LogSlice::try_from(
        world
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
async fn an_interest_whose_position_means_nothing_is_reset() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut edge = Edge::start(&world).await;
    edge.say(interest("session:s1", None)).await;
    let Some(ToEdge::Snapshot { reset: false, .. }) = edge.hear().await.unwrap() else {
        panic!("no beginning")
    };
    let elsewhere = Position::new(Epoch::from_random(7), Offset(1));
    edge.say(interest("session:s1", Some(elsewhere))).await;
    let Some(ToEdge::Snapshot { reset: true, .. }) = edge.hear().await.unwrap() else {
        panic!("no reset")
    };
}
