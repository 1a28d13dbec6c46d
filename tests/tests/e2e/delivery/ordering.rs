//! The order of events, and idempotency, when several control planes work at the same time.

use roomcast_proto::v1::{self, watch_events_request::Room, watch_events_response::Item};
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, Redis, session, token, within};
use serde_json::json;

struct TwoPlanes {
    _redis: Redis,
    _planes: [Process; 2],
    edges: [Process; 2],
    backends: [Backend; 2],
}

impl TwoPlanes {
    async fn start() -> Self {
        let redis = Redis::start().await;
        let planes = [
            Process::control_plane(&redis.url(), &[]).await,
            Process::control_plane(&redis.url(), &[]).await,
        ];
        let edges = [
            Process::edge(&[planes[0].addr("grpc")], &[]).await,
            Process::edge(&[planes[1].addr("grpc")], &[]).await,
        ];
        for process in planes.iter().chain(&edges) {
            process.ready().await;
        }
        let backends = [
            Backend::connect(planes[0].addr("grpc")).await,
            Backend::connect(planes[1].addr("grpc")).await,
        ];
        Self {
            _redis: redis,
            _planes: planes,
            edges,
            backends,
        }
    }
}

/// The first `last` events of a session's log, read from one control plane.
async fn log(backend: &mut Backend, id: &str, last: u64) -> Vec<v1::Event> {
    let request = v1::WatchEventsRequest {
        room: Some(Room::SessionId(id.to_owned())),
        after: None,
    };
    let mut stream = backend.0.watch_events(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while events.len() < usize::try_from(last).unwrap() {
        let next = within("an event", stream.message()).await.unwrap().unwrap();
        match next.item {
            Some(Item::Event(event)) => events.push(event),
            other => panic!("{other:?}"),
        }
    }
    events
}

/// The next events of a socket up to this status: each name, and the field that identifies the event.
async fn received(browser: &mut Browser, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let (name, payload, _) = browser.next_event().await;
        let id = [
            &payload["session"]["status"],
            &payload["userId"],
            &payload["feedbackId"],
        ]
        .into_iter()
        .find_map(|field| field.as_str())
        .unwrap()
        .to_owned();
        let done = id == last;
        seen.push(format!("{name} {id}"));
        if done {
            return seen;
        }
    }
}

/// The same text as of [`received`], from the log.
fn line(event: &v1::Event) -> String {
    use v1::event::Body;
    match event.body.as_ref().unwrap() {
        Body::SessionUpdated(it) => format!("session-updated {}", it.session.as_ref().unwrap().status),
        Body::RoleSelected(it) => format!("role-selected {}", it.user_id),
        Body::FeedbackUpdated(it) => format!("feedback-updated {}", it.feedback_id),
        Body::ParticipantRemoved(_)
        | Body::FeedbackRequired(_)
        | Body::FeedbackGiven(_)
        | Body::UserDisconnected(_) => panic!("{event:?}"),
    }
}

/// An event's offset, and the seconds and nanoseconds of its publication.
fn offset_and_time(event: &Option<v1::EventRef>) -> (u64, (i64, i32)) {
    let event = event.as_ref().unwrap();
    let at = event.published_at.unwrap();
    (event.position.as_ref().unwrap().offset, (at.seconds, at.nanos))
}

/// A session without participants in the request: the list in the store is unchanged.
fn status_only(status: &str) -> v1::Session {
    v1::Session {
        participants: None,
        ..session("s1", status, "")
    }
}

/// Opens sockets of Alice and of Bob at each edge, and joins the session with each.
async fn join_at_both_edges(cluster: &TwoPlanes, browsers: &Browsers) -> Vec<Browser> {
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        for (user, transport) in [("alice", "websocket"), ("bob", "polling")] {
            let options = json!({ "token": token(user), "transports": [transport] });
            let mut browser = browsers.open_with(&edge.url(), options).await;
            browser.connected().await;
            browser.join("s1").await;
            sockets.push(browser);
        }
    }
    sockets
}

/// Makes 20 calls of one kind; the number of the backend selects the kind.
async fn make_calls(mut backend: Backend, n: usize) {
    for m in 0..20 {
        match n / 2 {
            0 => {
                backend.publish(status_only(&format!("{n}.{m}"))).await;
            }
            1 => {
                let user = format!("watcher{n}.{m}");
                backend.select_role("s1", &user, "observer").await.unwrap();
            }
            _ => {
                let request = v1::UpdateFeedbackRequest {
                    session_id: "s1".to_owned(),
                    feedback_id: format!("f{n}.{m}"),
                    ..Default::default()
                };
                backend.update_feedback(request).await;
            }
        }
    }
}

