//! Processes are killed, stopped or cut off by a seeded schedule: each page still receives every event once and in order,
//! and is recovered at every reconnection.
//!
//! `ROOMCAST_CHAOS_SEED`, `ROOMCAST_CHAOS_FAULTS` and `ROOMCAST_CHAOS_SOCKETS` choose another schedule, the number of faults
//! and the number of pages; `--nocapture` shows the results. The sleeps of this test are its schedule: the time between
//! faults, and how long a fault lasts.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod deployment;
mod pages;
mod plan;
mod publisher;

use std::{sync::Arc, time::Duration};

use deployment::{Deployment, Fault};
use pages::{Observations, Pages};
use plan::Plan;
use publisher::{Acknowledged, Publishers};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{task::LocalSet, time::sleep};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_receives_every_event_once_and_in_order_during_faults() {
    // The tasks of the pages are not `Send`, because they wait with `eventually`.
    LocalSet::new().run_until(run()).await;
}

async fn run() {
    let plan = Plan::from_environment();
    let mut deployment = Deployment::start().await;
    let acknowledged = Arc::new(Acknowledged::default());
    let publishers = Publishers::start(&plan, &deployment, &acknowledged).await;
    let observed = Arc::new(Observations::default());
    let pages = Pages::open(&plan, &deployment, &publishers, &acknowledged, &observed).await;
    observed.all_joined(plan.pages).await;

    inject_faults(&plan, &mut deployment, &pages, &observed).await;
    // A rolling restart under load.
    observed.record_fault(Fault::AllRestarted);
    deployment.rolling_restart().await;
    let published = publishers.finish().await;
    pages.finish(plan.seed).await;

    print_results(&plan, published, &observed);
    assert_eq!(
        observed.fresh(),
        plan.pages as u64,
        "each page started without recovery once: when it was opened"
    );
    assert!(observed.recovered() > 0, "no page reconnected");
}

/// Injects the random faults of the plan, one after the other.
async fn inject_faults(plan: &Plan, deployment: &mut Deployment, pages: &Pages, observed: &Observations) {
    let mut random = StdRng::seed_from_u64(plan.seed);
    for number in 0..plan.faults {
        sleep(Duration::from_millis(random.random_range(300..1_500))).await;
        let fault = Fault::random_kind(&mut random);
        observed.record_fault(fault);
        deployment.inject(fault, &mut random).await;
        assert!(
            pages.all_running(),
            "a page failed after fault {number}, {}, of seed {}",
            fault.text(),
            plan.seed
        );
    }
}

#[expect(clippy::print_stdout, reason = "the results, which --nocapture shows")]
fn print_results(plan: &Plan, published: u64, observed: &Observations) {
    println!(
        "seed {}: {} pages in {} sessions, {published} events published, {}",
        plan.seed,
        plan.pages,
        plan.sessions(),
        observed.summary()
    );
    println!("  longest by transport: {}", observed.by_transport());
    for line in observed.by_fault() {
        println!("  {line}");
    }
}
