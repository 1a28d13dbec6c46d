//! What happens to the world: backends that publish, pages that come and go, and whatever can break.

use roomcast_core::{JsonObject, Position, Role, RoomId, SessionCommand, SessionId, UserId};

use crate::{
    oracle::Checked,
    page::{Page, PageId},
    rng::Rng,
    world::{Conn, Step, World},
};

const USERS: usize = 4;

/// A request of a backend, which tries again until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    id: u64,
    session: SessionId,
    command: SessionCommand,
    /// Where it was done already, and the losses of the log by then.
    done: Option<(Position, u64)>,
}

#[derive(Debug)]
pub(crate) enum Deed {
    /// The next thing, by chance.
    Anything,
    Send(Request),
    Acknowledged(Request),
    StartPlane(usize),
    StopPlane(usize),
    StartEdge(usize),
    DrainEdge(usize),
    Mend(usize, usize),
    StoreBack(usize),
    ReadAgain(PageId),
}

fn user(n: usize) -> UserId {
    format!("u{n}").parse().expect("an id")
}

fn session(n: usize) -> SessionId {
    format!("s{n}").parse().expect("an id")
}

/// One run.
pub(crate) fn simulate(seed: u64, traced: bool) -> (Checked, String) {
    let mut world = World::new(Rng::new(seed), traced);
    let checked = world
        .live()
        .map_err(|violation| format!("{violation}, at {} ms", world.now));
    (checked, world.trace())
}

impl World {
    fn live(&mut self) -> Checked {
        let sessions = 1 + self.rng.below(3);
        for n in 0..2 + self.rng.below(5) {
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
            let conn = Conn(self.unique());
            self.pages[n].conn = Some(conn);
            let wait = self.rng.between(0, 500);
            self.after(wait, Step::Dial(PageId(n), conn));
        }
        for n in 0..sessions {
            self.publish(&session(n), Some((0..USERS).collect()));
        }
        self.after(100, Step::Deed(Deed::Anything));
        let end = 3_000 + self.rng.between(0, 9_000);
        self.run(end)?;
        self.heal(sessions)?;
        self.run(self.now + 10_000)?;
        // Whoever was told to try again does so.
        for n in 0..self.pages.len() {
            for session in self.pages[n].wanted.clone() {
                if !self.pages[n].tracks.contains_key(&session) {
                    self.ask_join(PageId(n), &session);
                }
            }
        }
        for n in 0..sessions {
            self.publish(&session(n), None);
        }
        self.run(self.now + 8_000)?;
        for (n, page) in self.pages.iter().enumerate() {
            self.page_rests(page)
                .map_err(|violation| format!("page {n} of {}: {violation}", page.user))?;
        }
        self.rests()
    }

    /// Everything works from here on.
    fn heal(&mut self, sessions: usize) -> Checked {
        self.quiet = true;
        for (plane, edge) in self.cuts.keys().copied().collect::<Vec<_>>() {
            self.mend(plane, edge)?;
        }
        for n in 0..self.planes.len() {
            if !self.planes[n].alive || self.planes[n].draining {
                self.kill_plane(n);
                self.start_plane(n);
            } else if !self.planes[n].store_up {
                self.reconnect_store(n);
            }
        }
        for n in 0..self.edges.len() {
            if !self.edges[n].alive || self.edges[n].draining {
                self.kill_edge(n);
                self.start_edge(n);
            }
        }
        for n in 0..self.pages.len() {
            self.pages[n].stalled = false;
            self.drain_again(PageId(n));
        }
        // A session that was lost is made again.
        for n in 0..sessions {
            let exists = self.store.snapshot(&session(n).into()).is_some();
            self.publish(&session(n), (!exists).then(|| (0..USERS).collect()));
        }
        Ok(())
    }

