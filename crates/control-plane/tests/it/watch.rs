//! WatchEvents: replay, then live, or an honest reset.

use roomcast_proto::v1::{self, event::Body, watch_events_response::Item};
use roomcast_store::StoreLimits;
use tonic::{Code, Streaming};

use crate::world::{World, offset, select, told, watch};

async fn next(events: &mut Streaming<v1::WatchEventsResponse>) -> Item {
    events.message().await.unwrap().unwrap().item.unwrap()
}

async fn next_event(events: &mut Streaming<v1::WatchEventsResponse>) -> (u64, Body) {
    match next(events).await {
        Item::Event(event) => (offset(event.r#ref.as_ref()), event.body.unwrap()),
        Item::Reset(reset) => panic!("{reset:?}"),
    }
}

#[tokio::test]
async fn what_was_comes_first_and_then_what_happens() {
    let world = World::start().await;
    world.publish("s1").await;
    world
        .backend()
        .select_role(select("s1", "carol", v1::Role::Observer))
        .await
        .unwrap();
    let mut events = world
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert!(matches!(
        next_event(&mut events).await,
        (1, Body::SessionUpdated(_))
    ));
    assert!(matches!(
        next_event(&mut events).await,
        (2, Body::RoleSelected(_))
    ));
    for at in 3..40 {
        world.publish("s1").await;
        assert_eq!(next_event(&mut events).await.0, at);
    }
}

#[tokio::test]
async fn a_watch_goes_on_after_its_position() {
    let world = World::start().await;
    let first = world.publish("s1").await.event.unwrap().position;
    world.publish("s1").await;
    let mut events = world
        .backend()
        .watch_events(watch("s1", first))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 2);
}

#[tokio::test]
async fn a_watch_of_a_user_begins_before_there_is_anything() {
    let world = World::start().await;
    let room = Some(v1::watch_events_request::Room::UserId("alice".into()));
    let request = v1::WatchEventsRequest { room, after: None };
    let mut events = world.backend().watch_events(request).await.unwrap().into_inner();
    let disconnect = v1::DisconnectUserRequest {
        user_id: "alice".into(),
        reason: "bye".into(),
    };
    world.backend().disconnect_user(disconnect).await.unwrap();
    let (at, body) = next_event(&mut events).await;
    assert_eq!(
        (at, body),
        (
            1,
            Body::UserDisconnected(v1::UserDisconnected { reason: "bye".into() })
        )
    );
}

#[tokio::test]
async fn a_position_that_cannot_be_continued_is_reset() {
    let bounds = StoreLimits {
        log_entries: 3,
        ..StoreLimits::default()
    };
    let world = World::with(roomcast_control_plane::Config::default(), bounds).await;
    let first = world.publish("s1").await.event.unwrap().position.unwrap();
    for _ in 0..6 {
        world.publish("s1").await;
    }
    let other_life = v1::Position {
        epoch: "0123456789ab".into(),
        offset: 1,
    };
    for after in [first, other_life] {
        let mut events = world
            .backend()
            .watch_events(watch("s1", Some(after)))
            .await
            .unwrap()
            .into_inner();
        let Item::Reset(reset) = next(&mut events).await else {
            panic!("no reset")
        };
        assert_eq!(
            (reset.position.unwrap().offset, reset.session.unwrap().id.as_str()),
            (7, "s1")
        );
    }
    let mut oldest = world
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut oldest).await.0, 5);
}

#[tokio::test]
async fn a_watch_survives_that_the_store_is_away() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut events = world
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 1);
    world.store.set_away(true);
    let status = world.backend().watch_events(watch("s1", None)).await.unwrap_err();
    assert_eq!(told(&status), (Code::Unavailable, "STORE_UNAVAILABLE".into()));
    world.store.set_away(false);
    world.publish("s1").await;
    assert_eq!(next_event(&mut events).await.0, 2);
}

#[tokio::test]
async fn a_drain_tells_watchers_to_come_back() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut events = world
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 1);
    world.shutdown.begin("test");
    assert_eq!(
        told(&events.message().await.unwrap_err()),
        (Code::Unavailable, "DRAINING".into())
    );
}
