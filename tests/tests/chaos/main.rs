//! Everything dies, stops or is cut off, again and again, by a seeded schedule: each page still sees every event once and
//! in order, and is recovered at every reconnection.
//!
//! `ROOMCAST_CHAOS_SEED`, `ROOMCAST_CHAOS_FAULTS` and `ROOMCAST_CHAOS_SOCKETS` choose another schedule, a longer one, or
//! more pages; what came of it is printed (`--nocapture`).

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod pages;
mod publisher;
mod world;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pages::{Seen, page};
use publisher::{Acknowledged, publisher};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use roomcast_tests::{Browsers, Client, token};
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};
use world::{Fault, World};

/// Pages in one session, about.
const PAGES_PER_SESSION: usize = 20;
/// Pages that one process of stock clients holds.
const PAGES_PER_PROCESS: usize = 100;

fn number(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_dies_every_page_sees_every_event_once_and_in_order() {
    let seed = number("ROOMCAST_CHAOS_SEED", 1);
    let faults = number("ROOMCAST_CHAOS_FAULTS", 12);
    let sockets = usize::try_from(number("ROOMCAST_CHAOS_SOCKETS", 40)).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::start().await;
    // Each page is in two sessions.
    let half = (sockets / PAGES_PER_SESSION / 2).max(1);
    let is_in = |page: usize, session: usize| (page + session).is_multiple_of(half);
    // What the machine has to deliver is about the same with any number of pages.
    let pause =
        Duration::from_millis(number("ROOMCAST_CHAOS_SOCKETS", 40) / 2).max(Duration::from_millis(20));

    let (stop, stopped) = watch::channel(false);
    let acknowledged = Arc::new(Acknowledged::default());
    let (mut publishers, mut ends, mut said) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for n in 0..2 * half {
        let id = format!("s{n}");
        let people = (0..sockets).filter(|page| is_in(*page, n));
        let people: Vec<_> = people.map(|page| format!("u{page}=observer")).collect();
        world.create(&id, &people.join(" ")).await;
        let publishing = publisher(
            id.clone(),
            world.grpc(),
            pause,
            stopped.clone(),
            acknowledged.clone(),
        );
        publishers.push((id.clone(), tokio::spawn(publishing)));
        let (end, ended) = watch::channel(0);
        said.insert(id.clone(), end);
        ends.insert(id, ended);
    }

    let seen = Arc::new(Seen::default());
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
            .open_with(&world.url(n), options)
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
            seen.clone(),
        );
        pages.push(tokio::spawn(page));
    }
    seen.all_joined(sockets).await;

    for number in 0..faults {
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let fault = Fault::by_chance(&mut random);
        seen.suffers(fault);
        world.suffer(fault, &mut random).await;
        assert!(
            pages.iter().all(|page| !page.is_finished()),
            "a page failed after fault {number}, {}, of seed {seed}",
            fault.text()
        );
    }
    // Under load, too, a rolling restart of everything loses and repeats nothing.
    seen.suffers(Fault::AllRolled);
    world.roll().await;
    stop.send(true).unwrap();
    let mut published = 0;
    for (id, publisher) in publishers {
        let end = tokio::time::timeout(Duration::from_secs(30), publisher)
            .await
            .expect("the last publish")
            .unwrap();
        published += end;
        said[&id].send(end).unwrap();
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
        seen.summary()
    );
    println!("  longest by transport: {}", seen.by_transport());
    for line in seen.by_fault() {
        println!("  {line}");
    }
    assert_eq!(
        seen.fresh(),
        sockets as u64,
        "each page began anew once: when it was opened"
    );
    assert!(seen.recovered() > 0, "nothing was put to the test");
}
