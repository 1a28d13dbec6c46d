//! The promotion of a replica that lacks the last writes: delivered events are no longer in the log.

use roomcast_tests::{
    Browser, Browsers, Client, Process, Proxy, Redis, eventually, publish_when_available, token,
};
use serde_json::json;

/// A control plane and an edge over a primary, and a replica that can replace it.
struct Deployment {
    primary: Redis,
    replica: Redis,
    network: Proxy,
    control_plane: Process,
    edge: Process,
}

impl Deployment {
    async fn start() -> Self {
        let (primary, replica) = (Redis::start().await, Redis::start().await);
        let network = Proxy::start(primary.addr()).await;
        let url = format!("redis://{}", network.addr());
        let control_plane = Process::control_plane(&url, &[]).await;
        let edge = Process::edge(&[control_plane.addr("grpc")], &[]).await;
        edge.ready().await;
        let command = format!("REPLICAOF 127.0.0.1 {}", primary.addr().port());
        replica.command(&command).await;
        Self {
            primary,
            replica,
            network,
            control_plane,
            edge,
        }
    }

    /// Waits until the replica has every write, and then disconnects it from the primary.
    async fn detach_replica(&self) {
        let offset = async |redis: &Redis| {
            let info = redis.command("INFO replication").await;
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("master_repl_offset:"));
            let synced = info.contains("role:master") || info.contains("master_link_status:up");
            line.filter(|_| synced).map(|line| line.trim().to_owned())
        };
        eventually("a replica with every write", || async {
            (offset(&self.primary).await? == offset(&self.replica).await?).then_some(())
        })
        .await;
        self.replica.command("REPLICAOF NO ONE").await;
    }

    /// Kills the primary and puts the replica in its place.
    async fn promote(&mut self) {
        self.primary.kill().await;
        self.network.redirect(self.replica.addr());
    }

    /// Publishes as soon as the store is available.
    async fn publish(&self, status: &str) {
        publish_when_available(self.control_plane.addr("grpc"), status).await;
    }

    async fn joined_page(&self, browsers: &Browsers) -> Browser {
        let mut alice = browsers.connect(&self.edge.url(), &token("alice")).await;
        alice.join("s1").await;
        alice
    }
}

/// The next events, which must be updates to these statuses; returns the last cursor.
async fn expect_statuses(alice: &mut Browser, statuses: &[&str]) -> String {
    let mut last = String::new();
    for status in statuses {
        let (event, payload, cursor) = alice.next_event().await;
        assert_eq!(
            (&*event, &payload["session"]["status"]),
            ("session-updated", &json!(status))
        );
        last = cursor;
    }
    last
}

#[tokio::test]
async fn a_quiet_room_is_reset_when_the_new_primary_lost_delivered_events() {
    let mut deployment = Deployment::start().await;
    let browsers = Browsers::start(Client::Js48);
    deployment.publish("kept").await;
    deployment.detach_replica().await;
    let mut alice = deployment.joined_page(&browsers).await;
    deployment.publish("lost").await;
    expect_statuses(&mut alice, &["lost"]).await;
    deployment.promote().await;
    // The reset does not wait for the next publish.
    let reset = alice.expect_event("session-reset").await;
    assert_eq!(reset["session"]["status"], "kept");
    deployment.publish("next").await;
    expect_statuses(&mut alice, &["next"]).await;
}

#[tokio::test]
async fn a_room_is_reset_when_lost_offsets_are_used_again() {
    let mut deployment = Deployment::start().await;
    let browsers = Browsers::start(Client::Js48);
    deployment.publish("kept").await;
    deployment.detach_replica().await;
    let mut alice = deployment.joined_page(&browsers).await;
    let mut disconnected = deployment.joined_page(&browsers).await;
    deployment.publish("lost 1").await;
    deployment.publish("lost 2").await;
    expect_statuses(&mut alice, &["lost 1", "lost 2"]).await;
    let cursor = expect_statuses(&mut disconnected, &["lost 1", "lost 2"]).await;
    disconnected.close().await;
    // The edge notices nothing until the lost offsets are used again.
    deployment.edge.signal("STOP");
    deployment.promote().await;
    for status in ["other 1", "other 2", "other 3"] {
        deployment.publish(status).await;
    }
    deployment.edge.signal("CONT");
    let reset = alice.expect_event("session-reset").await;
    let status = reset["session"]["status"].as_str().unwrap();
    let rest: Vec<String> = match status {
        "kept" => vec!["other 1".into(), "other 2".into(), "other 3".into()],
        other => {
            let n: u32 = other.strip_prefix("other ").unwrap().parse().unwrap();
            (n + 1..=3).map(|n| format!("other {n}")).collect()
        }
    };
    expect_statuses(&mut alice, &rest.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // A cursor from before the loss is not continued, although its offset exists again.
    let disconnected = browsers.connect(&deployment.edge.url(), &token("alice")).await;
    let response = disconnected
        .request("join-session", json!(["s1", { "after": cursor }]))
        .await;
    assert_eq!(
        (&response["recovered"], &response["session"]["status"]),
        (&json!(false), &json!("other 3"))
    );
}

#[tokio::test]
async fn a_promotion_without_loss_resets_nothing() {
    let mut deployment = Deployment::start().await;
    let browsers = Browsers::start(Client::Js48);
    deployment.publish("first").await;
    let mut alice = deployment.joined_page(&browsers).await;
    deployment.publish("second").await;
    deployment.detach_replica().await;
    expect_statuses(&mut alice, &["second"]).await;
    deployment.promote().await;
    deployment.publish("third").await;
    expect_statuses(&mut alice, &["third"]).await;
}
