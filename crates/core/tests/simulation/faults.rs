//! The random steps of a run: requests of backends, changes of pages, and faults of everything that can fail.

use roomcast_core::{JsonObject, Millis, Role, SessionCommand, SessionId, UserId};

use crate::{
    backend::{USERS, session, user},
    oracle::Checked,
    page::PageId,
    step::Step,
    world::World,
};

#[derive(Debug)]
pub(crate) enum FaultStep {
    /// A random request, change or fault.
    Random,
    StartControlPlane(usize),
    /// Stops a control plane that drains.
    StopControlPlane(usize),
    StartEdge(usize),
    /// Closes the next socket of an edge that drains, or stops the edge.
    DrainEdge(usize),
    /// Ends the partition between a control plane and an edge.
    EndPartition(usize, usize),
    ReconnectStore(usize),
    ResumeReading(PageId),
}

/// What a random step affects. Each kind of step uses only some of these.
struct Targets {
    session: SessionId,
    user: UserId,
    page: PageId,
    control_plane: usize,
    edge: usize,
    /// Whether an update of feedback has an author.
    has_author: bool,
}

impl World {
    pub(crate) fn fault_step(&mut self, step: FaultStep) -> Checked {
        match step {
            FaultStep::Random if self.faults_are_over => {}
            FaultStep::Random => {
                self.random_step();
                let delay = if self.rng.percent(3) {
                    self.rng.between(200, 2_500)
                } else {
                    self.rng.between(1, 80)
                };
                self.fault_after(delay, FaultStep::Random);
            }
            FaultStep::StartControlPlane(n) if !self.control_planes[n].is_alive => {
                self.start_control_plane(n);
            }
            FaultStep::StopControlPlane(n) if self.control_planes[n].is_draining => {
                self.kill_control_plane(n);
                self.fault_after(300, FaultStep::StartControlPlane(n));
            }
            FaultStep::StartEdge(n) if !self.edges[n].is_alive => self.start_edge(n),
            FaultStep::DrainEdge(n) if self.edges[n].is_draining => {
                if self.drain_one_socket(n) {
                    self.fault_after(20, FaultStep::DrainEdge(n));
                } else {
                    self.kill_edge(n);
                    self.fault_after(300, FaultStep::StartEdge(n));
                }
            }
            FaultStep::EndPartition(control_plane, edge)
                if self.partitions.contains_key(&(control_plane, edge)) =>
            {
                return self.end_partition(control_plane, edge);
            }
            FaultStep::ReconnectStore(n)
                if self.control_planes[n].is_alive && !self.control_planes[n].is_store_reachable =>
            {
                self.reconnect_store(n);
            }
            FaultStep::ResumeReading(page) => self.resume_reading(page),
            FaultStep::StartControlPlane(_)
            | FaultStep::StopControlPlane(_)
            | FaultStep::StartEdge(_)
            | FaultStep::DrainEdge(_)
            | FaultStep::EndPartition(..)
            | FaultStep::ReconnectStore(_) => {}
        }
        Ok(())
    }

    pub(crate) fn fault_after(&mut self, delay: Millis, step: FaultStep) {
        self.after(delay, Step::Fault(step));
    }

    fn random_step(&mut self) {
        let targets = self.random_targets();
        match self.rng.below(200) {
            kind @ 0..123 => self.random_request(kind, targets),
            kind @ 123..160 => self.random_change_of_page(kind, &targets),
            kind @ 160..188 => self.random_fault_of_process(kind, &targets),
            188..192 => self.lose_ends_of_logs(),
            192 => {
                self.store.lose_all(&mut self.oracle);
                self.replace_store();
            }
            _ => self.publish_burst(&targets.session),
        }
    }

    fn random_targets(&mut self) -> Targets {
        let sessions: Vec<_> = (0..3).map(session).collect();
        let existing = self
            .rng
            .pick(&sessions)
            .filter(|session| self.store.snapshot(&session.clone().into()).is_some());
        Targets {
            session: existing.unwrap_or_else(|| session(0)),
            user: user(self.rng.below(USERS)),
            page: PageId(self.rng.below(self.pages.len())),
            control_plane: self.rng.below(self.control_planes.len()),
            edge: self.rng.below(self.edges.len()),
            has_author: self.rng.percent(70),
        }
    }

