//! One peer in one scenario, once: figures by name.

mod publish_rate;
mod reconnect;

use std::{collections::BTreeMap, time::Duration};

use crate::{
    cpus::{self, Role},
    error::Outcome,
    generator::{Counted, Faults, Generator, pace::Pace},
    competitors::{Ground, Peer, Running},
    procfs::{Busy, CpuTime},
    catalogue::{Kind, Scenario, Times},
};

/// How many sockets connect at a time.
const IN_FLIGHT: usize = 200;
/// The least that an open loop publishes, in events a second.
const LEAST_RATE: f64 = 1.0;

/// Figures by name, and what must be zero.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) figures: BTreeMap<String, f64>,
    pub(crate) faults: Faults,
    pub(crate) publish_error: Option<String>,
}

impl Measured {
    pub(crate) fn put(&mut self, name: &str, figure: f64) {
        self.figures.insert(name.to_owned(), figure);
    }
}

/// Measures.
pub(crate) fn measure(ground: &Ground, scenario: &Scenario, peer: Peer, times: Times) -> Outcome<Measured> {
    if scenario.kind == Kind::Publish {
        return publish_rate::measure(ground, scenario, peer, times);
    }
    let deployment = peer.start(ground, &scenario.shape)?;
    let keeps_cursors = scenario.kind == Kind::Reconnect;
    let (mut running, crowd, publisher) = deployment.crowd(&scenario.shape, keeps_cursors);
    let mut generator = Generator::new(crowd, publisher)?;
    let mut measured = Measured::default();
    connect(&mut generator, &running, scenario, times, &mut measured)?;
    match scenario.kind {
        Kind::Crowd if scenario.under_way == 0 => {}
        Kind::Publish => {}
        Kind::Crowd => {
            let pace = Pace::Closed(scenario.under_way);
            generator.run(pace, times.warm_up)?;
            let rate = window(&mut generator, &running, pace, times.closed, &mut measured)?;
            generator.drain()?;
            for load in scenario.loads {
                let pace = Pace::rate((rate * load).max(LEAST_RATE));
                generator.run(pace, times.open)?;
                // What is late counts as well.
                generator.drain()?;
                latency(
                    generator.counted(),
                    &format!("at_{:.0}", load * 100.0),
                    &mut measured,
                );
            }
        }
        Kind::Rate(rate) => {
            generator.run(Pace::rate(rate), times.warm_up)?;
            window(
                &mut generator,
                &running,
                Pace::rate(rate),
                times.closed,
                &mut measured,
            )?;
        }
        Kind::Reconnect => reconnect::measure(&mut generator, &mut running, &mut measured)?,
    }
    generator.drain()?;
    measured.faults = generator.faults();
    measured.publish_error = generator.publish_error();
    Ok(measured)
}

fn connect(
    generator: &mut Generator,
    running: &Running,
    scenario: &Scenario,
    times: Times,
    measured: &mut Measured,
) -> Outcome<()> {
    let sockets = scenario.shape.sockets as f64;
    let (memory, spent) = (running.memory(), running.spent());
    let took = generator.connect(IN_FLIGHT)?;
    let after = running.spent();
    measured.put("sockets", sockets);
    measured.put("connects_per_s", sockets / took.as_secs_f64());
    measured.put(
        "connects_per_cpu_s",
        sockets / (after.fan_out - spent.fan_out).seconds(),
    );
    measured.put(
        "connects_per_cpu_s_all",
        sockets / (after.all - spent.all).seconds(),
    );
    generator.run(Pace::Quiet, times.settle)?;
    let idle = running.memory();
    let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / sockets;
    measured.put("bytes_per_socket", each(idle.anonymous, memory.anonymous));
    measured.put("resident", idle.resident as f64);
    Ok(())
}

/// Publishes for a while, and puts what it cost. How many events a second came to all their sockets.
fn window(
    generator: &mut Generator,
    running: &Running,
    pace: Pace,
    time: Duration,
    measured: &mut Measured,
) -> Outcome<f64> {
    let busy = [Role::FanOut, Role::Load].map(|role| Busy::of(cpus::of(role)));
    let (spent, own) = (running.spent(), CpuTime::of_this_thread());
    let counted = generator.run(pace, time)?;
    let (after, own) = (running.spent(), CpuTime::of_this_thread() - own);
    let [server, load] = [(Role::FanOut, busy[0]), (Role::Load, busy[1])]
        .map(|(role, before)| Busy::of(cpus::of(role)).since(before));
    let (fan_out, all) = (after.fan_out - spent.fan_out, after.all - spent.all);
    let deliveries = counted.deliveries as f64;
    let wall = counted.wall.as_secs_f64();
    let each = fan_out.seconds() * 1e6 / deliveries;
    measured.put("deliveries_per_s", deliveries / wall);
    measured.put("deliveries_per_cpu_s", deliveries / fan_out.seconds());
    measured.put("deliveries_per_cpu_s_all", deliveries / all.seconds());
    measured.put("user_us", each * fan_out.user_share());
    measured.put("system_us", each * (1.0 - fan_out.user_share()));
    measured.put("events_per_s", counted.events as f64 / wall);
    measured.put("busy_server", server);
    measured.put("busy_load", load);
    measured.put("busy_generator", own.seconds() / wall);
    latency(&counted, "closed", measured);
    Ok(counted.events as f64 / wall)
}

/// Puts latencies, in microseconds.
fn latency(counted: &Counted, name: &str, measured: &mut Measured) {
    for percentile in [50.0, 90.0, 99.0] {
        let nanoseconds = counted.latency.value_at_percentile(percentile);
        measured.put(&format!("p{percentile:.0}_us_{name}"), nanoseconds as f64 / 1e3);
    }
}
