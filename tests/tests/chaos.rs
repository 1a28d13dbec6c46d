//! Everything dies, again and again, by a seeded schedule: each page still sees every event once and in order.
//!
//! `ROOMCAST_CHAOS_SEED` and `ROOMCAST_CHAOS_FAULTS` choose another schedule, or a longer one.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use roomcast_proto::v1::{self, session_service_client::SessionServiceClient};
use roomcast_tests::{Browser, Browsers, Client, Cluster, Redis, eventually, session, token};
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};

const SESSIONS: u64 = 4;
const SOCKETS: usize = 40;

/// Does one fault, and what mends it.
async fn fault(cluster: &mut Cluster, random: &mut StdRng) -> &'static str {
    let n = random.random_range(0..2);
    let pause = Duration::from_millis(random.random_range(200..3_500));
    match random.random_range(0..8) {
        0 | 1 => {
            cluster.edges[n].restart("KILL").await;
            "an edge is killed"
        }
        2 | 3 => {
            cluster.control_planes[n].restart("KILL").await;
            "a control plane is killed"
        }
        4 => {
            cluster.edges[n].signal("STOP");
            sleep(pause).await;
            cluster.edges[n].signal("CONT");
            "an edge is stopped for a while"
        }
        5 => {
            cluster.control_planes[n].signal("STOP");
            sleep(pause).await;
            cluster.control_planes[n].signal("CONT");
            "a control plane is stopped for a while"
        }
        6 => {
            cluster.redis.kill().await;
            sleep(pause / 2).await;
            cluster.redis.restart().await;
            "Redis is killed, and comes back with its data"
        }
        _ => {
            cluster.edges[n].restart("TERM").await;
            "an edge is rolled"
        }
    }
}

