//! The scenarios of the benchmark, in groups.

use clap::ValueEnum;

use crate::{
    competitors::Competitor,
    scenario::{Scenario, Workload},
    shape::Shape,
};

/// A group of scenarios, which `--only` selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScenarioGroup {
    /// Fan-out to rooms of 4, 1,000 and 10,000 sockets and to one hot room; also connects and memory
    FanOut,
    /// Connects of sockets that all belong to one user
    Connect,
    /// Memory of idle sockets
    Idle,
    /// Reconnects after an edge was killed
    Reconnect,
    /// How the cost grows with sockets, rooms, room size, rate and edges
    Growth,
    /// Latency from the publish call to the socket, in each deployment
    EndToEnd,
    /// The publish rate of one control plane
    Publish,
}

/// The rates at which latency is measured, as shares of the closed loop's rate.
const OPEN_LOOP_SHARES: &[f64] = &[0.1, 0.5, 0.8];
/// The maximum number of rounds of a growth scenario, which shows a curve instead of a comparison.
const GROWTH_ROUNDS: usize = 2;
/// The factors of growth.
const GROWTH_FACTORS: [usize; 4] = [1, 2, 4, 8];
/// The competitors of the scenarios that compare all.
const COMPARED: [Competitor; 7] = [
    Competitor::Raw,
    Competitor::Roomcast,
    Competitor::Socketioxide,
    Competitor::Node,
    Competitor::NodeRedis,
    Competitor::Centrifugo,
    Competitor::CentrifugoRedis,
];

impl ScenarioGroup {
    /// The scenarios of this group. A quick run has fewer and smaller ones.
    pub(crate) fn scenarios(self, is_quick: bool) -> Vec<Scenario> {
        match self {
            Self::FanOut => fan_out(is_quick),
            Self::Connect | Self::Idle if is_quick => vec![],
            Self::Connect => vec![connect()],
            Self::Idle => vec![scenario(
                "idle-19000",
                Shape::new(19_000, 4),
                Workload::Idle,
                &COMPARED,
            )],
            Self::Reconnect => vec![reconnect(is_quick)],
            Self::Growth => growth(is_quick),
            Self::EndToEnd => end_to_end(),
            Self::Publish => vec![publish("publish-unary", false), publish("publish-bulk", true)],
        }
    }
}

fn scenario(name: &str, shape: Shape, workload: Workload, competitors: &[Competitor]) -> Scenario {
    Scenario {
        name: name.to_owned(),
        shape,
        workload,
        competitors: competitors.to_vec(),
        max_rounds: usize::MAX,
    }
}

const fn closed_loop(in_flight: u32) -> Workload {
    Workload::FanOut {
        in_flight,
        open_loop_shares: &[],
    }
}

const fn closed_and_open_loop(in_flight: u32) -> Workload {
    Workload::FanOut {
        in_flight,
        open_loop_shares: OPEN_LOOP_SHARES,
    }
}

fn fan_out(is_quick: bool) -> Vec<Scenario> {
    let small_rooms = Shape::new(if is_quick { 4_000 } else { 10_000 }, 4);
    let room_of_1000 = Shape::new(1_000, 1_000);
    let room_of_10000 = Shape::new(10_000, 10_000);
    let huge_room_competitors: &[Competitor] = if is_quick {
        &[
            Competitor::Raw,
            Competitor::Roomcast,
            Competitor::Node,
            Competitor::Centrifugo,
        ]
    } else {
        &COMPARED
    };
    vec![
        scenario("rooms-of-4", small_rooms, closed_and_open_loop(256), &COMPARED),
        scenario("room-of-1000", room_of_1000, closed_and_open_loop(1), &COMPARED),
        scenario(
            "room-of-10000",
            room_of_10000,
            closed_loop(1),
            huge_room_competitors,
        ),
        scenario("hot-room", room_of_1000, closed_loop(64), &COMPARED),
    ]
}

fn connect() -> Scenario {
    let shape = Shape {
        has_one_user: true,
        ..Shape::new(10_000, 4)
    };
    let competitors = [Competitor::Roomcast, Competitor::Centrifugo];
    scenario("connect-one-user", shape, Workload::Idle, &competitors)
}

fn reconnect(is_quick: bool) -> Scenario {
    let shape = Shape {
        edges: 2,
        ..Shape::new(if is_quick { 4_000 } else { 10_000 }, 4)
    };
    scenario("reconnect", shape, Workload::Reconnect, &[Competitor::Roomcast])
}

/// Each series increases one quantity and keeps the others constant.
fn growth(is_quick: bool) -> Vec<Scenario> {
    let factors: &[usize] = if is_quick { &[1, 4] } else { &GROWTH_FACTORS };
    let both = [Competitor::Raw, Competitor::Roomcast];
    let only_roomcast = [Competitor::Roomcast];
    let mut scenarios = vec![];
    for factor in factors {
        let mut add = |series: &str, shape, workload, competitors: &[Competitor]| {
            scenarios.push(Scenario {
                max_rounds: GROWTH_ROUNDS,
                ..scenario(&format!("grow-{series}-{factor}"), shape, workload, competitors)
            });
        };
        add(
            "connections",
            Shape::new(1_200 * factor, 4),
            closed_loop(64),
            &both,
        );
        add("rooms", Shape::new(8_000, 32 / factor), closed_loop(64), &both);
        add(
            "members",
            Shape::new(1_200 * factor, 1_200 * factor),
            closed_loop(1),
            &both,
        );
        let rate = 300.0 * *factor as f64;
        add("rate", Shape::new(4_000, 4), Workload::FixedRate(rate), &both);
        let edges = Shape {
            edges: *factor,
            ..Shape::new(8_000, 32)
        };
        add("edges", edges, closed_loop(64), &only_roomcast);
    }
    scenarios
}

fn end_to_end() -> Vec<Scenario> {
    let one = Shape {
        uses_streams: false,
        ..Shape::new(1_000, 4)
    };
    let two = Shape {
        edges: 2,
        control_planes: 2,
        ..one
    };
    let workload = closed_and_open_loop(64);
    let roomcast_with_both_stores = [Competitor::Roomcast, Competitor::RoomcastMemory];
    vec![
        scenario("end-to-end-1", one, workload, &roomcast_with_both_stores),
        scenario("end-to-end-2", two, workload, &[Competitor::Roomcast]),
    ]
}

fn publish(name: &str, uses_streams: bool) -> Scenario {
    let shape = Shape {
        edges: 0,
        uses_streams,
        ..Shape::new(4_000, 4)
    };
    let workload = Workload::PublishOnly { in_flight: 256 };
    scenario(name, shape, workload, &[Competitor::Roomcast])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sockets_of_every_scenario_fill_its_rooms() {
        for group in ScenarioGroup::value_variants() {
            for scenario in group.scenarios(false) {
                let shape = scenario.shape;
                assert_eq!(
                    shape.room_count() * shape.sockets_per_room,
                    shape.sockets,
                    "{}",
                    scenario.name
                );
            }
        }
    }
}
