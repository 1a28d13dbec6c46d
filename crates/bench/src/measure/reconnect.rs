//! The reconnect storm: an edge dies, and its sockets come to the other one at once, with their cursors.

use std::time::Duration;

use crate::{
    cpus::Role,
    error::{Outcome, failed},
    generator::{Generator, pace::Pace},
    measure::Measured,
    competitors::Running,
};

/// Events a second, before, while and after the edge dies.
const RATE: f64 = 200.0;
/// How long the crowd is left alone before and after.
const AROUND: Duration = Duration::from_secs(1);

/// Kills the first edge. Everybody has to be recovered, and to miss nothing.
pub(crate) fn measure(
    generator: &mut Generator,
    running: &mut Running,
    measured: &mut Measured,
) -> Outcome<()> {
    let pace = Pace::rate(RATE);
    generator.run(pace, AROUND)?;
    let edge = running
        .processes
        .iter()
        .position(|process| process.role == Role::FanOut);
    let Some(edge) = edge else {
        return Err(failed("no edge to kill"));
    };
    let mut edge = running.processes.remove(edge);
    let spent = running.spent();
    let back = generator.survive(0, pace, || edge.kill())?;
    let spent = running.spent().fan_out - spent.fan_out;
    measured.put("back_s", back.took.as_secs_f64());
    measured.put("back_sockets", back.sockets as f64);
    measured.put("back_per_s", back.sockets as f64 / back.took.as_secs_f64());
    measured.put("back_per_cpu_s", back.sockets as f64 / spent.seconds());
    let counted = generator.run(pace, AROUND)?;
    measured.put("events_per_s", counted.events as f64 / counted.wall.as_secs_f64());
    Ok(())
}
