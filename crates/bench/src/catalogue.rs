//! What is measured of each peer.

use std::time::Duration;

use clap::ValueEnum;

use crate::{peers::Peer, shape::Shape};

/// One scenario: a crowd, and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Its name in files and on the command line.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// How many events are under way in the closed loop; zero: there is none, the sockets are only idle.
    pub(crate) under_way: u32,
    /// The loads of the open loop, as parts of what the closed loop did.
    pub(crate) loads: &'static [f64],
    /// Whose it is.
    pub(crate) peers: Vec<Peer>,
    /// What happens beside that.
    pub(crate) kind: Kind,
    /// How often it is measured at most.
    pub(crate) rounds: usize,
}

/// What a scenario does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Connects, is idle, publishes.
    Crowd,
    /// An edge dies.
    Reconnect,
    /// So many events a second are published, whatever the peer can do.
    Rate(f64),
    /// Nobody listens, and as many events as possible are published.
    Publish,
}

/// The scenarios by what they show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Fan-out to rooms of 4, of 1,000, of 10,000, and to one hot room; connecting and memory with them.
    FanOut,
    /// Connecting where all sockets are of one user.
    Connect,
    /// Memory of idle sockets.
    Idle,
    /// An edge dies, and its sockets come back.
    Reconnect,
    /// How cost grows.
    Growth,
    /// From the call to the browser, in each deployment.
    EndToEnd,
    /// How many publishes a control plane takes.
    Publish,
}

/// Rounds of what is no comparison, but shows a shape.
const FEW_ROUNDS: usize = 2;
/// Parts of what a closed loop does, at which latency is measured.
const LOADS: &[f64] = &[0.1, 0.5, 0.8];

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    pub(crate) closed: Duration,
    pub(crate) open: Duration,
    /// How long sockets are left alone before memory is read.
    pub(crate) settle: Duration,
}

impl Times {
    pub(crate) const fn new(quick: bool) -> Self {
        let [warm_up, closed, open, settle] = if quick {
            [200, 700, 400, 300]
        } else {
            [300, 1_200, 700, 700]
        };
        Self {
            warm_up: Duration::from_millis(warm_up),
            closed: Duration::from_millis(closed),
            open: Duration::from_millis(open),
            settle: Duration::from_millis(settle),
        }
    }
}

impl Scenario {
    fn crowd(name: &str, shape: Shape, under_way: u32, loads: &'static [f64]) -> Self {
        Self {
            name: name.to_owned(),
            shape,
            under_way,
            loads,
            peers: compared(),
            kind: Kind::Crowd,
            rounds: usize::MAX,
        }
    }

    fn of(mut self, peers: &[Peer]) -> Self {
        self.peers = peers.to_vec();
        self
    }
}

/// Those that are compared with each other everywhere.
fn compared() -> Vec<Peer> {
    vec![
        Peer::Raw,
        Peer::Roomcast,
        Peer::Socketioxide,
        Peer::Node,
        Peer::NodeRedis,
        Peer::Centrifugo,
        Peer::CentrifugoRedis,
    ]
}

/// The scenarios of a group.
pub(crate) fn of(group: Group, quick: bool) -> Vec<Scenario> {
    match group {
        Group::FanOut => fan_out(quick),
        Group::Connect | Group::Idle if quick => vec![],
        Group::Connect => {
            let shape = Shape {
                has_one_user: true,
                ..Shape::new(10_000, 4)
            };
            let scenario = Scenario::crowd("connect-one-user", shape, 0, &[]);
            vec![scenario.of(&[Peer::Roomcast, Peer::Centrifugo])]
        }
        Group::Idle => vec![Scenario::crowd("idle-19000", Shape::new(19_000, 4), 0, &[])],
        Group::Reconnect => {
            let shape = Shape {
                edges: 2,
                ..Shape::new(if quick { 4_000 } else { 10_000 }, 4)
            };
            let scenario = Scenario::crowd("reconnect", shape, 0, &[]).of(&[Peer::Roomcast]);
            vec![Scenario {
                kind: Kind::Reconnect,
                ..scenario
            }]
        }
        Group::Growth => growth(quick),
        Group::EndToEnd => end_to_end(),
        Group::Publish => {
            let scenario = |name: &str, in_bulk| {
                let shape = Shape {
                    edges: 0,
                    in_bulk,
                    ..Shape::new(4_000, 4)
                };
                let scenario = Scenario::crowd(name, shape, 256, &[]).of(&[Peer::Roomcast]);
                Scenario {
                    kind: Kind::Publish,
                    ..scenario
                }
            };
            vec![scenario("publish-unary", false), scenario("publish-bulk", true)]
        }
    }
}

