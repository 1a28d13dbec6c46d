//! Processes that start in any order, and exit in time after a signal.

use std::net::TcpListener;

use roomcast_proto::v1::{
    AttachRequest, AttachResponse, Hello, attach_request::Item, attach_response::Item as Sent,
    edge_service_client::EdgeServiceClient,
};
use roomcast_tests::{Backend, Browsers, Client, DEADLINE, Process, Redis, get, session, token, within};
use tokio_stream::StreamExt;
use tonic::Streaming;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn processes_start_in_any_order() {
    let mut redis = Redis::start().await;
    redis.kill().await;
    let grpc = format!("127.0.0.1:{}", free_port());
    let edge = Process::edge(&[grpc.parse().unwrap()], &[]).await;
    assert!(edge.not_ready().await.contains("link"));
    let args = ["control-plane", "--redis-url", &redis.url(), "--grpc-addr", &grpc];
    let control_plane = Process::start(&[&args[..], &["--admin-addr", "127.0.0.1:0"]].concat(), &[]).await;
    assert!(control_plane.not_ready().await.contains("store"));
    for process in [&edge, &control_plane] {
        assert_eq!(get(process.addr("admin"), "/livez").await.unwrap().0, 200);
    }
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    redis.restart().await;
    control_plane.ready().await;
    edge.ready().await;
    let mut backend = Backend::connect(control_plane.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    // The event reaches a socket that was connected before its user's room existed.
    backend.require_feedback("s1", &[]).await;
    alice.expect_event("feedback-required").await;
    alice.join("s1").await;
    backend.publish(session("s1", "b", "alice=observer")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "b"
    );
}

/// A link of an edge that stays attached when the control plane drains.
async fn stubborn_edge(control_plane: &Process) -> Streaming<AttachResponse> {
    let url = format!("http://{}", control_plane.addr("grpc"));
    let mut client = EdgeServiceClient::connect(url).await.unwrap();
    let (edge_id, version) = ("stubborn".to_owned(), "0".to_owned());
    let hello = AttachRequest {
        item: Some(Item::Hello(Hello { edge_id, version })),
    };
    let requests = tokio_stream::once(hello).chain(tokio_stream::pending());
    let mut link = client.attach(requests).await.unwrap().into_inner();
    assert!(within("a welcome", link.message()).await.unwrap().is_some());
    link
}

#[tokio::test]
async fn a_control_plane_whose_edge_stays_attached_exits_at_the_drain_timeout() {
    let redis = Redis::start().await;
    for second in [None, Some("TERM")] {
        let mut control_plane = Process::control_plane(&redis.url(), &[]).await;
        control_plane.ready().await;
        let mut link = stubborn_edge(&control_plane).await;
        control_plane.signal("INT");
        let reason = control_plane.not_ready().await;
        assert!(reason.contains("draining"), "{reason}");
        let sent = within("GoAway", link.message()).await.unwrap().unwrap();
        assert!(matches!(sent.item, Some(Sent::GoAway(_))), "{sent:?}");
        if let Some(second) = second {
            control_plane.signal(second);
            assert_eq!(control_plane.exited().await.code(), Some(143));
        } else {
            assert!(control_plane.exited().await.success());
        }
    }
}

#[tokio::test]
async fn a_second_signal_ends_an_edge_without_a_drain() {
    let dev = Process::dev(&[]).await;
    let mut edge = Process::edge(&[dev.addr("grpc")], &["--drain-rate", "1"]).await;
    edge.ready().await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(browsers.connect(&edge.url(), &token("alice")).await);
    }
    edge.signal("TERM");
    let reason = edge.not_ready().await;
    assert!(reason.contains("draining"), "{reason}");
    edge.signal("TERM");
    assert_eq!(edge.exited().await.code(), Some(143));
}

#[tokio::test]
async fn a_drain_ends_at_its_timeout_when_the_rate_is_too_low() {
    // At this rate, the drain of so many sockets would take longer than the deadline of `exited`.
    let sockets_at_one_per_second = usize::try_from(DEADLINE.as_secs() * 3 / 2).unwrap();
    let dev = &mut Process::dev(&["--drain-rate", "1", "--drain-timeout", "2s"]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    for _ in 0..sockets_at_one_per_second {
        sockets.push(browsers.connect(&dev.url(), &token("alice")).await);
    }
    dev.signal("TERM");
    dev.exited().await;
    for socket in &mut sockets {
        assert!(socket.disconnected().await.starts_with("transport"));
    }
}