/// Publishes numbers to a session until it is told to stop; the last one is the answer. Each is published again with
/// the same request id until somebody says OK.
async fn publisher(id: String, addrs: Vec<SocketAddr>, stop: watch::Receiver<bool>) -> u64 {
    let people = (0..SOCKETS)
        .map(|n| format!("u{n}=observer"))
        .collect::<Vec<_>>()
        .join(" ");
    let (mut number, mut plane) = (0, 0);
    loop {
        number += 1;
        let last = *stop.borrow();
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session(&id, &number.to_string(), &people)),
            request_id: format!("{id}-{number}"),
            ..Default::default()
        };
        loop {
            let url = format!("http://{}", addrs[plane % addrs.len()]);
            if let Ok(mut client) = SessionServiceClient::connect(url).await {
                let mut request = tonic::Request::new(request.clone());
                request.set_timeout(Duration::from_secs(3));
                match client.publish_session_update(request).await {
                    Ok(_) => break,
                    Err(status) => assert!(
                        ["Unavailable", "DeadlineExceeded", "Cancelled", "Unknown"]
                            .contains(&format!("{:?}", status.code()).as_str()),
                        "{status:?}"
                    ),
                }
            }
            plane += 1;
            sleep(Duration::from_millis(20)).await;
        }
        if last {
            return number;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// What all pages saw.
#[derive(Default)]
struct Seen {
    events: AtomicU64,
    recovered: AtomicU64,
    fresh: AtomicU64,
}

/// A page: joins its sessions whenever it was not recovered, and checks every event that its listener sees.
async fn page(
    mut browser: Browser,
    sessions: Vec<String>,
    ends: BTreeMap<String, watch::Receiver<u64>>,
    seen: Arc<Seen>,
) {
    let mut at: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let done = |at: &BTreeMap<String, u64>| {
            sessions.iter().all(|id| {
                let end = *ends[id].borrow();
                end != 0 && at.get(id) == Some(&end)
            })
        };
        if done(&at) {
            return;
        }
        let report = tokio::select! {
            report = browser.reported() => report.expect("the clients' process lives"),
            () = sleep(Duration::from_millis(200)) => continue,
        };
        match (report["on"].as_str().unwrap(), report["event"].as_str()) {
            ("connect", _) => {
                if report["recovered"] == true {
                    seen.recovered.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                assert!(
                    at.is_empty(),
                    "within the log's retention every reconnection is recovered"
                );
                seen.fresh.fetch_add(1, Ordering::Relaxed);
                for id in &sessions {
                    join(&browser, id, &mut at).await;
                }
            }
            ("event", Some("session-updated")) => {
                seen.events.fetch_add(1, Ordering::Relaxed);
                let payload = &report["args"][0];
                let number: u64 = payload["session"]["status"].as_str().unwrap().parse().unwrap();
                let id = payload["sessionId"].as_str().unwrap();
                let before = at.insert(id.to_owned(), number);
                assert_eq!(
                    before.map_or(number, |before| before + 1),
                    number,
                    "{id}: lost, repeated or out of order"
                );
            }
            ("event", Some("session-joined"))
            | ("disconnect" | "connect_error" | "reconnect_attempt" | "upgrade", _) => {}
            _ => panic!("{report}"),
        }
    }
}

/// Joins a session, again and again while the service is out of reach.
async fn join(browser: &Browser, id: &str, at: &mut BTreeMap<String, u64>) {
    loop {
        match browser.try_ask("join-session", json!([id])).await {
            Some(answer) if answer["ok"] == true => {
                let number: u64 = answer["session"]["status"].as_str().unwrap().parse().unwrap();
                at.insert(id.to_owned(), number);
                return;
            }
            Some(answer) => assert_eq!(answer["error"]["code"], json!("unavailable"), "{answer}"),
            // The connection broke: the client is recovered, with or without the room, and asks again.
            None => {}
        }
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn whatever_dies_every_page_sees_every_event_once_and_in_order() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name)
            .ok()
            .map_or(otherwise, |value| value.parse().expect("a number"))
    };
    let seed = number("ROOMCAST_CHAOS_SEED", 1);
    let faults = number("ROOMCAST_CHAOS_FAULTS", 12);
    let mut random = StdRng::seed_from_u64(seed);
    let mut cluster = Cluster::over(Redis::durable().await, 2, 2).await;
    let addrs: Vec<_> = cluster.control_planes.iter().map(|it| it.addr("grpc")).collect();
    for process in cluster.control_planes.iter_mut().chain(&mut cluster.edges) {
        process.expect_errors();
    }
    let (stop, stopped) = watch::channel(false);
    let mut publishers = Vec::new();
    let mut ends = BTreeMap::new();
    let mut said = BTreeMap::new();
    for n in 0..SESSIONS {
        let id = format!("s{n}");
        publishers.push((
            id.clone(),
            tokio::spawn(publisher(id.clone(), addrs.clone(), stopped.clone())),
        ));
        let (end, ended) = watch::channel(0);
        said.insert(id.clone(), end);
        ends.insert(id, ended);
    }
    let client = SessionServiceClient::connect(format!("http://{}", addrs[0]))
        .await
        .unwrap();
    for id in ends.keys() {
        eventually("the sessions", || {
            let (mut client, request) = (
                client.clone(),
                v1::GetSessionRequest {
                    session_id: id.clone(),
                },
            );
            async move { client.get_session(request).await.ok() }
        })
        .await;
    }
    let browsers = Browsers::start(Client::Js48);
    let seen = Arc::new(Seen::default());
    let mut pages = Vec::new();
    for n in 0..SOCKETS {
        let transports = [
            json!(["websocket"]),
            json!(["polling", "websocket"]),
            json!(["polling"]),
        ][n % 3]
            .clone();
        let options: Value = json!({ "token": token(&format!("u{n}")), "transports": transports });
        let browser = browsers.open_with(&cluster.edges[n % 2].url(), options).await;
        let sessions = (0..SESSIONS)
            .filter(|m| (n as u64 + m).is_multiple_of(2))
            .map(|m| format!("s{m}"))
            .collect();
        pages.push(tokio::spawn(page(browser, sessions, ends.clone(), seen.clone())));
    }
    for _ in 0..faults {
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let what = fault(&mut cluster, &mut random).await;
        assert!(
            pages.iter().all(|page| !page.is_finished()),
            "a page failed after: {what}, seed {seed}"
        );
    }
    stop.send(true).unwrap();
    for (id, publisher) in publishers {
        let end = tokio::time::timeout(Duration::from_secs(30), publisher)
            .await
            .expect("the last publish")
            .unwrap();
        said[&id].send(end).unwrap();
    }
    for (n, page) in pages.into_iter().enumerate() {
        let ended = tokio::time::timeout(Duration::from_secs(60), page).await;
        ended
            .unwrap_or_else(|_| panic!("page {n} does not have everything, seed {seed}"))
            .unwrap();
    }
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    assert!(count(&seen.recovered) > 0, "nothing was put to the test");
    let (events, recovered, fresh) = (count(&seen.events), count(&seen.recovered), count(&seen.fresh));
    let summary = format!("{events} events, {recovered} recoveries, {fresh} fresh connections");
    assert_eq!(fresh, SOCKETS as u64, "{summary}");
}