    fn random_request(&mut self, kind: usize, targets: Targets) {
        let Targets { session, user, .. } = targets;
        match kind {
            0..70 => self.publish(&session, None),
            70..85 => {
                let participants = (0..USERS).filter(|_| self.rng.percent(75)).collect();
                self.publish(&session, Some(participants));
            }
            85..97 => {
                let role = if self.rng.percent(50) {
                    Role::Observer
                } else {
                    Role::Interviewer
                };
                self.send_command(&session, SessionCommand::SelectRole { user, role });
            }
            97..107 => self.send_command(&session, SessionCommand::RemoveParticipant { user }),
            107..117 => self.send_command(
                &session,
                SessionCommand::UpdateFeedback {
                    feedback: "f".parse().expect("an id"),
                    author: targets.has_author.then_some(user),
                    updates: JsonObject::empty(),
                    new_feedback: None,
                    timestamp: Some(0),
                },
            ),
            _ => self.set_pending_feedback(&user, &session, true),
        }
    }

    /// Publishes several times at once, so that queues become full.
    fn publish_burst(&mut self, session: &SessionId) {
        for _ in 0..self.rng.below(40) {
            self.publish(session, None);
        }
    }

    fn random_change_of_page(&mut self, kind: usize, targets: &Targets) {
        let (id, session) = (targets.page, &targets.session);
        match kind {
            123..137 => self.hang_up(id),
            137..139 => {
                self.hang_up(id);
                self.pages[id.0].reload();
            }
            139..144 => {
                self.pages[id.0].is_stalled = true;
                let delay = self.rng.between(100, 3_000);
                self.fault_after(delay, FaultStep::ResumeReading(id));
            }
            144..154 => {
                self.pages[id.0].wanted.insert(session.clone());
                self.request_join(id, session);
            }
            _ => {
                self.pages[id.0].wanted.remove(session);
                self.request_leave(id, session);
            }
        }
    }

    /// A process, or the connection between two, fails. If the fault is not possible now, publishes a burst instead.
    fn random_fault_of_process(&mut self, kind: usize, targets: &Targets) {
        let (control_plane, edge) = (targets.control_plane, targets.edge);
        let of_control_plane = &self.control_planes[control_plane];
        let of_edge = &self.edges[edge];
        match kind {
            160..164 if of_control_plane.is_alive => {
                self.kill_control_plane(control_plane);
                let delay = self.rng.between(50, 3_000);
                self.fault_after(delay, FaultStep::StartControlPlane(control_plane));
            }
            164..167 if of_control_plane.is_alive && !of_control_plane.is_draining => {
                self.drain_control_plane(control_plane);
                self.fault_after(500, FaultStep::StopControlPlane(control_plane));
            }
            167..171 if of_edge.is_alive => {
                self.kill_edge(edge);
                let delay = self.rng.between(50, 3_000);
                self.fault_after(delay, FaultStep::StartEdge(edge));
            }
            171..174 if of_edge.is_alive && !of_edge.is_draining => {
                self.edges[edge].is_draining = true;
                self.fault_after(20, FaultStep::DrainEdge(edge));
            }
            174..182 if !self.partitions.contains_key(&(control_plane, edge)) => {
                self.partition(control_plane, edge);
                let delay = self.rng.between(100, 5_000);
                self.fault_after(delay, FaultStep::EndPartition(control_plane, edge));
            }
            182..188 if of_control_plane.is_alive => {
                self.lose_store(control_plane);
                let delay = self.rng.between(50, 3_000);
                self.fault_after(delay, FaultStep::ReconnectStore(control_plane));
            }
            _ => self.publish_burst(&targets.session),
        }
    }

    /// Promotes a replica of the store that does not have the last few entries of some logs.
    fn lose_ends_of_logs(&mut self) {
        let mut losses = Vec::new();
        for _ in 0..64 {
            losses.push(self.rng.below(4));
        }
        self.store
            .lose_ends(|| losses.pop().unwrap_or(0), &mut self.oracle);
        self.replace_store();
    }

    /// Closes every connection to the store. The next ones reach the new store.
    fn replace_store(&mut self) {
        for n in 0..self.control_planes.len() {
            self.lose_store(n);
            let delay = self.rng.between(0, 800);
            self.fault_after(delay, FaultStep::ReconnectStore(n));
        }
    }

    fn lose_store(&mut self, n: usize) {
        self.control_planes[n].is_store_reachable = false;
        self.control_planes[n].lose_store_connection();
    }
}
