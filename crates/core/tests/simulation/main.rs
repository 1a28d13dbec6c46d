//! A simulation, in virtual time, of the whole path from a backend's request to the events that a page receives: control
//! planes, edges, links, pages and the store, all of which can be slow, lose or repeat messages, or fail. The state
//! machines of the control planes and edges are the real ones. Each run follows from its seed alone.
//!
//! `ROOMCAST_SIM_SEEDS=100000` runs this many seeds. `ROOMCAST_SIM_SEED=42` runs one seed and prints its steps.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the model names only the variants that it uses"
)]

mod backend;
mod call;
mod control_plane;
mod edge;
mod faults;
mod link;
mod oracle;
mod outbound;
mod page;
mod received;
mod rng;
mod run;
mod settled;
mod socket;
mod step;
mod store;
mod store_access;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use run::simulate;

/// The number of seeds in a run of the test suite.
const SEEDS: u64 = 2_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Runs one seed. A panic counts as a violation.
fn check(seed: u64) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| simulate(seed, false).0)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

#[test]
fn every_page_receives_every_event_once_and_in_order_or_a_reset() {
    if let Some(seed) = variable("ROOMCAST_SIM_SEED") {
        let (checked, trace) = simulate(seed, true);
        println!("{trace}");
        return checked.unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
    let seeds = variable("ROOMCAST_SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let run = || {
        let seeds =
            std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds));
        seeds.filter_map(|seed| Some((seed, check(seed).err()?))).next()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let violations: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().expect("panics are caught"))
            .collect()
    });
    let report = violations.iter().map(|(seed, violation)| {
        format!("seed {seed}: {violation}\n  ROOMCAST_SIM_SEED={seed} cargo test -p roomcast-core --test simulation every_page -- --nocapture\n")
    });
    assert!(violations.is_empty(), "\n{}", report.collect::<String>());
}

/// I9: the same inputs give the same actions. A seed that fails can therefore be examined.
#[test]
fn the_same_seed_gives_the_same_run() {
    let mut steps = 0;
    for seed in 0..20 {
        let (first, second) = (simulate(seed, true).1, simulate(seed, true).1);
        steps += first.lines().count();
        assert!(first == second, "seed {seed} has two traces");
    }
    assert!(steps > 20_000, "the runs are too short: {steps} steps");
    assert_ne!(simulate(1, true).1, simulate(2, true).1);
}
