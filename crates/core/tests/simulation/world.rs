//! The simulated world: every process, the queue of steps, and virtual time.
//!
//! Control planes and edges run the real state machines. The simulation does what their IO shells do, and may delay,
//! lose, repeat or cut what they send.

use std::{collections::BTreeMap, fmt::Write as _};

use roomcast_core::Millis;

use crate::{
    control_plane::ControlPlane,
    edge::Edge,
    link::{Link, LinkId},
    oracle::{Checked, Oracle},
    page::Page,
    rng::Rng,
    step::Step,
    store::Store,
};

/// More steps than this in one virtual second are a busy loop.
const STEPS_PER_SECOND: u32 = 60_000;

/// One incarnation of a control plane or of an edge. What is sent to an earlier incarnation is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Incarnation {
    /// The index of the process among those of its kind.
    pub(crate) index: usize,
    /// Counts the starts of the process.
    pub(crate) number: u64,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: Millis,
    pub(crate) store: Store,
    pub(crate) oracle: Oracle,
    pub(crate) control_planes: Vec<ControlPlane>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) pages: Vec<Page>,
    /// Whether the faults of this run are over.
    pub(crate) faults_are_over: bool,
    /// The pairs of control plane and edge that cannot reach each other, with the id of the partition.
    pub(crate) partitions: BTreeMap<(usize, usize), u64>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    /// The scheduled steps, by time and then in the order in which they were scheduled.
    steps: BTreeMap<(Millis, u64), Step>,
    last_id: u64,
    /// The current second, and the number of its steps so far.
    steps_of_second: (Millis, u32),
    trace: Option<String>,
}

impl World {
    pub(crate) fn new(mut rng: Rng, is_traced: bool) -> Self {
        let (control_planes, edges) = (1 + rng.below(3), 1 + rng.below(3));
        let mut world = Self {
            rng,
            now: 0,
            store: Store::default(),
            oracle: Oracle::default(),
            control_planes: (0..control_planes).map(|_| ControlPlane::stopped()).collect(),
            edges: (0..edges).map(Edge::stopped).collect(),
            pages: Vec::new(),
            faults_are_over: false,
            partitions: BTreeMap::new(),
            links: BTreeMap::new(),
            steps: BTreeMap::new(),
            last_id: 0,
            steps_of_second: (0, 0),
            trace: is_traced.then(String::new),
        };
        for index in 0..control_planes {
            world.start_control_plane(index);
        }
        for index in 0..edges {
            world.start_edge(index);
        }
        world
    }

    /// Runs all steps up to a time, inclusive.
    pub(crate) fn run(&mut self, until: Millis) -> Checked {
        while let Some(step) = self.steps.first_entry().filter(|step| step.key().0 <= until) {
            let ((at, _), step) = step.remove_entry();
            self.now = at;
            self.oracle.now = at;
            if let Some(trace) = &mut self.trace {
                let _ = writeln!(trace, "{at} {step:?}"); // writing to a string does not fail
            }
            self.steps_of_second = match self.steps_of_second {
                (second, count) if second == at / 1_000 => (second, count + 1),
                _ => (at / 1_000, 0),
            };
            if self.steps_of_second.1 > STEPS_PER_SECOND {
                return Err(format!("a busy loop that contains this step: {step:?}"));
            }
            self.step(step)?;
        }
        self.now = until;
        Ok(())
    }

    pub(crate) fn take_trace(&mut self) -> String {
        self.trace.take().unwrap_or_default()
    }

    /// Schedules a step after a delay.
    pub(crate) fn after(&mut self, delay: Millis, step: Step) {
        self.at(self.now + delay, step);
    }

    /// Schedules a step.
    pub(crate) fn at(&mut self, at: Millis, step: Step) {
        self.last_id += 1;
        self.steps.insert((at, self.last_id), step);
    }

    /// A random latency of the network.
    pub(crate) fn latency(&mut self) -> Millis {
        if self.rng.percent(2) {
            self.rng.between(10, 300)
        } else {
            self.rng.between(0, 4)
        }
    }

    pub(crate) fn unique_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The control plane, if this incarnation is still alive.
    pub(crate) fn control_plane(&mut self, id: Incarnation) -> Option<&mut ControlPlane> {
        self.control_planes
            .get_mut(id.index)
            .filter(|control_plane| control_plane.is(id))
    }

    /// The edge, if this incarnation is still alive.
    pub(crate) fn edge(&mut self, id: Incarnation) -> Option<&mut Edge> {
        self.edges.get_mut(id.index).filter(|edge| edge.is(id))
    }
}
