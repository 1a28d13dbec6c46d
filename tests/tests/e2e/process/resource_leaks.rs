//! Closed connections release their memory and their entries.

use std::fs;

use roomcast_proto::v1;
use roomcast_tests::{Browsers, Client, Cluster, Process, eventually, metric, session, token};
use serde_json::json;

const CYCLES: usize = 8;
/// Cycles until allocators, tables and logs have reached their size.
const WARM_UP: usize = 4;
const SESSIONS: usize = 40;
/// Sockets per cycle: four users per session.
const SOCKETS: usize = 4 * SESSIONS;
/// The limit of memory growth per connection, in bytes: a 40th of an idle connection. The allocator does not return all
/// memory.
const GROWTH: u64 = 512;

/// The anonymous resident memory of a process, in bytes.
fn memory(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    1_024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// Connects sockets, joins, leaves and closes them, and waits until the edge has removed all of them.
async fn cycle(cluster: &Cluster, number: usize) {
    let edge = &cluster.edges[0];
    let mut backend = cluster.backend(0).await;
    let browsers = Browsers::start(Client::Js48);
    let mut pages = Vec::new();
    for n in 0..SOCKETS {
        let transports = if n % 4 == 3 {
            json!(["polling"])
        } else {
            json!(["websocket"])
        };
        let options = json!({ "token": token(&format!("u{n}")), "transports": transports });
        pages.push(browsers.open_with(&edge.url(), options).await);
    }
    for (n, page) in pages.iter_mut().enumerate() {
        page.connected().await;
        page.join(&format!("s{}", n / 4)).await;
    }
    let status = format!("cycle {number}");
    for n in 0..SESSIONS {
        let update = v1::Session {
            participants: None,
            ..session(&format!("s{n}"), &status, "")
        };
        backend.publish(update).await;
    }
    for (n, page) in pages.iter_mut().enumerate() {
        page.wait_for_status(&status).await;
        match n % 3 {
            0 => assert_eq!(
                page.request("leave-session", json!([format!("s{}", n / 4)]))
                    .await["ok"],
                true
            ),
            1 => page.close_transport().await,
            _ => page.close().await,
        }
    }
    for page in pages.iter_mut().skip(1).step_by(3) {
        assert!(page.reconnected().await, "recovered");
    }
    // The edge detects a closed WebSocket at once, and a polling client only by its ping timeout: close those properly.
    for polling in pages.iter_mut().skip(3).step_by(4) {
        polling.close().await;
    }
    drop((pages, browsers));
    for name in ["sockets", "transports", "rooms"] {
        let name = format!("roomcast_edge_{name}");
        eventually(&name, async || (metric(edge, &name).await == 0.0).then_some(())).await;
    }
}

#[tokio::test]
async fn closed_connections_release_their_memory() {
    let cluster = Cluster::start(1, 1).await;
    let mut backend = cluster.backend(0).await;
    for n in 0..SESSIONS {
        let first = 4 * n;
        let participants = format!(
            "u{first}=interviewer u{}=interviewee u{}=observer u{}=observer",
            first + 1,
            first + 2,
            first + 3
        );
        backend
            .publish(session(&format!("s{n}"), "open", &participants))
            .await;
    }
    let measured = [&cluster.edges[0], &cluster.control_planes[0]];
    let mut warm = [0; 2];
    for number in 1..=CYCLES {
        cycle(&cluster, number).await;
        if number == WARM_UP {
            warm = measured.map(memory);
        }
    }
    let connections = ((CYCLES - WARM_UP) * SOCKETS) as u64;
    for (process, warm) in measured.into_iter().zip(warm) {
        let grown = memory(process).saturating_sub(warm);
        assert!(
            grown <= GROWTH * connections,
            "{grown} bytes after {connections} connections, from {warm}"
        );
    }
}