fn fan_out(quick: bool) -> Vec<Scenario> {
    let all = if quick { 4_000 } else { 10_000 };
    let mut huge = Scenario::crowd("room-of-10000", Shape::new(10_000, 10_000), 1, &[]);
    if quick {
        huge.peers = vec![Peer::Raw, Peer::Roomcast, Peer::Node, Peer::Centrifugo];
    }
    vec![
        Scenario::crowd("rooms-of-4", Shape::new(all, 4), 256, LOADS),
        Scenario::crowd("room-of-1000", Shape::new(1_000, 1_000), 1, LOADS),
        huge,
        Scenario::crowd("hot-room", Shape::new(1_000, 1_000), 64, &[]),
    ]
}

const TIMES: [usize; 4] = [1, 2, 4, 8];

/// Each series grows one thing, and leaves the others as they are.
fn growth(quick: bool) -> Vec<Scenario> {
    let times: &[usize] = if quick { &[1, 4] } else { &TIMES };
    let both = [Peer::Raw, Peer::Roomcast];
    let mut scenarios = vec![];
    for times in times {
        let connections = Shape::new(1_200 * times, 4);
        scenarios.push(Scenario::crowd(&format!("grow-connections-{times}"), connections, 64, &[]).of(&both));
        let rooms = Shape::new(8_000, 32 / times);
        scenarios.push(Scenario::crowd(&format!("grow-rooms-{times}"), rooms, 64, &[]).of(&both));
        let members = Shape::new(1_200 * times, 1_200 * times);
        scenarios.push(Scenario::crowd(&format!("grow-members-{times}"), members, 1, &[]).of(&both));
        let rate = Scenario::crowd(&format!("grow-rate-{times}"), Shape::new(4_000, 4), 0, &[]).of(&both);
        scenarios.push(Scenario {
            kind: Kind::Rate(300.0 * *times as f64),
            ..rate
        });
        let edges = Shape {
            edges: *times,
            ..Shape::new(8_000, 32)
        };
        scenarios.push(Scenario::crowd(&format!("grow-edges-{times}"), edges, 64, &[]).of(&[Peer::Roomcast]));
    }
    for scenario in &mut scenarios {
        scenario.rounds = FEW_ROUNDS;
    }
    scenarios
}

fn end_to_end() -> Vec<Scenario> {
    let one = Shape {
        in_bulk: false,
        ..Shape::new(1_000, 4)
    };
    let two = Shape {
        edges: 2,
        control_planes: 2,
        ..one
    };
    vec![
        Scenario::crowd("end-to-end-1", one, 64, LOADS).of(&[Peer::Roomcast, Peer::RoomcastMemory]),
        Scenario::crowd("end-to-end-2", two, 64, LOADS).of(&[Peer::Roomcast]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crowd_fills_its_rooms() {
        for group in Group::value_variants() {
            for scenario in of(*group, false) {
                let shape = scenario.shape;
                assert_eq!(
                    shape.room_count() * shape.room,
                    shape.sockets,
                    "{}",
                    scenario.name
                );
            }
        }
    }
}
