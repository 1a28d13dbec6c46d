//! A Redis that is there and does not answer, and one that breaks its connections.

use std::time::{Duration, Instant};

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Cluster, Process, Redis, eventually, grpcurl, reason, session, token,
};
use tonic::Code;
use tonic_types::StatusExt;

struct Scene {
    cluster: Cluster,
    backend: Backend,
    alice: Browser,
}

impl Scene {
    /// Alice is in s1, with the status "start".
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

    /// Publishes until it is taken, by one request id.
    async fn insists(&self, status: &str) -> v1::PublishSessionUpdateResponse {
        eventually("a store that takes commands", || {
            let (mut client, request) = (self.backend.0.clone(), Self::request(status));
            async move {
                match client.publish_session_update(request).await {
                    Ok(answer) => Some(answer.into_inner()),
                    Err(status) => {
                        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                        None
                    }
                }
            }
        })
        .await
    }

    async fn sees(&mut self, status: &str) {
        assert_eq!(
            self.alice.told("session-updated").await["session"]["status"],
            status
        );
    }
}

#[tokio::test]
async fn a_redis_that_hangs_is_unavailable_and_what_it_took_is_done_once() {
    let mut scene = Scene::start().await;
    scene.cluster.redis.signal("STOP");
    for _ in 0..2 {
        let asked = Instant::now();
        let error = scene
            .backend
            .0
            .publish_session_update(Scene::request("hung"))
            .await
            .unwrap_err();
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert_eq!(
            (error.code(), reason(&error)),
            (Code::Unavailable, "STORE_UNAVAILABLE".to_owned())
        );
        assert!(error.get_details_retry_info().is_some(), "{error:?}");
    }
    scene.cluster.control_planes[0].not_ready().await;
    // A caller's own deadline is kept too.
    let asked = Instant::now();
    let refused = grpcurl(
        scene.cluster.control_planes[0].addr("grpc"),
        "-max-time 1 ADDR roomcast.v1.SessionService/GetSession",
        r#"{"session_id":"s1"}"#,
    )
    .await;
    assert!(
        !refused.ok && asked.elapsed() < Duration::from_secs(2),
        "{refused:?}"
    );
    scene.cluster.redis.signal("CONT");
    scene.insists("hung").await;
    scene.insists("after").await;
    scene.cluster.control_planes[0].ready().await;
    // The command that Redis had taken before it hung, and its repetitions, are one event.
    scene.sees("hung").await;
    scene.sees("after").await;
}

#[tokio::test]
async fn broken_connections_of_redis_lose_and_repeat_nothing() {
    let mut scene = Scene::start().await;
    for round in 0..5 {
        for kind in ["pubsub", "normal"] {
            scene
                .cluster
                .redis
                .tell(&format!("CLIENT KILL TYPE {kind} SKIPME yes"))
                .await;
            let status = format!("{round} {kind}");
            scene.insists(&status).await;
            scene.sees(&status).await;
        }
    }
}

#[tokio::test]
async fn a_redis_that_forgot_our_functions_is_told_them_again() {
    let mut scene = Scene::start().await;
    scene.cluster.redis.tell("FUNCTION FLUSH SYNC").await;
    scene.insists("flushed").await;
    scene.sees("flushed").await;
}

#[tokio::test]
async fn deployments_with_other_prefixes_share_a_redis_without_seeing_each_other() {
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
        assert_eq!(socket.told("session-updated").await["session"]["status"], status);
    }
}
