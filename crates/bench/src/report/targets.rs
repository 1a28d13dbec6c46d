//! The targets of Roomcast, and whether this run reached them.

use super::tables::ratio;
use crate::{competitors::Competitor, results::Results};

/// A bound, which is inclusive.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One row of the table.
struct Target {
    name: &'static str,
    bound: Bound,
    /// Unset if it was not measured.
    measured: Option<f64>,
}

const PER_CPU: &str = "deliveries_per_cpu_s";
const PER_CPU_ALL: &str = "deliveries_per_cpu_s_all";

/// A table of all targets, in Markdown.
pub(super) fn table(results: &Results) -> String {
    let mut table = String::from("| | target | measured | reached |\n| --- | ---: | ---: | --- |\n");
    let groups = [
        fan_out(results),
        latency_and_sockets(results),
        centrifugo(results),
    ];
    for target in groups.into_iter().flatten() {
        table.push_str(&target.row());
    }
    table
}

impl Target {
    fn row(&self) -> String {
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ("≥", bound),
            Bound::AtMost(bound) => ("≤", bound),
        };
        let digits = if bound < 100.0 { 2 } else { 0 };
        let (shown, reached) = match self.measured {
            None => ("–".to_owned(), ""),
            Some(measured) => {
                let is_reached = match self.bound {
                    Bound::AtLeast(bound) => measured >= bound,
                    Bound::AtMost(bound) => measured <= bound,
                };
                (
                    format!("{measured:.digits$}"),
                    if is_reached { "yes" } else { "no" },
                )
            }
        };
        format!("| {} | {sign} {bound} | {shown} | {reached} |\n", self.name)
    }
}

/// Roomcast's figure divided by another competitor's.
fn relative(results: &Results, scenario: &str, figure: &str, to: Competitor) -> Option<f64> {
    ratio(results, scenario, figure, Competitor::Roomcast, to)
}

fn median(results: &Results, scenario: &str, figure: &str) -> Option<f64> {
    let spread = results.spread(scenario, Competitor::Roomcast.name(), figure);
    spread.map(|spread| spread.median)
}

fn fan_out(results: &Results) -> Vec<Target> {
    let hot_room = median(results, "hot-room", PER_CPU).zip(median(results, "room-of-1000", PER_CPU));
    vec![
        Target {
            name: "rooms of 4, per CPU second, relative to the ceiling",
            bound: Bound::AtLeast(0.9),
            measured: relative(results, "rooms-of-4", PER_CPU, Competitor::Raw),
        },
        Target {
            name: "… relative to Node",
            bound: Bound::AtLeast(2.3),
            measured: relative(results, "rooms-of-4", PER_CPU, Competitor::Node),
        },
        Target {
            name: "… relative to Node with Redis, the process with the sockets",
            bound: Bound::AtLeast(5.0),
            measured: relative(results, "rooms-of-4", PER_CPU, Competitor::NodeRedis),
        },
        Target {
            name: "… relative to Node with Redis, all processes of both",
            bound: Bound::AtLeast(5.0),
            measured: relative(results, "rooms-of-4", PER_CPU_ALL, Competitor::NodeRedis),
        },
        Target {
            name: "room of 1,000, one event in flight, relative to the ceiling",
            bound: Bound::AtLeast(0.95),
            measured: relative(results, "room-of-1000", PER_CPU, Competitor::Raw),
        },
        Target {
            name: "hot room, relative to the room of 1,000",
            bound: Bound::AtLeast(6.0),
            measured: hot_room.map(|(hot_room, single_events)| hot_room / single_events),
        },
    ]
}

fn latency_and_sockets(results: &Results) -> Vec<Target> {
    vec![
        Target {
            name: "latency at half load, p99, rooms of 4, relative to the ceiling",
            bound: Bound::AtMost(1.5),
            measured: relative(results, "rooms-of-4", "p99_us_at_50", Competitor::Raw),
        },
        Target {
            name: "latency at half load, p99, room of 1,000, relative to the ceiling",
            bound: Bound::AtMost(1.5),
            measured: relative(results, "room-of-1000", "p99_us_at_50", Competitor::Raw),
        },
        Target {
            name: "connects and joins per CPU second of an edge",
            bound: Bound::AtLeast(12_000.0),
            measured: median(results, "rooms-of-4", "connects_per_cpu_s"),
        },
        Target {
            name: "bytes per idle, joined socket",
            bound: Bound::AtMost(17_000.0),
            measured: median(results, "rooms-of-4", "bytes_per_socket"),
        },
        Target {
            name: "… relative to Centrifugo",
            bound: Bound::AtMost(1.0),
            measured: relative(results, "rooms-of-4", "bytes_per_socket", Competitor::Centrifugo),
        },
    ]
}

fn centrifugo(results: &Results) -> Vec<Target> {
    let scenarios = [
        ("rooms of 4, relative to Centrifugo", "rooms-of-4"),
        ("room of 1,000, relative to Centrifugo", "room-of-1000"),
        ("room of 10,000, relative to Centrifugo", "room-of-10000"),
        ("hot room, relative to Centrifugo", "hot-room"),
    ];
    let targets = scenarios.map(|(name, scenario)| Target {
        name,
        bound: Bound::AtLeast(1.0),
        measured: relative(results, scenario, PER_CPU, Competitor::Centrifugo),
    });
    targets.into()
}
