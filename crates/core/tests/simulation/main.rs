//! The whole path from a backend's request to what a page's listeners see, simulated in virtual time: control planes,
//! edges, links, pages and the store, with everything that can be slow, lost, repeated, cut or killed. The state
//! machines are the real ones; what carries their words is not. Each run follows from its seed alone.
//!
//! `ROOMCAST_SIM_SEEDS=100000` runs so many seeds, `ROOMCAST_SIM_SEED=42` one, and prints its steps.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a model may name what it does not model"
)]

mod mischief;
mod oracle;
mod page;
mod rng;
mod store;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use mischief::simulate;

/// Seeds of a run of the test suite.
const SEEDS: u64 = 2_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

fn check(seed: u64) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| simulate(seed, false).0)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

#[test]
fn every_page_has_everything_once_and_in_order_or_is_told() {
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
    let told = violations.iter().map(|(seed, violation)| {
        format!("seed {seed}: {violation}\n  ROOMCAST_SIM_SEED={seed} cargo test -p roomcast-core --test simulation every_page -- --nocapture\n")
    });
    assert!(violations.is_empty(), "\n{}", told.collect::<String>());
}

/// I9, and a test of the test: a seed that fails can be looked at.
#[test]
fn the_same_seed_is_the_same_run() {
    let mut steps = 0;
    for seed in 0..20 {
        let (first, second) = (simulate(seed, true).1, simulate(seed, true).1);
        steps += first.lines().count();
        assert!(first == second, "seed {seed} has two traces");
    }
    assert!(steps > 20_000, "hardly anything happened: {steps} steps");
    assert_ne!(simulate(1, true).1, simulate(2, true).1);
}
