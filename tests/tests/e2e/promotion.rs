//! A replica is promoted that had not seen the last writes: what was delivered of them is not in the log any more.

use roomcast_tests::{Browser, Browsers, Client, Process, Proxy, Redis, eventually, token};
use serde_json::json;

use crate::partitions::publish_at_last;

/// A control plane and an edge over a primary that can be replaced, and its replica.
struct World {
    primary: Redis,
    replica: Redis,
    way: Proxy,
    control_plane: Process,
    edge: Process,
}

impl World {
    async fn start() -> Self {
        let (primary, replica) = (Redis::start().await, Redis::start().await);
        let way = Proxy::start(primary.addr()).await;
        let url = format!("redis://{}", way.addr());
        let control_plane = Process::control_plane(&url, &[]).await;
        let edge = Process::edge(&[control_plane.addr("grpc")], &[]).await;
        edge.ready().await;
        let words = format!("REPLICAOF 127.0.0.1 {}", primary.addr().port());
        replica.tell(&words).await;
        Self {
            primary,
            replica,
            way,
            control_plane,
            edge,
        }
    }

    /// Waits until the replica has all that the primary has; from then on it sees nothing more.
    async fn replica_falls_behind(&self) {
        let offset = async |redis: &Redis| {
            let info = redis.tell("INFO replication").await;
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("master_repl_offset:"));
            let synced = info.contains("role:master") || info.contains("master_link_status:up");
            line.filter(|_| synced).map(|line| line.trim().to_owned())
        };
        eventually("a replica that has everything", || async {
            (offset(&self.primary).await? == offset(&self.replica).await?).then_some(())
        })
        .await;
        self.replica.tell("REPLICAOF NO ONE").await;
    }

    /// The primary is no more, and the replica is in its place.
    async fn promote(&mut self) {
        self.primary.kill().await;
        self.way.lead_to(self.replica.addr());
    }

    /// Publishes as soon as the store is there again.
    async fn publish(&self, status: &str) {
        publish_at_last(self.control_plane.addr("grpc"), status).await;
    }

    async fn page(&self, browsers: &Browsers) -> Browser {
        let mut alice = browsers.connect(&self.edge.url(), &token("alice")).await;
        alice.join("s1").await;
        alice
    }
}

async fn sees(alice: &mut Browser, statuses: &[&str]) -> String {
    let mut last = String::new();
    for status in statuses {
        let (event, payload, cursor) = alice.event().await;
        assert_eq!(
            (&*event, &payload["session"]["status"]),
            ("session-updated", &json!(status))
        );
        last = cursor;
    }
    last
}

#[tokio::test]
async fn a_tail_behind_what_was_delivered_is_a_reset_on_a_quiet_room() {
    let mut world = World::start().await;
    let browsers = Browsers::start(Client::Js48);
    world.publish("kept").await;
    world.replica_falls_behind().await;
    let mut alice = world.page(&browsers).await;
    world.publish("lost").await;
    sees(&mut alice, &["lost"]).await;
    world.promote().await;
    // Nothing more is published, and it is told all the same.
    let reset = alice.told("session-reset").await;
    assert_eq!(reset["session"]["status"], "kept");
    world.publish("next").await;
    sees(&mut alice, &["next"]).await;
}

#[tokio::test]
async fn other_entries_at_the_places_of_lost_ones_are_a_reset() {
    let mut world = World::start().await;
    let browsers = Browsers::start(Client::Js48);
    world.publish("kept").await;
    world.replica_falls_behind().await;
    let mut alice = world.page(&browsers).await;
    let mut away = world.page(&browsers).await;
    world.publish("lost 1").await;
    world.publish("lost 2").await;
    sees(&mut alice, &["lost 1", "lost 2"]).await;
    let cursor = sees(&mut away, &["lost 1", "lost 2"]).await;
    away.close().await;
    // The edge can't look either, until the offsets are taken by others.
    world.edge.signal("STOP");
    world.promote().await;
    for status in ["other 1", "other 2", "other 3"] {
        world.publish(status).await;
    }
    world.edge.signal("CONT");
    let reset = alice.told("session-reset").await;
    let status = reset["session"]["status"].as_str().unwrap();
    let rest: Vec<String> = match status {
        "kept" => vec!["other 1".into(), "other 2".into(), "other 3".into()],
        other => {
            let n: u32 = other.strip_prefix("other ").unwrap().parse().unwrap();
            (n + 1..=3).map(|n| format!("other {n}")).collect()
        }
    };
    sees(&mut alice, &rest.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Whoever comes back with a place that is another one by now is told so.
    let away = browsers.connect(&world.edge.url(), &token("alice")).await;
    let answer = away.ask("join-session", json!(["s1", { "after": cursor }])).await;
    assert_eq!(
        (&answer["recovered"], &answer["session"]["status"]),
        (&json!(false), &json!("other 3"))
    );
}

#[tokio::test]
async fn a_promotion_that_loses_nothing_is_no_reset() {
    let mut world = World::start().await;
    let browsers = Browsers::start(Client::Js48);
    world.publish("first").await;
    let mut alice = world.page(&browsers).await;
    world.publish("second").await;
    world.replica_falls_behind().await;
    sees(&mut alice, &["second"]).await;
    world.promote().await;
    world.publish("third").await;
    sees(&mut alice, &["third"]).await;
}