/// Reads the log up to this offset from both control planes, checks that it has no gap and that the times are in order, and
/// returns the lines of the events after the first.
async fn complete_log(cluster: &mut TwoPlanes, last: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for backend in &mut cluster.backends {
        let log = log(backend, "s1", last).await;
        let (offsets, times): (Vec<_>, Vec<_>) =
            log.iter().map(|event| offset_and_time(&event.r#ref)).unzip();
        assert_eq!(offsets, (1..=last).collect::<Vec<_>>());
        assert!(times.is_sorted(), "{times:?}");
        lines.push(log[1..].iter().map(line).collect::<Vec<_>>());
    }
    assert_eq!(lines[0], lines[1]);
    lines.swap_remove(0)
}

#[tokio::test]
async fn i1_i3_sockets_receive_exactly_the_log_and_the_log_has_no_gap() {
    let mut cluster = TwoPlanes::start().await;
    let browsers = Browsers::start(Client::Js48);
    cluster.backends[0]
        .publish(session("s1", "start", "alice=interviewer bob=interviewee"))
        .await;
    let mut sockets = join_at_both_edges(&cluster, &browsers).await;
    let tasks: Vec<_> = (0..6)
        .map(|n| tokio::spawn(make_calls(cluster.backends[n % 2].clone(), n)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let end = cluster.backends[1].publish(status_only("end")).await;
    let last = offset_and_time(&end.event).0;
    assert_eq!(last, 122);
    let lines = complete_log(&mut cluster, last).await;
    for socket in &mut sockets {
        assert_eq!(received(socket, "end").await, lines);
    }
}

#[tokio::test]
async fn a_request_id_used_at_two_control_planes_takes_effect_once() {
    let mut cluster = TwoPlanes::start().await;
    let browsers = Browsers::start(Client::Js48);
    cluster.backends[0]
        .publish(session("s1", "start", "alice=interviewer"))
        .await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    let [left, right] = &mut cluster.backends;
    let mut expected = Vec::new();
    for n in 0..40 {
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session("s1", &n.to_string(), "alice=interviewer")),
            request_id: format!("request {n}"),
            ..Default::default()
        };
        let (one, other) = tokio::join!(
            left.0.publish_session_update(request.clone()),
            right.0.publish_session_update(request),
        );
        let (one, other) = (one.unwrap().into_inner(), other.unwrap().into_inner());
        assert!(one.duplicate != other.duplicate, "{n}: {one:?} {other:?}");
        assert_eq!((one.event, one.revision), (other.event, other.revision));
        expected.push(format!("session-updated {n}"));

        let request = v1::RequireFeedbackRequest {
            session_id: "s1".to_owned(),
            user_ids: vec!["bob".to_owned(), "carol".to_owned()],
            request_id: format!("feedback {n}"),
        };
        let (one, other) = tokio::join!(
            left.0.require_feedback(request.clone()),
            right.0.require_feedback(request),
        );
        let (one, other) = (one.unwrap().into_inner(), other.unwrap().into_inner());
        assert_eq!(one.event, other.event, "{n}");
        assert!(one.duplicate != other.duplicate, "{n}: {one:?} {other:?}");
    }
    assert_eq!(received(&mut alice, "39").await, expected);
}

#[tokio::test]
async fn pending_feedback_ends_on_every_edge() {
    let mut cluster = TwoPlanes::start().await;
    let browsers = Browsers::start(Client::Js48);
    let [first, second] = &mut cluster.backends;
    first.publish(session("s1", "done", "alice=interviewer")).await;
    let mut here = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    let mut there = browsers.connect(&cluster.edges[1].url(), &token("alice")).await;
    second.require_feedback("s1", &[]).await;
    for socket in [&mut here, &mut there] {
        assert_eq!(
            socket.expect_event("feedback-required").await,
            json!({ "sessionId": "s1" })
        );
    }
    let request = v1::UpdateFeedbackRequest {
        session_id: "s1".to_owned(),
        feedback_id: "f1".to_owned(),
        author_id: "alice".to_owned(),
        ..Default::default()
    };
    second.update_feedback(request).await;
    // A new connection to any edge has no reminder: its first event is the next required feedback, which every socket
    // receives once.
    let mut sockets = vec![here, there];
    for edge in &cluster.edges {
        sockets.push(browsers.connect(&edge.url(), &token("alice")).await);
    }
    first.publish(session("s2", "done", "alice=interviewer")).await;
    first.require_feedback("s2", &[]).await;
    for socket in &mut sockets {
        assert_eq!(
            socket.expect_event("feedback-required").await,
            json!({ "sessionId": "s2" })
        );
    }
}

#[tokio::test]
async fn i2_an_acknowledged_publish_can_be_read_at_its_position() {
    let mut cluster = TwoPlanes::start().await;
    for n in 0..50 {
        let [writer, reader] = &mut cluster.backends;
        let status = n.to_string();
        let published = writer.publish(session("s1", &status, "alice=interviewer")).await;
        let published = published.event.unwrap();
        // Reads the log from the other control plane, right after the response.
        let position = published.position.clone().unwrap();
        let before = (position.offset > 1).then(|| v1::Position {
            offset: position.offset - 1,
            ..position
        });
        let request = v1::WatchEventsRequest {
            room: Some(Room::SessionId("s1".to_owned())),
            after: before,
        };
        let mut stream = reader.0.watch_events(request).await.unwrap().into_inner();
        let next = within("the event", stream.message()).await.unwrap().unwrap();
        let Some(Item::Event(event)) = next.item else {
            panic!("{next:?}")
        };
        assert_eq!(line(&event), format!("session-updated {status}"));
        assert_eq!(event.r#ref.unwrap(), published);
        cluster.backends.swap(0, 1);
    }
}

#[tokio::test]
async fn i9_two_edges_deliver_identical_events_with_identical_cursors() {
    const EVENTS: usize = 60;
    let mut cluster = TwoPlanes::start().await;
    let browsers = Browsers::start(Client::Js48);
    cluster.backends[0]
        .publish(session("s1", "start", "alice=interviewer"))
        .await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
        alice.join("s1").await;
        sockets.push(alice);
    }
    for n in 0..EVENTS {
        let backend = &mut cluster.backends[n % 2];
        let user = format!("observer{n}");
        backend.select_role("s1", &user, "observer").await.unwrap();
    }
    for _ in 0..EVENTS {
        let (one, other) = (sockets[0].next_event().await, sockets[1].next_event().await);
        assert_eq!(one, other);
    }
}
