//! One scenario: which competitors are measured, with how many sockets, and under which load.

use std::time::Duration;

use crate::{competitors::Competitor, shape::Shape};

/// A scenario: the sockets, rooms and processes, and the load that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The name in the results and in the names of files.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) workload: Workload,
    pub(crate) competitors: Vec<Competitor>,
    /// An upper bound on the number of rounds.
    pub(crate) max_rounds: usize,
}

/// The load of a scenario, after its sockets have connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Workload {
    /// No events: the sockets are idle.
    Idle,
    /// First a closed loop, then an open loop at shares of the closed loop's rate.
    FanOut {
        /// The number of events in flight in the closed loop.
        in_flight: u32,
        /// The rates of the open loop, each a share of the closed loop's rate.
        open_loop_shares: &'static [f64],
    },
    /// An open loop at a fixed rate, in events per second.
    FixedRate(f64),
    /// An edge is killed, and its sockets reconnect to another edge.
    Reconnect,
    /// Publishing at the highest possible rate, without edges and sockets.
    PublishOnly {
        /// The number of publishes in flight.
        in_flight: u32,
    },
}

/// The lengths of the phases of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhaseDurations {
    pub(crate) warm_up: Duration,
    pub(crate) closed_loop: Duration,
    /// How long each rate of the open loop is measured.
    pub(crate) open_loop: Duration,
    /// How long sockets are idle before their memory is read.
    pub(crate) idle: Duration,
}

impl PhaseDurations {
    pub(crate) const fn new(is_quick: bool) -> Self {
        let [warm_up, closed_loop, open_loop, idle] = if is_quick {
            [200, 700, 400, 300]
        } else {
            [300, 1_200, 700, 700]
        };
        Self {
            warm_up: Duration::from_millis(warm_up),
            closed_loop: Duration::from_millis(closed_loop),
            open_loop: Duration::from_millis(open_loop),
            idle: Duration::from_millis(idle),
        }
    }
}
