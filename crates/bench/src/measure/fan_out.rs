//! Fan-out: the rate and the CPU time of deliveries, and their latency.

use std::time::Duration;

use crate::{
    competitors::RunningProcesses,
    cpu_pinning::{ProcessRole, cpu_of},
    error::BenchResult,
    generator::{Generator, pace::Pace},
    measurement::Measurement,
    procfs::{CpuTicks, CpuTime},
    scenario::PhaseDurations,
};

/// The minimum rate of an open loop, in events per second.
const MIN_RATE: f64 = 1.0;
/// The percentiles of latency that are recorded.
const PERCENTILES: [f64; 3] = [50.0, 90.0, 99.0];

/// Measures a closed loop, and then the latency of open loops at shares of the closed loop's rate.
pub(super) fn measure_closed_and_open_loop(
    generator: &mut Generator,
    processes: &RunningProcesses,
    in_flight: u32,
    open_loop_shares: &[f64],
    durations: PhaseDurations,
    measurement: &mut Measurement,
) -> BenchResult<()> {
    let pace = Pace::ClosedLoop(in_flight);
    generator.run(pace, durations.warm_up)?;
    let rate = measure_window(generator, processes, pace, durations.closed_loop, measurement)?;
    generator.drain()?;
    for share in open_loop_shares {
        let pace = Pace::rate((rate * share).max(MIN_RATE));
        generator.run(pace, durations.open_loop)?;
        // The latency of deliveries after the end of the window counts too.
        generator.drain()?;
        let suffix = format!("at_{:.0}", share * 100.0);
        measurement.put_latency(&PERCENTILES, &suffix, &generator.counts().latency);
    }
    Ok(())
}

/// Measures an open loop at this rate, in events per second.
pub(super) fn measure_at_rate(
    generator: &mut Generator,
    processes: &RunningProcesses,
    rate: f64,
    durations: PhaseDurations,
    measurement: &mut Measurement,
) -> BenchResult<()> {
    let pace = Pace::rate(rate);
    generator.run(pace, durations.warm_up)?;
    measure_window(generator, processes, pace, durations.closed_loop, measurement)?;
    Ok(())
}

/// Publishes for the length of a window, and records the cost. Returns how many events per second all their sockets
/// received.
fn measure_window(
    generator: &mut Generator,
    processes: &RunningProcesses,
    pace: Pace,
    window: Duration,
    measurement: &mut Measurement,
) -> BenchResult<f64> {
    let cpus = [ProcessRole::FanOut, ProcessRole::Load].map(cpu_of);
    let ticks_before = cpus.map(CpuTicks::of_cpu);
    let (usage_before, own_before) = (processes.cpu_usage(), CpuTime::of_this_thread());
    let counts = generator.run(pace, window)?;
    let (usage_after, own_after) = (processes.cpu_usage(), CpuTime::of_this_thread());
    let ticks_after = cpus.map(CpuTicks::of_cpu);
    let fan_out = usage_after.fan_out - usage_before.fan_out;
    let all = usage_after.all - usage_before.all;
    let own = own_after - own_before;
    let deliveries = counts.deliveries as f64;
    let seconds = counts.duration.as_secs_f64();
    let us_per_delivery = fan_out.seconds() * 1e6 / deliveries;
    let events_per_s = counts.completed_events as f64 / seconds;
    measurement.put("deliveries_per_s", deliveries / seconds);
    measurement.put("deliveries_per_cpu_s", deliveries / fan_out.seconds());
    measurement.put("deliveries_per_cpu_s_all", deliveries / all.seconds());
    measurement.put("user_us", us_per_delivery * fan_out.user_share());
    measurement.put("system_us", us_per_delivery * (1.0 - fan_out.user_share()));
    measurement.put("events_per_s", events_per_s);
    measurement.put("busy_server", ticks_after[0].busy_share_since(ticks_before[0]));
    measurement.put("busy_load", ticks_after[1].busy_share_since(ticks_before[1]));
    measurement.put("busy_generator", own.seconds() / seconds);
    measurement.put_latency(&PERCENTILES, "closed", &counts.latency);
    Ok(events_per_s)
}
