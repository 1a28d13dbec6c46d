//! Removals: which events a removed socket receives, and the latency from the OK of `RemoveParticipant` to the revocation.
//!
//! `ROOMCAST_REMOVALS` is the number of removals; `--nocapture` shows the latencies.

use std::time::{Duration, Instant};

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Cluster, quantiles, session, token};
use serde_json::json;

const SOCKETS: usize = 8;
/// How often control planes compare the tails of quiet rooms, to detect lost notifications.
const TAIL_COMPARISON: Duration = Duration::from_secs(5);

/// A session without participants in the request: the list in the store is unchanged.
fn status_only(status: &str) -> v1::Session {
    v1::Session {
        participants: None,
        ..session("s1", status, "")
    }
}

/// Creates the session; returns a socket of each participant, in turn at one edge and at the other.
async fn joined_sockets(cluster: &Cluster, browsers: &Browsers, backend: &mut Backend) -> Vec<Browser> {
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
    sockets
}

/// Removes a user and publishes an event, which the user's socket must not receive. Returns the socket, and the time from the
/// OK to the revocation.
async fn remove(backend: &mut Backend, user: &str, mut socket: Browser) -> (Browser, Duration) {
    let revoked = tokio::spawn(async move {
        let events = socket.reports_until_event("session-revoked").await;
        (Instant::now(), events, socket)
    });
    backend.remove("s1", user).await;
    let ok = Instant::now();
    backend.publish(status_only("secret")).await;
    let (at, events, socket) = revoked.await.expect("the revocation");
    assert!(
        !events.iter().any(|event| event.to_string().contains("secret")),
        "{events:?}"
    );
    let denied = socket.request("join-session", json!(["s1"])).await;
    assert_eq!(denied["error"]["code"], "not_a_participant", "{denied}");
    (socket, at.saturating_duration_since(ok))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_participant_leaves_the_room_and_receives_no_later_event() {
    let removals: usize = std::env::var("ROOMCAST_REMOVALS").map_or(40, |count| count.parse().unwrap());
    let cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    let mut sockets = joined_sockets(&cluster, &browsers, &mut backend).await;
    let mut latencies = Vec::new();
    for number in 0..removals {
        let user = format!("u{}", number % SOCKETS);
        let (mut socket, latency) = remove(&mut backend, &user, sockets.remove(0)).await;
        latencies.push(latency);
        backend.select_role("s1", &user, "observer").await.unwrap();
        // The first event after the revocation must be that of the next join.
        socket.join("s1").await;
        backend.publish(status_only("open")).await;
        sockets.push(socket);
        for socket in &mut sockets {
            socket.wait_for_status("open").await;
        }
    }
    let [p50, p99, max] = quantiles(&mut latencies);
    assert!(
        p50 < TAIL_COMPARISON,
        "revocations do not wait for the comparison of tails"
    );
    println!("{removals} removals: revoked {p50:.1?} (p50), {p99:.1?} (p99), {max:.1?} (max) after the OK");
}
