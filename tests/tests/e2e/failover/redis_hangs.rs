//! A Redis that accepts connections and does not respond, and one that closes its connections.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Cluster, Process, Redis, eventually, grpcurl, reason, session, token,
    within,
};
use tonic::Code;
use tonic_types::StatusExt;

struct Fixture {
    cluster: Cluster,
    backend: Backend,
    alice: Browser,
}

impl Fixture {
    /// Starts a cluster in which Alice has joined `s1`, with the status "start".
    async fn start() -> Self {
        let cluster = Cluster::start(1, 1).await;
        let mut backend = cluster.backend(0).await;
        let browsers = Browsers::start(Client::Js48);
        backend.publish(session("s1", "start", "alice=interviewer")).await;
        let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
        alice.join("s1").await;
        Self {
            cluster,
            backend,
            alice,
        }
    }

    fn request(status: &str) -> v1::PublishSessionUpdateRequest {
        v1::PublishSessionUpdateRequest {
            session: Some(session("s1", status, "alice=interviewer")),
            request_id: status.to_owned(),
            ..Default::default()
        }
    }

    /// Publishes a status, and repeats the call with the same request id until the store accepts it.
    async fn publish_when_available(&self, status: &str) -> v1::PublishSessionUpdateResponse {
        eventually("a store that accepts the command", || {
            let (mut client, request) = (self.backend.0.clone(), Self::request(status));
            async move {
                match client.publish_session_update(request).await {
                    Ok(response) => Some(response.into_inner()),
                    Err(status) => {
                        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                        None
                    }
                }
            }
        })
        .await
    }

    async fn expect_status(&mut self, status: &str) {
        assert_eq!(
            self.alice.expect_event("session-updated").await["session"]["status"],
            status
        );
    }
}

#[tokio::test]
async fn commands_are_unavailable_while_redis_hangs_and_take_effect_once() {
    let mut fixture = Fixture::start().await;
    fixture.cluster.redis.signal("STOP");
    // A caller's own deadline, which is shorter than the control plane's.
    let call = grpcurl(
        fixture.cluster.control_planes[0].addr("grpc"),
        "-max-time 0.5 ADDR roomcast.v1.SessionService/GetSession",
        r#"{"session_id":"s1"}"#,
    )
    .await;
    assert!(!call.ok && call.err.contains("DeadlineExceeded"), "{call:?}");
    for _ in 0..2 {
        // Redis does not respond before the signal below: the control plane ends the call by itself.
        let call = fixture.backend.0.publish_session_update(Fixture::request("hung"));
        let error = within("the end of a call while Redis hangs", call)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), reason(&error)),
            (Code::Unavailable, "STORE_UNAVAILABLE".to_owned())
        );
        assert!(error.get_details_retry_info().is_some(), "{error:?}");
    }
    fixture.cluster.control_planes[0].not_ready().await;
    fixture.cluster.redis.signal("CONT");
    fixture.publish_when_available("hung").await;
    fixture.publish_when_available("after").await;
    fixture.cluster.control_planes[0].ready().await;
    // The command that Redis received while it hung, and its repetitions, are one event.
    fixture.expect_status("hung").await;
    fixture.expect_status("after").await;
}

#[tokio::test]
async fn broken_redis_connections_lose_and_repeat_no_event() {
    let mut fixture = Fixture::start().await;
    for round in 0..5 {
        for kind in ["pubsub", "normal"] {
            fixture
                .cluster
                .redis
                .command(&format!("CLIENT KILL TYPE {kind} SKIPME yes"))
                .await;
            let status = format!("{round} {kind}");
            fixture.publish_when_available(&status).await;
            fixture.expect_status(&status).await;
        }
    }
}

#[tokio::test]
async fn functions_that_redis_lost_are_loaded_again() {
    let mut fixture = Fixture::start().await;
    fixture.cluster.redis.command("FUNCTION FLUSH SYNC").await;
    fixture.publish_when_available("flushed").await;
    fixture.expect_status("flushed").await;
}

#[tokio::test]
async fn deployments_with_different_prefixes_share_a_redis_in_isolation() {
    let redis = Redis::start().await;
    let ours = Process::dev(&["--redis-url", &redis.url()]).await;
    let theirs = Process::dev(&["--redis-url", &redis.url(), "--redis-prefix", "other"]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut sockets = Vec::new();
    let mut backends = Vec::new();
    for dev in [&ours, &theirs] {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        let revision = backend
            .publish(session("s1", "a", "alice=observer"))
            .await
            .revision;
        assert_eq!(revision, 1);
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        alice.join("s1").await;
        sockets.push(alice);
        backends.push(backend);
    }
    backends[0].publish(session("s1", "ours", "alice=observer")).await;
    backends[1]
        .publish(session("s1", "theirs", "alice=observer"))
        .await;
    for (socket, status) in sockets.iter_mut().zip(["ours", "theirs"]) {
        assert_eq!(
            socket.expect_event("session-updated").await["session"]["status"],
            status
        );
    }
}
