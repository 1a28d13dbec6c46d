//! One run: a time with faults, a time without, and the final checks.

use roomcast_core::Millis;

use crate::{
    backend::{USERS, session, user},
    faults::FaultStep,
    oracle::Checked,
    page::{ConnectionId, Page, PageId},
    rng::Rng,
    step::Step,
    world::World,
};

/// How long the system may take to recover after the faults.
const RECOVERY: Millis = 10_000;
/// How long the last requests may take to reach every page.
const DELIVERY: Millis = 8_000;

/// Runs a seed. Returns the first violation, and the trace of all steps if `is_traced`.
pub(crate) fn simulate(seed: u64, is_traced: bool) -> (Checked, String) {
    let mut world = World::new(Rng::new(seed), is_traced);
    let checked = world
        .run_scenario()
        .map_err(|violation| format!("{violation}, at {} ms", world.now));
    (checked, world.take_trace())
}

impl World {
    fn run_scenario(&mut self) -> Checked {
        let sessions = 1 + self.rng.below(3);
        for n in 0..2 + self.rng.below(5) {
            self.add_page(n, sessions);
        }
        for n in 0..sessions {
            self.publish(&session(n), Some((0..USERS).collect()));
        }
        self.fault_after(100, FaultStep::Random);
        let end = 3_000 + self.rng.between(0, 9_000);
        self.run(end)?;
        self.end_faults(sessions)?;
        self.run(self.now + RECOVERY)?;
        self.join_missing_sessions();
        for n in 0..sessions {
            self.publish(&session(n), None);
        }
        self.run(self.now + DELIVERY)?;
        self.check_settled()
    }

    fn add_page(&mut self, n: usize, sessions: usize) {
        let wanted = (0..sessions)
            .filter(|_| self.rng.percent(70))
            .map(session)
            .collect();
        let page = Page::new(
            user(n % USERS),
            wanted,
            self.rng.percent(50),
            self.rng.percent(50),
        );
        self.pages.push(page);
        let connection = ConnectionId(self.unique_id());
        self.pages[n].connection = Some(connection);
        let delay = self.rng.between(0, 500);
        self.after(delay, Step::Connect(PageId(n), connection));
    }

    /// Repairs everything. From then on nothing fails.
    fn end_faults(&mut self, sessions: usize) -> Checked {
        self.faults_are_over = true;
        for (control_plane, edge) in self.partitions.keys().copied().collect::<Vec<_>>() {
            self.end_partition(control_plane, edge)?;
        }
        for n in 0..self.control_planes.len() {
            let control_plane = &self.control_planes[n];
            if !control_plane.is_alive || control_plane.is_draining {
                self.kill_control_plane(n);
                self.start_control_plane(n);
            } else if !control_plane.is_store_reachable {
                self.reconnect_store(n);
            }
        }
        for n in 0..self.edges.len() {
            if !self.edges[n].is_alive || self.edges[n].is_draining {
                self.kill_edge(n);
                self.start_edge(n);
            }
        }
        for n in 0..self.pages.len() {
            self.resume_reading(PageId(n));
        }
        // A session that was lost is created again.
        for n in 0..sessions {
            let exists = self.store.snapshot(&session(n).into()).is_some();
            self.publish(&session(n), (!exists).then(|| (0..USERS).collect()));
        }
        Ok(())
    }

    /// Makes pages repeat the joins that were denied temporarily.
    fn join_missing_sessions(&mut self) {
        for n in 0..self.pages.len() {
            for session in self.pages[n].wanted.clone() {
                if !self.pages[n].tracks.contains_key(&session) {
                    self.request_join(PageId(n), &session);
                }
            }
        }
    }
}
