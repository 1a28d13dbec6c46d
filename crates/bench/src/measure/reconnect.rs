//! A reconnect storm: one edge is killed, and its sockets reconnect to the other edge at once, with their cursors.

use std::time::Duration;

use crate::{
    competitors::RunningProcesses,
    error::BenchResult,
    generator::{Generator, pace::Pace},
    measurement::Measurement,
};

/// Events per second before, during and after the reconnect.
const RATE: f64 = 200.0;
/// How long events are published before the kill, and after the reconnect.
const MARGIN: Duration = Duration::from_secs(1);
/// The index of the address of the edge that is killed, which is the first one that was started.
const KILLED_ADDR: usize = 0;

/// Kills the first edge. All its sockets have to resume without a lost event.
pub(super) fn measure(
    generator: &mut Generator,
    processes: &mut RunningProcesses,
    measurement: &mut Measurement,
) -> BenchResult<()> {
    let pace = Pace::rate(RATE);
    generator.run(pace, MARGIN)?;
    let mut edge = processes.take_fan_out().ok_or("no edge to kill")?;
    let cpu_before = processes.cpu_usage();
    let reconnected = generator.reconnect_after(KILLED_ADDR, pace, || edge.kill())?;
    let cpu = processes.cpu_usage().fan_out - cpu_before.fan_out;
    let (sockets, seconds) = (reconnected.sockets as f64, reconnected.duration.as_secs_f64());
    measurement.put("back_s", seconds);
    measurement.put("back_sockets", sockets);
    measurement.put("back_per_s", sockets / seconds);
    measurement.put("back_per_cpu_s", sockets / cpu.seconds());
    let counts = generator.run(pace, MARGIN)?;
    measurement.put(
        "events_per_s",
        counts.completed_events as f64 / counts.duration.as_secs_f64(),
    );
    Ok(())
}