    pub(crate) fn deed(&mut self, deed: Deed) -> Checked {
        match deed {
            Deed::Anything if self.quiet => {}
            Deed::Anything => {
                self.anything();
                let wait = if self.rng.percent(3) {
                    self.rng.between(200, 2_500)
                } else {
                    self.rng.between(1, 80)
                };
                self.after(wait, Step::Deed(Deed::Anything));
            }
            Deed::Send(request) => return self.send(request),
            Deed::Acknowledged(request) => return self.acknowledged(&request),
            Deed::StartPlane(n) if !self.planes[n].alive => self.start_plane(n),
            Deed::StopPlane(n) if self.planes[n].draining => {
                self.kill_plane(n);
                self.after(300, Step::Deed(Deed::StartPlane(n)));
            }
            Deed::StartEdge(n) if !self.edges[n].alive => self.start_edge(n),
            Deed::DrainEdge(n) if self.edges[n].draining => {
                if self.drain_one(n) {
                    self.after(20, Step::Deed(Deed::DrainEdge(n)));
                } else {
                    self.kill_edge(n);
                    self.after(300, Step::Deed(Deed::StartEdge(n)));
                }
            }
            Deed::Mend(plane, edge) if self.cuts.contains_key(&(plane, edge)) => {
                return self.mend(plane, edge);
            }
            Deed::StoreBack(n) if self.planes[n].alive && !self.planes[n].store_up => self.reconnect_store(n),
            Deed::ReadAgain(page) => {
                self.pages[page.0].stalled = false;
                self.drain_again(page);
            }
            Deed::StartPlane(_)
            | Deed::StopPlane(_)
            | Deed::StartEdge(_)
            | Deed::DrainEdge(_)
            | Deed::Mend(..)
            | Deed::StoreBack(_) => {}
        }
        Ok(())
    }

    fn publish(&mut self, session: &SessionId, listed: Option<Vec<usize>>) {
        let participants = listed.map(|users| users.into_iter().map(|n| (user(n), Role::Observer)).collect());
        let status = format!("{}", self.unique()).into();
        self.command(
            session,
            SessionCommand::Publish {
                status,
                participants,
                attributes: JsonObject::empty(),
                expected_revision: None,
            },
        );
    }

    fn command(&mut self, session: &SessionId, command: SessionCommand) {
        let request = Request {
            id: self.unique(),
            session: session.clone(),
            command,
            done: None,
        };
        self.after(0, Step::Deed(Deed::Send(request)));
    }

    fn send(&mut self, mut request: Request) -> Checked {
        let n = self.rng.below(self.planes.len());
        if !self.planes[n].alive || !self.planes[n].store_up {
            self.after(200, Step::Deed(Deed::Send(request)));
            return Ok(());
        }
        let room = RoomId::from(request.session.clone());
        let done = self
            .store
            .execute(&request.session, &request.command, request.id, &mut self.oracle);
        let Ok((position, entry)) = done else {
            return Ok(());
        };
        let losses = self.oracle.losses(&room);
        if request
            .done
            .is_some_and(|done| done != (position, losses) && done.1 == losses)
        {
            return Err(format!("I2: {request:?} was done twice, again at {position:?}"));
        }
        request.done = Some((position, losses));
        if let Some(entry) = entry {
            self.hint(&room, &entry);
        }
        if let SessionCommand::UpdateFeedback {
            author: Some(author), ..
        } = &request.command
            && let Some((room, entry)) = self.store.owe(author, &request.session, false, &mut self.oracle)
        {
            self.hint(&room, &entry);
        }
        let wait = self.rng.between(0, 4);
        let lost = !self.quiet && self.rng.percent(5);
        let deed = if lost {
            Deed::Send(request)
        } else {
            Deed::Acknowledged(request)
        };
        self.after(if lost { 200 } else { wait }, Step::Deed(deed));
        Ok(())
    }

