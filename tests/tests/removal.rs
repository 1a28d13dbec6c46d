//! From the OK of `RemoveParticipant` to the socket being out: what a listener of a stock client sees, and when.
//!
//! `ROOMCAST_REMOVALS` chooses how many are measured; the figures are printed (`--nocapture`).

use std::time::{Duration, Instant};

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, quantiles, session, token};
use serde_json::json;

const SOCKETS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_participant_is_out_at_once_and_sees_nothing_more() {
    let removals: usize = std::env::var("ROOMCAST_REMOVALS").map_or(40, |count| count.parse().unwrap());
    let cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    let everybody: Vec<_> = (0..SOCKETS).map(|n| format!("u{n}=observer")).collect();
    backend
        .publish(session("s1", "start", &everybody.join(" ")))
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
        let out = tokio::spawn(async move {
            let events = socket.until_event("session-revoked").await;
            (Instant::now(), events, socket)
        });
        backend.remove("s1", &user).await;
        let ok = Instant::now();
        // What comes after the removal is not for whoever was removed.
        backend
            .publish(v1::Session {
                participants: None,
                ..session("s1", "secret", "")
            })
            .await;
        let (at, events, mut socket) = out.await.unwrap();
        latencies.push(at.saturating_duration_since(ok));
        assert!(
            !events.iter().any(|event| event.to_string().contains("secret")),
            "{events:?}"
        );
        let denied = socket.ask("join-session", json!(["s1"])).await;
        assert_eq!(denied["error"]["code"], "not_a_participant", "{denied}");
        backend.select_role("s1", &user, "observer").await.unwrap();
        // The answer to a question comes after everything that came before: nothing came.
        socket.join("s1").await;
        backend
            .publish(v1::Session {
                participants: None,
                ..session("s1", "open", "")
            })
            .await;
        for socket in sockets.iter_mut().chain([&mut socket]) {
            socket.until_status("open").await;
        }
        sockets.push(socket);
    }
    let [p50, p99, last] = quantiles(&mut latencies);
    assert!(last < Duration::from_secs(5));
    println!("{removals} removals: out {p50:.1?} (p50), {p99:.1?} (p99), {last:.1?} (at most) after the OK");
}
