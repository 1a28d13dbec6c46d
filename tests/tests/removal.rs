//! Removals: which events a removed socket receives, and the latency from the OK of `RemoveParticipant` to the revocation.
//!
//! `ROOMCAST_REMOVALS` is the number of removals; `--nocapture` shows the latencies.

use std::time::{Duration, Instant};

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, quantiles, session, token};
use serde_json::json;

const SOCKETS: usize = 8;
/// How often control planes compare the tails of quiet rooms, to detect lost notifications.
const TAIL_COMPARISON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_participant_leaves_the_room_and_receives_no_later_event() {
    let removals: usize = std::env::var("ROOMCAST_REMOVALS").map_or(40, |count| count.parse().unwrap());
    let cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    let observers: Vec<_> = (0..SOCKETS).map(|n| format!("u{n}=observer")).collect();
    backend
        .publish(session("s1", "start", &observers.join(" ")))
        .await;
    let mut sockets = Vec::new();
    for n in 0..SOCKETS {
        let user = format!("u{n}");
        let mut socket = browsers.connect(&cluster.edges[n % 2].url(), &token(&user)).await;
        socket.join("s1").await;
        sockets.push(socket);
    }
    let mut latencies = Vec::new();
    for number in 0..removals {
        let n = number % SOCKETS;
        let (user, mut socket) = (format!("u{n}"), sockets.remove(0));
        let revoked = tokio::spawn(async move {
            let events = socket.reports_until_event("session-revoked").await;
            (Instant::now(), events, socket)
        });
        backend.remove("s1", &user).await;
        let ok = Instant::now();
        // An event after the removal: the removed user must not receive it.
        backend
            .publish(v1::Session {
                participants: None,
                ..session("s1", "secret", "")
            })
            .await;
        let (at, events, mut socket) = revoked.await.unwrap();
        latencies.push(at.saturating_duration_since(ok));
        assert!(
            !events.iter().any(|event| event.to_string().contains("secret")),
            "{events:?}"
        );
        let denied = socket.request("join-session", json!(["s1"])).await;
        assert_eq!(denied["error"]["code"], "not_a_participant", "{denied}");
        backend.select_role("s1", &user, "observer").await.unwrap();
        // The first event after the revocation must be that of the next join.
        socket.join("s1").await;
        backend
            .publish(v1::Session {
                participants: None,
                ..session("s1", "open", "")
            })
            .await;
        for socket in sockets.iter_mut().chain([&mut socket]) {
            socket.wait_for_status("open").await;
        }
        sockets.push(socket);
    }
    let [p50, p99, max] = quantiles(&mut latencies);
    assert!(
        p50 < TAIL_COMPARISON,
        "revocations do not wait for the comparison of tails"
    );
    println!("{removals} removals: revoked {p50:.1?} (p50), {p99:.1?} (p99), {max:.1?} (max) after the OK");
}
