//! Measures one competitor in one scenario, once.

mod fan_out;
mod publish_rate;
mod reconnect;
mod redis_benchmark;

use crate::{
    competitors::{Competitor, Environment, RunningProcesses},
    error::BenchResult,
    generator::{Generator, pace::Pace},
    measurement::Measurement,
    scenario::{PhaseDurations, Scenario, Workload},
};

/// How many sockets connect at the same time.
const CONCURRENT_CONNECTS: usize = 200;

/// Starts the competitor, applies the load of the scenario, and returns the figures.
pub(crate) fn measure(
    environment: &Environment,
    scenario: &Scenario,
    competitor: Competitor,
    durations: PhaseDurations,
) -> BenchResult<Measurement> {
    let deployment = competitor.start(environment, &scenario.shape)?;
    if let Workload::PublishOnly { in_flight } = scenario.workload {
        return publish_rate::measure(deployment, scenario.shape.room_count(), in_flight, durations);
    }
    let keeps_cursors = scenario.workload == Workload::Reconnect;
    let (mut processes, plan, publisher) = deployment.into_parts(&scenario.shape, keeps_cursors);
    let mut generator = Generator::new(plan, publisher)?;
    let mut measurement = Measurement::default();
    connect(
        &mut generator,
        &processes,
        scenario.shape.sockets,
        durations,
        &mut measurement,
    )?;
    match scenario.workload {
        Workload::Idle => {}
        Workload::PublishOnly { .. } => {} // returned above, because it has no sockets
        Workload::FanOut {
            in_flight,
            open_loop_shares,
        } => fan_out::measure_closed_and_open_loop(
            &mut generator,
            &processes,
            in_flight,
            open_loop_shares,
            durations,
            &mut measurement,
        )?,
        Workload::FixedRate(rate) => {
            fan_out::measure_at_rate(&mut generator, &processes, rate, durations, &mut measurement)?;
        }
        Workload::Reconnect => reconnect::measure(&mut generator, &mut processes, &mut measurement)?,
    }
    generator.drain()?;
    measurement.faults = generator.faults();
    measurement.publish_error = generator.publish_error();
    Ok(measurement)
}

/// Connects all sockets, and records the cost and the memory of idle sockets.
fn connect(
    generator: &mut Generator,
    processes: &RunningProcesses,
    sockets: usize,
    durations: PhaseDurations,
    measurement: &mut Measurement,
) -> BenchResult<()> {
    let sockets = sockets as f64;
    let (memory_before, cpu_before) = (processes.fan_out_memory(), processes.cpu_usage());
    let duration = generator.connect(CONCURRENT_CONNECTS)?;
    let cpu_after = processes.cpu_usage();
    let fan_out = cpu_after.fan_out - cpu_before.fan_out;
    let all = cpu_after.all - cpu_before.all;
    measurement.put("sockets", sockets);
    measurement.put("connects_per_s", sockets / duration.as_secs_f64());
    measurement.put("connects_per_cpu_s", sockets / fan_out.seconds());
    measurement.put("connects_per_cpu_s_all", sockets / all.seconds());
    generator.run(Pace::Idle, durations.idle)?;
    let memory = processes.fan_out_memory();
    let added = memory.anonymous.saturating_sub(memory_before.anonymous);
    measurement.put("bytes_per_socket", added as f64 / sockets);
    measurement.put("resident", memory.resident as f64);
    Ok(())
}
