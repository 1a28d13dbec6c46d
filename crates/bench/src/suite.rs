//! The run: every scenario, round by round, and in each round one peer after the other.

use clap::ValueEnum;

use crate::{
    machine,
    cpus::{self, Role},
    error::{Outcome, failed},
    interrupt,
    measure::measure,
    options::Options,
    competitors::Ground,
    progress::Progress,
    report,
    results::{Results, Row},
    catalogue::{self, Group, Scenario, Times},
};

const RESULTS: &str = "results.json";

/// Writes the report of the last run.
pub(crate) fn report(options: &Options) -> Outcome<()> {
    let results = Results::read(&options.folder.join(RESULTS))?;
    report::write(&results, &options.report)
}

/// Measures everything that was asked for. Whether all went well.
pub(crate) fn run(options: &Options) -> Outcome<bool> {
    cpus::raise_file_limit()?;
    cpus::pin(Role::Load)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.spawn(interrupt::watch());
    let ground = Ground {
        roomcast: options.roomcast()?,
        centrifugo: options.centrifugo.clone(),
        node: options.node.clone(),
        folder: options.folder.clone(),
        runtime,
    };
    let mut results = Results {
        about: machine::about(&ground),
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        rows: vec![],
    };
    let scenarios = wanted(options);
    let times = Times::new(options.quick);
    let rounds = options.rounds();
    let of = |scenario: &Scenario| rounds.min(scenario.rounds);
    let measurements: usize = scenarios
        .iter()
        .map(|scenario| scenario.peers.len() * of(scenario))
        .sum();
    let mut progress = Progress::new(measurements);
    let mut all_well = true;
    for scenario in &scenarios {
        for round in 1..=of(scenario) {
            for peer in &scenario.peers {
                progress.begin(&scenario.name, round, peer.name());
                match measure(&ground, scenario, *peer, times) {
                    Ok(measured) => {
                        progress.end(&measured);
                        let is_well = measured.faults.is_none();
                        all_well &= is_well;
                        let faults = if is_well {
                            String::new()
                        } else {
                            format!("{:?}", measured.faults)
                        };
                        results.rows.push(Row {
                            scenario: scenario.name.clone(),
                            peer: peer.name().to_owned(),
                            round,
                            figures: measured.figures,
                            faults,
                        });
                    }
                    Err(error) => {
                        progress.failed(&error);
                        all_well = false;
                    }
                }
                if interrupt::happened() {
                    return Err(failed("interrupted"));
                }
            }
        }
        results.write(&options.folder.join(RESULTS))?;
    }
    ground.runtime.shutdown_background();
    report::write(&results, &options.report)?;
    Ok(all_well)
}

fn wanted(options: &Options) -> Vec<Scenario> {
    let groups = if options.only.is_empty() {
        Group::value_variants().to_vec()
    } else {
        options.only.clone()
    };
    let mut scenarios: Vec<_> = groups
        .into_iter()
        .flat_map(|group| catalogue::of(group, options.quick))
        .collect();
    for scenario in &mut scenarios {
        scenario
            .peers
            .retain(|peer| options.peer.is_empty() || options.peer.contains(peer));
    }
    scenarios.retain(|scenario| !scenario.peers.is_empty());
    scenarios
}