    fn acknowledged(&mut self, request: &Request) -> Checked {
        let room = RoomId::from(request.session.clone());
        match request.done {
            Some((position, losses))
                if self.oracle.losses(&room) == losses && !self.store.has(&room, position) =>
            {
                Err(format!("I2: {request:?} was acknowledged and is not in the log"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn anything(&mut self) {
        let all: Vec<_> = (0..3).map(session).collect();
        let target = self
            .rng
            .pick(&all)
            .filter(|session| self.store.snapshot(&session.clone().into()).is_some());
        let target = target.unwrap_or_else(|| session(0));
        let who = user(self.rng.below(USERS));
        let page = PageId(self.rng.below(self.pages.len()));
        let (plane, edge) = (
            self.rng.below(self.planes.len()),
            self.rng.below(self.edges.len()),
        );
        let named = self.rng.percent(70);
        match self.rng.below(200) {
            0..70 => self.publish(&target, None),
            70..85 => {
                let listed = (0..USERS).filter(|_| self.rng.percent(75)).collect();
                self.publish(&target, Some(listed));
            }
            85..97 => {
                let role = if self.rng.percent(50) {
                    Role::Observer
                } else {
                    Role::Interviewer
                };
                self.command(&target, SessionCommand::SelectRole { user: who, role });
            }
            97..107 => self.command(&target, SessionCommand::RemoveParticipant { user: who }),
            107..117 => self.command(
                &target,
                SessionCommand::UpdateFeedback {
                    feedback: "f".parse().expect("an id"),
                    author: named.then_some(who),
                    updates: JsonObject::empty(),
                    new_feedback: None,
                    timestamp: Some(0),
                },
            ),
            117..123 => {
                if let Some((room, entry)) = self.store.owe(&who, &target, true, &mut self.oracle) {
                    self.hint(&room, &entry);
                }
            }
            123..137 => self.hang_up(page),
            137..139 => {
                self.hang_up(page);
                self.pages[page.0].reload();
            }
            139..144 => {
                self.pages[page.0].stalled = true;
                let wait = self.rng.between(100, 3_000);
                self.after(wait, Step::Deed(Deed::ReadAgain(page)));
            }
            144..154 => {
                self.pages[page.0].wanted.insert(target.clone());
                self.ask_join(page, &target);
            }
            154..160 => {
                self.pages[page.0].wanted.remove(&target);
                self.ask_leave(page, &target);
            }
            160..164 if self.planes[plane].alive => {
                self.kill_plane(plane);
                let wait = self.rng.between(50, 3_000);
                self.after(wait, Step::Deed(Deed::StartPlane(plane)));
            }
            164..167 if self.planes[plane].alive && !self.planes[plane].draining => {
                self.drain_plane(plane);
                self.after(500, Step::Deed(Deed::StopPlane(plane)));
            }
            167..171 if self.edges[edge].alive => {
                self.kill_edge(edge);
                let wait = self.rng.between(50, 3_000);
                self.after(wait, Step::Deed(Deed::StartEdge(edge)));
            }
            171..174 if self.edges[edge].alive && !self.edges[edge].draining => {
                self.edges[edge].draining = true;
                self.after(20, Step::Deed(Deed::DrainEdge(edge)));
            }
            174..182 if !self.cuts.contains_key(&(plane, edge)) => {
                self.cut(plane, edge);
                let wait = self.rng.between(100, 5_000);
                self.after(wait, Step::Deed(Deed::Mend(plane, edge)));
            }
            182..188 if self.planes[plane].alive => {
                self.planes[plane].store_up = false;
                self.planes[plane].connection_lost();
                let wait = self.rng.between(50, 3_000);
                self.after(wait, Step::Deed(Deed::StoreBack(plane)));
            }
            188..192 => {
                let mut losses = Vec::new();
                for _ in 0..64 {
                    losses.push(self.rng.below(4));
                }
                self.store
                    .lose_ends(|| losses.pop().unwrap_or(0), &mut self.oracle);
                self.store_moves();
            }
            192 => {
                self.store.lose_all(&mut self.oracle);
                self.store_moves();
            }
            _ => {
                // A burst, so that queues fill.
                for _ in 0..self.rng.below(40) {
                    self.publish(&target, None);
                }
            }
        }
    }

    /// Every connection to the store ends, and comes back to another one.
    fn store_moves(&mut self) {
        for n in 0..self.planes.len() {
            self.planes[n].store_up = false;
            self.planes[n].connection_lost();
            let wait = self.rng.between(0, 800);
            self.after(wait, Step::Deed(Deed::StoreBack(n)));
        }
    }
}
