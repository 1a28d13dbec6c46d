//! Processes are killed, stopped or cut off by a seeded schedule: each page still receives every event once and in order,
//! and is recovered at every reconnection.
//!
//! `ROOMCAST_CHAOS_SEED`, `ROOMCAST_CHAOS_FAULTS` and `ROOMCAST_CHAOS_SOCKETS` choose another schedule, the number of faults
//! and the number of pages; `--nocapture` shows the results. The sleeps of this test are its schedule: the time between
//! faults, and how long a fault lasts.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod deployment;
mod pages;
mod publisher;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use deployment::{Deployment, Fault};
use pages::{Observations, page};
use publisher::{Acknowledged, publisher};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use roomcast_tests::{Browsers, Client, token};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{LocalSet, spawn_local},
    time::sleep,
};

/// The approximate number of pages per session.
const PAGES_PER_SESSION: usize = 20;
/// Pages per driver process.
const PAGES_PER_PROCESS: usize = 100;

/// The number in an environment variable.
fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_receives_every_event_once_and_in_order_during_faults() {
    // The tasks of the pages are not `Send`, because they wait with `eventually`.
    LocalSet::new().run_until(run()).await;
}

#[expect(clippy::print_stdout, reason = "the results, which --nocapture shows")]
async fn run() {
    let seed = number("ROOMCAST_CHAOS_SEED", 1);
    let faults = number("ROOMCAST_CHAOS_FAULTS", 12);
    let sockets = usize::try_from(number("ROOMCAST_CHAOS_SOCKETS", 40)).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let mut deployment = Deployment::start().await;
    // Each page is in two sessions.
    let half = (sockets / PAGES_PER_SESSION / 2).max(1);
    let is_in = |page: usize, session: usize| (page + session).is_multiple_of(half);
    // The number of deliveries per second is about the same with any number of pages.
    let pause =
        Duration::from_millis(number("ROOMCAST_CHAOS_SOCKETS", 40) / 2).max(Duration::from_millis(20));

    let (stop, stopped) = watch::channel(false);
    let acknowledged = Arc::new(Acknowledged::default());
    let (mut publishers, mut ends, mut end_senders) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for n in 0..2 * half {
        let id = format!("s{n}");
        let participants = (0..sockets).filter(|page| is_in(*page, n));
        let participants: Vec<_> = participants.map(|page| format!("u{page}=observer")).collect();
        deployment.create(&id, &participants.join(" ")).await;
        let publishing = publisher(
            id.clone(),
            deployment.grpc(),
            pause,
            stopped.clone(),
            acknowledged.clone(),
        );
        publishers.push((id.clone(), tokio::spawn(publishing)));
        let (end, ended) = watch::channel(0);
        end_senders.insert(id.clone(), end);
        ends.insert(id, ended);
    }

    let observed = Arc::new(Observations::default());
    let (mut pages, mut browsers) = (Vec::new(), Vec::new());
    for n in 0..sockets {
        if n % PAGES_PER_PROCESS == 0 {
            browsers.push(Browsers::start(Client::Js48));
        }
        let (transport, transports) = [
            ("WebSocket", json!(["websocket"])),
            ("polling and upgrade", json!(["polling", "websocket"])),
            ("polling", json!(["polling"])),
        ][n % 3]
            .clone();
        let options: Value = json!({ "token": token(&format!("u{n}")), "transports": transports });
        let browser = browsers[n / PAGES_PER_PROCESS]
            .open_with(&deployment.url(n), options)
            .await;
        let sessions = (0..2 * half)
            .filter(|m| is_in(n, *m))
            .map(|m| format!("s{m}"))
            .collect();
        let page = page(
            browser,
            transport,
            sessions,
            ends.clone(),
            acknowledged.clone(),
            observed.clone(),
        );
        pages.push(spawn_local(page));
    }
    observed.all_joined(sockets).await;

    for number in 0..faults {
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let fault = Fault::random_kind(&mut random);
        observed.record_fault(fault);
        deployment.inject(fault, &mut random).await;
        assert!(
            pages.iter().all(|page| !page.is_finished()),
            "a page failed after fault {number}, {}, of seed {seed}",
            fault.text()
        );
    }
    // A rolling restart under load.
    observed.record_fault(Fault::AllRestarted);
    deployment.rolling_restart().await;
    stop.send(true).unwrap();
    let mut published = 0;
    for (id, publisher) in publishers {
        let end = tokio::time::timeout(Duration::from_secs(30), publisher)
            .await
            .expect("the last publish")
            .unwrap();
        published += end;
        end_senders[&id].send(end).unwrap();
    }
    for (n, page) in pages.into_iter().enumerate() {
        let ended = tokio::time::timeout(Duration::from_secs(60), page).await;
        ended
            .unwrap_or_else(|_| panic!("page {n} does not have everything, seed {seed}"))
            .unwrap();
    }

    println!(
        "seed {seed}: {sockets} pages in {} sessions, {published} events published, {}",
        2 * half,
        observed.summary()
    );
    println!("  longest by transport: {}", observed.by_transport());
    for line in observed.by_fault() {
        println!("  {line}");
    }
    assert_eq!(
        observed.fresh(),
        sockets as u64,
        "each page started without recovery once: when it was opened"
    );
    assert!(observed.recovered() > 0, "no page reconnected");
}
