//! `WatchEvents`: replay, then live, or a reset.

use roomcast_proto::v1::{self, event::Body, watch_events_response::Item};
use roomcast_store::StoreLimits;
use tonic::{Code, Streaming};

use crate::{
    harness::TestServer,
    requests::{code_and_reason, offset, select, watch},
};

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
async fn a_watch_replays_the_log_and_then_delivers_live_events() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    server
        .backend()
        .select_role(select("s1", "carol", v1::Role::Observer))
        .await
        .unwrap();
    let mut events = server
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
        server.publish("s1").await;
        assert_eq!(next_event(&mut events).await.0, at);
    }
}

#[tokio::test]
async fn a_watch_continues_after_its_position() {
    let server = TestServer::start().await;
    let first = server.publish("s1").await.event.unwrap().position;
    server.publish("s1").await;
    let mut events = server
        .backend()
        .watch_events(watch("s1", first))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 2);
}

#[tokio::test]
async fn a_user_can_be_watched_before_their_first_event() {
    let server = TestServer::start().await;
    let room = Some(v1::watch_events_request::Room::UserId("alice".into()));
    let request = v1::WatchEventsRequest { room, after: None };
    let mut events = server.backend().watch_events(request).await.unwrap().into_inner();
    let disconnect = v1::DisconnectUserRequest {
        user_id: "alice".into(),
        reason: "bye".into(),
    };
    server.backend().disconnect_user(disconnect).await.unwrap();
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
    let limits = StoreLimits {
        log_entries: 3,
        ..StoreLimits::default()
    };
    let server = TestServer::with(roomcast_control_plane::Config::default(), limits).await;
    let first = server.publish("s1").await.event.unwrap().position.unwrap();
    for _ in 0..6 {
        server.publish("s1").await;
    }
    let other_epoch = v1::Position {
        epoch: "0123456789ab".into(),
        offset: 1,
    };
    for after in [first, other_epoch] {
        let mut events = server
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
    let mut oldest = server
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut oldest).await.0, 5);
}

#[tokio::test]
async fn a_watch_survives_an_unreachable_store() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut events = server
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 1);
    server.store.set_unreachable(true);
    let status = server
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::Unavailable, "STORE_UNAVAILABLE".into())
    );
    server.store.set_unreachable(false);
    server.publish("s1").await;
    assert_eq!(next_event(&mut events).await.0, 2);
}

#[tokio::test]
async fn a_drain_ends_a_watch_with_unavailable() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut events = server
        .backend()
        .watch_events(watch("s1", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(next_event(&mut events).await.0, 1);
    server.shutdown.begin("test");
    assert_eq!(
        code_and_reason(&events.message().await.unwrap_err()),
        (Code::Unavailable, "DRAINING".into())
    );
}
