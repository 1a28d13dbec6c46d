//! A run: all scenarios, each in several rounds, and all competitors one after another in each round.

use clap::ValueEnum;

use crate::{
    catalogue::ScenarioGroup,
    competitors::{Competitor, Environment},
    cpu_pinning::{self, ProcessRole},
    error::BenchResult,
    interrupt, machine,
    measure::measure,
    measurement::Measurement,
    options::Options,
    progress::Progress,
    report,
    results::{Results, Row},
    scenario::{PhaseDurations, Scenario},
};

/// The name of the results file in the folder of the run.
const RESULTS_FILE: &str = "results.json";

/// Writes the report from the results of the last run.
pub(crate) fn write_report(options: &Options) -> BenchResult<()> {
    let results = Results::read(&options.folder.join(RESULTS_FILE))?;
    report::write(&results, &options.report)
}

/// Measures the selected scenarios and writes the report. Returns whether all measurements succeeded without faults.
pub(crate) fn run(options: &Options) -> BenchResult<bool> {
    cpu_pinning::raise_file_limit()?;
    cpu_pinning::pin(ProcessRole::Load)?;
    let environment = environment(options)?;
    environment.runtime.spawn(interrupt::watch());
    let scenarios = selected_scenarios(options);
    let rounds = |scenario: &Scenario| options.rounds().min(scenario.max_rounds);
    let measurements = scenarios
        .iter()
        .map(|scenario| scenario.competitors.len() * rounds(scenario))
        .sum();
    let mut run = Run {
        results: Results {
            machine: machine::describe(&environment),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            rows: vec![],
        },
        durations: PhaseDurations::new(options.quick),
        environment,
        progress: Progress::new(measurements),
        is_successful: true,
    };
    for scenario in &scenarios {
        for round in 1..=rounds(scenario) {
            for competitor in &scenario.competitors {
                run.measure(scenario, *competitor, round);
                interrupt::check()?;
            }
        }
        run.results.write(&options.folder.join(RESULTS_FILE))?;
    }
    run.environment.runtime.shutdown_background();
    report::write(&run.results, &options.report)?;
    Ok(run.is_successful)
}

/// The state of a run.
struct Run {
    environment: Environment,
    durations: PhaseDurations,
    progress: Progress,
    results: Results,
    is_successful: bool,
}

impl Run {
    /// Measures once. A failure is printed, and does not end the run.
    fn measure(&mut self, scenario: &Scenario, competitor: Competitor, round: usize) {
        self.progress.begin(&scenario.name, round, competitor.name());
        match measure(&self.environment, scenario, competitor, self.durations) {
            Ok(measurement) => {
                self.progress.end(&measurement);
                self.record(scenario, competitor, round, measurement);
            }
            Err(error) => {
                self.progress.failed(&error);
                self.is_successful = false;
            }
        }
    }

    fn record(
        &mut self,
        scenario: &Scenario,
        competitor: Competitor,
        round: usize,
        measurement: Measurement,
    ) {
        let faults = if measurement.faults.is_none() {
            String::new()
        } else {
            format!("{:?}", measurement.faults)
        };
        self.is_successful &= faults.is_empty();
        self.results.rows.push(Row {
            scenario: scenario.name.clone(),
            competitor: competitor.name().to_owned(),
            round,
            figures: measurement.figures,
            faults,
        });
    }
}

fn environment(options: &Options) -> BenchResult<Environment> {
    Ok(Environment {
        roomcast: options.roomcast()?,
        centrifugo: options.centrifugo.clone(),
        node: options.node.clone(),
        folder: options.folder.clone(),
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?,
    })
}

/// The scenarios and competitors that the options select.
fn selected_scenarios(options: &Options) -> Vec<Scenario> {
    let groups = if options.only.is_empty() {
        ScenarioGroup::value_variants()
    } else {
        &options.only
    };
    let mut scenarios: Vec<_> = groups
        .iter()
        .flat_map(|group| group.scenarios(options.quick))
        .collect();
    for scenario in &mut scenarios {
        scenario
            .competitors
            .retain(|competitor| options.competitors.is_empty() || options.competitors.contains(competitor));
    }
    scenarios.retain(|scenario| !scenario.competitors.is_empty());
    scenarios
}
