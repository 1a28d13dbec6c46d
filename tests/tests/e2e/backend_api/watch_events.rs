//! `WatchEvents` of a session and of a user: from the start, from a position, and after a gap; and the health service.

use roomcast_proto::v1::{self, event::Body, watch_events_request::Room, watch_events_response::Item};
use roomcast_tests::{Backend, Process, Redis, eventually, grpcurl, grpcurl_until, reason, session, within};
use serde_json::json;
use tonic::{Code, Status, Streaming};

async fn watch(
    backend: &mut Backend,
    room: Room,
    after: Option<v1::Position>,
) -> Streaming<v1::WatchEventsResponse> {
    let request = v1::WatchEventsRequest {
        room: Some(room),
        after,
    };
    within("a stream", backend.0.watch_events(request))
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Streaming<v1::WatchEventsResponse>) -> Result<Item, Status> {
    let next = within("an event", stream.message()).await?;
    Ok(next.expect("no end").item.expect("an item"))
}

fn status(item: Item) -> String {
    let Item::Event(v1::Event {
        body: Some(Body::SessionUpdated(update)),
        ..
    }) = item
    else {
        panic!("{item:?}")
    };
    update.session.unwrap().status
}

fn session_room(id: &str) -> Room {
    Room::SessionId(id.to_owned())
}

#[tokio::test]
async fn a_watcher_continues_after_its_position_or_receives_a_reset() {
    let redis = Redis::start().await;
    for dev in [
        Process::dev(&["--log-entries", "5"]).await,
        Process::dev(&["--log-entries", "5", "--redis-url", &redis.url()]).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let mut last = None;
        for n in 1..=9 {
            last = backend
                .publish(session("s1", &n.to_string(), "alice=observer"))
                .await
                .event
                .unwrap()
                .position;
        }
        let last = last.unwrap();
        let at = |offset: u64| {
            Some(v1::Position {
                offset,
                ..last.clone()
            })
        };
        for (after, first) in [(None, 5), (at(4), 5), (at(7), 8), (at(9), 10)] {
            let mut stream = watch(&mut backend, session_room("s1"), after).await;
            for n in first..=9 {
                assert_eq!(status(next(&mut stream).await.unwrap()), n.to_string());
            }
        }
        let elsewhere = Some(v1::Position {
            epoch: "0123456789ab".to_owned(),
            offset: 3,
        });
        for after in [at(2), elsewhere, at(77)] {
            let mut stream = watch(&mut backend, session_room("s1"), after.clone()).await;
            match next(&mut stream).await.unwrap() {
                Item::Reset(reset) => {
                    assert_eq!(reset.position.unwrap(), last, "{after:?}");
                    assert_eq!(reset.session.unwrap().status, "9");
                }
                Item::Event(other) => panic!("{after:?}: {other:?}"),
            }
        }
        let request = v1::WatchEventsRequest {
            room: Some(session_room("s1")),
            after: Some(v1::Position {
                epoch: "x".to_owned(),
                offset: 1,
            }),
        };
        let error = backend.0.watch_events(request).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        let error = backend
            .0
            .watch_events(v1::WatchEventsRequest::default())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_user_room_contains_pending_feedback_and_disconnections() {
    let redis = Redis::start().await;
    for dev in [
        Process::dev(&[]).await,
        Process::dev(&["--redis-url", &redis.url()]).await,
    ] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        // An unknown user has an empty stream.
        let mut stream = watch(&mut backend, Room::UserId("alice".to_owned()), None).await;
        backend.publish(session("s1", "a", "alice=observer")).await;
        let required = backend.require_feedback("s1", &["alice"]).await.event.remove(0);
        let given = v1::UpdateFeedbackRequest {
            session_id: "s1".to_owned(),
            feedback_id: "f1".to_owned(),
            author_id: "alice".to_owned(),
            ..Default::default()
        };
        backend.update_feedback(given).await;
        backend.disconnect("alice").await;
        let mut bodies = Vec::new();
        for _ in 0..3 {
            match next(&mut stream).await.unwrap() {
                Item::Event(event) => {
                    if bodies.is_empty() {
                        assert_eq!(event.r#ref.as_ref(), Some(&required));
                    }
                    bodies.push(event.body.unwrap());
                }
                Item::Reset(other) => panic!("{other:?}"),
            }
        }
        let expected = [
            Body::FeedbackRequired(v1::FeedbackRequired {
                session_id: "s1".to_owned(),
            }),
            Body::FeedbackGiven(v1::FeedbackGiven {
                session_id: "s1".to_owned(),
            }),
            Body::UserDisconnected(v1::UserDisconnected {
                reason: "test".to_owned(),
            }),
        ];
        assert_eq!(bodies, expected);
        let watch = "ADDR roomcast.v1.SessionService/WatchEvents";
        let request = r#"{"user_id":"alice"}"#;
        let watched = grpcurl_until(dev.addr("grpc"), watch, request, "\"feedbackRequired\"").await;
        assert!(watched.contains("user:alice"), "{watched}");
    }
}

#[tokio::test]
async fn a_watcher_of_a_draining_control_plane_continues_at_another() {
    let redis = Redis::start().await;
    let mut draining = Process::control_plane(&redis.url(), &[]).await;
    let other = Process::control_plane(&redis.url(), &[]).await;
    draining.ready().await;
    other.ready().await;
    let mut first = Backend::connect(draining.addr("grpc")).await;
    let mut second = Backend::connect(other.addr("grpc")).await;
    let position = first
        .publish(session("s1", "a", "alice=observer"))
        .await
        .event
        .unwrap()
        .position;
    let mut stream = watch(&mut first, session_room("s1"), position.clone()).await;
    draining.signal("TERM");
    let error = next(&mut stream).await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unavailable, "DRAINING".to_owned())
    );
    second.publish(session("s1", "b", "alice=observer")).await;
    let mut stream = watch(&mut second, session_room("s1"), position).await;
    match next(&mut stream).await.unwrap() {
        Item::Event(event) => assert_eq!(event.r#ref.unwrap().position.unwrap().offset, 2),
        Item::Reset(other) => panic!("{other:?}"),
    }
    assert!(draining.exited().await.success());
}

#[tokio::test]
async fn health_follows_the_store() {
    let mut redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &[]).await;
    let grpc = control_plane.addr("grpc");
    let becomes = async |status: &str| {
        let status = json!(status);
        eventually("the health", || async {
            let checked = grpcurl(grpc, "ADDR grpc.health.v1.Health/Check", "{}").await;
            (checked.ok && checked.json()["status"] == status).then_some(())
        })
        .await;
    };
    becomes("SERVING").await;
    redis.kill().await;
    becomes("NOT_SERVING").await;
    redis.restart().await;
    becomes("SERVING").await;
}
