//! Everything between backends and pages in virtual time: control planes with their hubs, edges with their rooms, the
//! links between them, the store. What the real shells do is done here in the same way; what carries a word may be
//! slow, cut or gone.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write as _,
    sync::Arc,
};

use roomcast_core::{
    Entry, Millis, Position, RoomId, RoomState, SessionId, UserId,
    browser_event::BrowserEvent,
    hub::{self, FollowerId, Hub, Update},
    replay::Replay,
    rooms::{self, JoinDenial, ResumeOutcome, Rooms, SocketId, SocketRequestId, SocketResponse},
};

use crate::{
    mischief::Deed,
    oracle::{Checked, Oracle},
    page::{Page, PageId, Told},
    rng::Rng,
    store::Store,
};

/// Silence after which an edge gives a link up.
const SILENCE: Millis = 2_000;
/// How long a call waits for its answer, and CONNECT for the user's room.
const CALL_TIMEOUT: Millis = 2_000;
const WELCOME_TIMEOUT: Millis = 1_000;
/// Items that wait for one socket at most.
const OUTBOUND: usize = 24;
/// More steps than this in one virtual second are a busy loop.
const STEPS_PER_SECOND: u32 = 60_000;

/// A thing and the life of it that is meant: what is said to an earlier life is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) n: usize,
    life: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(u64);

/// A connection of a page, unique for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Conn(pub(crate) u64);

/// What happens at some time.
#[derive(Debug)]
pub(crate) enum Step {
    Deed(Deed),
    /// A control plane's word reaches the store.
    Subscribe(Life, RoomId, u64),
    AtStore(Life, Option<u64>, hub::Action),
    /// The store's word reaches a control plane.
    ToHub(Life, Option<u64>, hub::Input),
    Hint(Life, u64, RoomId, Arc<Entry>),
    WakePlane(Life),
    WakeEdge(Life),
    Attach(Life),
    Carry(LinkId, Carried),
    /// The edge's end of a link sees that the other is gone, or hears nothing.
    Broken(LinkId),
    Silent(LinkId, u64),
    /// The control plane's end sees that the edge is gone.
    Detached(LinkId),
    Call(Life, Option<Life>, Millis, Call),
    Called(Life, rooms::Input),
    Dial(PageId, Conn),
    WelcomeLate(Life, SocketId),
    FromPage(Life, SocketId, Asked),
    Gone(Life, SocketId),
    Pump(Life, SocketId),
    ToPage(PageId, Conn, Told),
    Lost(PageId, Conn),
}

#[derive(Debug)]
pub(crate) enum Carried {
    Interest(RoomId, Option<Position>),
    Forget(RoomId),
    Item(RoomId, Update),
    GoAway,
}

#[derive(Debug)]
pub(crate) enum Call {
    Authorize {
        socket: SocketId,
        session: SessionId,
        user: UserId,
        request: SocketRequestId,
    },
    Read {
        room: RoomId,
        after: Position,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Join(SessionId, Option<Position>, SocketRequestId),
    Leave(SessionId, SocketRequestId),
}

pub(crate) struct Plane {
    pub(crate) alive: bool,
    pub(crate) draining: bool,
    pub(crate) store_up: bool,
    life: u64,
    hub: Hub,
    /// Counts connections to the store: hints of an earlier one are gone.
    connection: u64,
    /// The rooms that it listens to; whether it is subscribed by now.
    listening: BTreeMap<RoomId, (u64, bool)>,
    heard_until: Millis,
    /// When the last notice of a subscription arrives: no hint comes before it.
    subscribed_at: Millis,
    wakes_at: Option<Millis>,
}

pub(crate) struct Edge {
    pub(crate) alive: bool,
    pub(crate) draining: bool,
    life: u64,
    rooms: Rooms,
    link: Option<LinkId>,
    next_plane: usize,
    peers: BTreeMap<SocketId, Peer>,
    wakes_at: Option<Millis>,
}

struct Link {
    plane: Life,
    edge: Life,
    follower: FollowerId,
    open: bool,
    up_until: Millis,
    down_until: Millis,
    held: VecDeque<Carried>,
}

impl Link {
    fn joins(&self, plane: usize, edge: usize) -> bool {
        (self.plane.n, self.edge.n) == (plane, edge)
    }
}

#[derive(Debug, PartialEq)]
enum Phase {
    /// Its cursor is not decided.
    Deciding,
    /// It waits for its user's room; whether it was continued.
    Welcoming(bool),
    /// CONNECT is on its way.
    Open,
}

struct Peer {
    page: PageId,
    conn: Conn,
    phase: Phase,
    welcomed: bool,
    outbound: VecDeque<Outbound>,
    pumping: bool,
}

enum Outbound {
    Event(Arc<BrowserEvent>, Arc<str>),
    Replay(Replay),
    SocketResponse(SocketRequestId, SocketResponse),
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: Millis,
    pub(crate) store: Store,
    pub(crate) oracle: Oracle,
    pub(crate) planes: Vec<Plane>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) pages: Vec<Page>,
    /// Nothing breaks any more.
    pub(crate) quiet: bool,
    /// Pairs of control plane and edge that can't reach each other, and since which cut.
    pub(crate) cuts: BTreeMap<(usize, usize), u64>,
    links: BTreeMap<LinkId, Link>,
    steps: BTreeMap<(Millis, u64), Step>,
    next: u64,
    second: (Millis, u32),
    trace: Option<String>,
}

impl Edge {
    fn is(&self, life: Life) -> bool {
        self.alive && self.life == life.life
    }
}

impl Plane {
    /// Which subscription to the room is meant by now.
    fn listening_to(&self, room: Option<&RoomId>) -> Option<u64> {
        room.and_then(|room| self.listening.get(room)).map(|(id, _)| *id)
    }

    /// What is on its way from the store is lost.
    pub(crate) fn connection_lost(&mut self) {
        self.connection += 1;
        for (_, subscribed) in self.listening.values_mut() {
            *subscribed = false;
        }
    }
}

impl World {
    pub(crate) fn new(mut rng: Rng, traced: bool) -> Self {
        let (planes, edges) = (1 + rng.below(3), 1 + rng.below(3));
        let mut it = Self {
            rng,
            now: 0,
            store: Store::default(),
            oracle: Oracle::default(),
            planes: Vec::new(),
            edges: Vec::new(),
            pages: Vec::new(),
            quiet: false,
            cuts: BTreeMap::new(),
            links: BTreeMap::new(),
            steps: BTreeMap::new(),
            next: 0,
            second: (0, 0),
            trace: traced.then(String::new),
        };
        for _ in 0..planes {
            it.planes.push(Plane {
                alive: false,
                draining: false,
                store_up: true,
                life: 0,
                hub: Hub::default(),
                connection: 0,
                listening: BTreeMap::new(),
                heard_until: 0,
                subscribed_at: 0,
                wakes_at: None,
            });
        }
        for n in 0..edges {
            it.edges.push(Edge {
                alive: false,
                draining: false,
                life: 0,
                rooms: Rooms::new(8),
                link: None,
                next_plane: n,
                peers: BTreeMap::new(),
                wakes_at: None,
            });
        }
        for n in 0..planes {
            it.start_plane(n);
        }
        for n in 0..edges {
            it.start_edge(n);
        }
        it
    }

    /// Runs until a time.
    pub(crate) fn run(&mut self, until: Millis) -> Checked {
        while let Some(step) = self.steps.first_entry().filter(|step| step.key().0 <= until) {
            let ((at, _), step) = step.remove_entry();
            self.now = at;
            self.oracle.now = at;
            if let Some(trace) = &mut self.trace {
                let _infallible = writeln!(trace, "{at} {step:?}");
            }
            self.second = match self.second {
                (second, count) if second == at / 1_000 => (second, count + 1),
                _ => (at / 1_000, 0),
            };
            if self.second.1 > STEPS_PER_SECOND {
                return Err(format!("a busy loop, of which this is a part: {step:?}"));
            }
            self.step(step)?;
        }
        self.now = until;
        Ok(())
    }

    pub(crate) fn trace(&mut self) -> String {
        self.trace.take().unwrap_or_default()
    }

    pub(crate) fn after(&mut self, wait: Millis, step: Step) {
        self.at(self.now + wait, step);
    }

    fn at(&mut self, at: Millis, step: Step) {
        self.next += 1;
        self.steps.insert((at, self.next), step);
    }

    fn latency(&mut self) -> Millis {
        if self.rng.percent(2) {
            self.rng.between(10, 300)
        } else {
            self.rng.between(0, 4)
        }
    }

    pub(crate) fn unique(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn step(&mut self, step: Step) -> Checked {
        match step {
            Step::Deed(deed) => return self.deed(deed),
            Step::Subscribe(plane, room, listening) => self.subscribe(plane, room, listening),
            Step::AtStore(plane, listening, action) => self.at_store(plane, listening, action),
            Step::ToHub(plane, listening, input) => {
                let room = match &input {
                    hub::Input::Subscribed(room)
                    | hub::Input::Snapshot(room, _)
                    | hub::Input::ReadResult { room, .. } => Some(room),
                    _ => None,
                };
                if self
                    .plane(plane)
                    .is_some_and(|it| it.listening_to(room) == listening)
                {
                    if let hub::Input::Subscribed(room) = &input {
                        let id = self.unique();
                        self.planes[plane.n].listening.insert(room.clone(), (id, true));
                    }
                    self.tell_hub(plane, input);
                }
            }
            Step::Hint(plane, connection, room, entry) => {
                if self
                    .plane(plane)
                    .is_some_and(|it| it.connection == connection && it.listening.contains_key(&room))
                {
                    self.tell_hub(plane, hub::Input::Notification(room, entry));
                }
            }
            Step::WakePlane(plane) => {
                let now = self.now;
                if let Some(it) = self.plane(plane) {
                    it.wakes_at = None;
                    it.hub.handle_deadline(now);
                    self.act_hub(plane);
                }
            }
            Step::WakeEdge(edge) => {
                let now = self.now;
                if let Some(it) = self.edge(edge) {
                    it.wakes_at = None;
                    it.rooms.handle_deadline(now);
                    self.act_rooms(edge)?;
                }
            }
            Step::Attach(edge) => return self.attach(edge),
            Step::Carry(link, carried) => return self.carry(link, carried),
            Step::Broken(link) => self.leave_link(link),
            Step::Silent(link, cut) => {
                let pair = self.links.get(&link).map(|link| (link.plane.n, link.edge.n));
                if pair.and_then(|pair| self.cuts.get(&pair)) == Some(&cut) {
                    self.leave_link(link);
                }
            }
            Step::Detached(link) => {
                if let Some(it) = self.links.remove(&link) {
                    self.tell_hub(it.plane, hub::Input::Detached(it.follower));
                }
            }
            Step::Call(edge, plane, asked_at, call) => self.call(edge, plane, asked_at, call),
            Step::Called(edge, input) => return self.tell_rooms(edge, input),
            Step::Dial(page, conn) => return self.dial(page, conn),
            Step::WelcomeLate(edge, socket) => return self.welcome_late(edge, socket),
            Step::FromPage(edge, socket, asked) => {
                let input = match asked {
                    Asked::Join(session, after, request) => rooms::Input::Join {
                        socket,
                        session,
                        after,
                        request,
                    },
                    Asked::Leave(session, request) => rooms::Input::Leave {
                        socket,
                        session,
                        request,
                    },
                };
                if self.edge(edge).is_some_and(|it| it.peers.contains_key(&socket)) {
                    self.tell_rooms(edge, input)?;
                }
            }
            Step::Gone(edge, socket) => {
                if let Some(it) = self.edge(edge) {
                    it.peers.remove(&socket);
                }
                return self.tell_rooms(edge, rooms::Input::Disconnected(socket));
            }
            Step::Pump(edge, socket) => self.pump(edge, socket),
            Step::ToPage(page, conn, told) => return self.page_told(page, conn, told),
            Step::Lost(page, conn) => self.page_lost(page, conn),
        }
        Ok(())
    }

    fn plane(&mut self, life: Life) -> Option<&mut Plane> {
        self.planes
            .get_mut(life.n)
            .filter(|it| it.alive && it.life == life.life)
    }

    fn edge(&mut self, life: Life) -> Option<&mut Edge> {
        self.edges.get_mut(life.n).filter(|it| it.is(life))
    }

    pub(crate) fn edge_life(&self, n: usize) -> Life {
        Life {
            n,
            life: self.edges[n].life,
        }
    }

    // --- control planes and the store

    pub(crate) fn start_plane(&mut self, n: usize) {
        let it = &mut self.planes[n];
        it.alive = true;
        it.draining = false;
        it.store_up = true;
        it.life += 1;
        it.hub = Hub::default();
        it.connection += 1;
        it.listening.clear();
        it.wakes_at = None;
    }

    pub(crate) fn kill_plane(&mut self, n: usize) {
        self.planes[n].alive = false;
        for link in self.links_where(|link| link.plane.n == n) {
            let wait = self.latency();
            let edge = self.links[&link].edge.n;
            // Nobody tells an edge that is cut off; it hears nothing.
            if !self.cuts.contains_key(&(n, edge)) {
                self.after(wait, Step::Broken(link));
            }
        }
    }

    pub(crate) fn drain_plane(&mut self, n: usize) {
        self.planes[n].draining = true;
        for link in self.links_where(|link| link.plane.n == n) {
            self.say(link, Carried::GoAway);
        }
    }

    fn links_where(&self, wanted: impl Fn(&Link) -> bool) -> Vec<LinkId> {
        let links = self.links.iter().filter(|(_, link)| wanted(link));
        links.map(|(id, _)| *id).collect()
    }

    /// The store is another one, or was away: every connection to it is new.
    pub(crate) fn reconnect_store(&mut self, n: usize) {
        let it = &mut self.planes[n];
        it.store_up = true;
        it.connection_lost();
        let plane = Life { n, life: it.life };
        let rooms = it.listening.iter().map(|(room, (id, _))| (room.clone(), *id));
        let rooms: Vec<_> = rooms.collect();
        for (room, listening) in rooms {
            let wait = self.latency();
            self.after(wait, Step::Subscribe(plane, room, listening));
        }
    }

    fn subscribe(&mut self, plane: Life, room: RoomId, listening: u64) {
        let (wait, now) = (self.latency(), self.now);
        let Some(it) = self.plane(plane) else { return };
        if !it.store_up {
            return; // a new connection subscribes anew
        }
        if let Some(state) = it.listening.get_mut(&room).filter(|state| state.0 == listening) {
            state.1 = true;
            it.heard_until = it.heard_until.max(now + wait);
            let at = it.heard_until;
            it.subscribed_at = at;
            self.at(
                at,
                Step::ToHub(plane, Some(listening), hub::Input::Subscribed(room)),
            );
        }
    }

    fn at_store(&mut self, plane: Life, listening: Option<u64>, action: hub::Action) {
        let wait = self.latency();
        let Some(it) = self.plane(plane) else { return };
        if !it.store_up {
            // A read is tried again until it succeeds or is wanted no more; tails are asked for again anyway.
            let room = match &action {
                hub::Action::ReadSnapshot(room) | hub::Action::Read { room, .. } => Some(room),
                _ => None,
            };
            if room.is_some() && it.listening_to(room) == listening {
                self.after(100 + wait, Step::AtStore(plane, listening, action));
            }
            return;
        }
        let input = match action {
            hub::Action::ReadSnapshot(room) => {
                let snapshot = self.store.snapshot(&room);
                hub::Input::Snapshot(room, snapshot)
            }
            hub::Action::Read { room, after } => {
                let slice = self.store.read(&room, after.offset);
                hub::Input::ReadResult { room, after, slice }
            }
            hub::Action::Compare(rooms) => {
                let tails = rooms.into_iter().map(|(room, asked)| {
                    let tail = self.store.tail(&room);
                    (room, asked, tail)
                });
                hub::Input::Tails(tails.collect())
            }
            other => unreachable!("{other:?} is no question to the store"),
        };
        self.after(wait, Step::ToHub(plane, listening, input));
    }

    /// Tells everyone who listens, unless the hint is lost.
    pub(crate) fn hint(&mut self, room: &RoomId, entry: &Arc<Entry>) {
        for n in 0..self.planes.len() {
            let life = self.planes[n].life;
            let (wait, lost, late, twice) = (
                self.latency(),
                self.rng.percent(3),
                self.rng.percent(3),
                self.rng.percent(3),
            );
            let (now, it) = (self.now, &mut self.planes[n]);
            if !it.alive
                || !it.store_up
                || lost
                || it.listening.get(room).is_none_or(|(_, subscribed)| !subscribed)
            {
                continue;
            }
            let at = if late {
                it.subscribed_at.max(now + 20 * wait)
            } else {
                it.heard_until.max(now + wait)
            };
            it.heard_until = if late { it.heard_until } else { at };
            let connection = it.connection;
            for _ in 0..=u8::from(twice) {
                self.at(
                    at,
                    Step::Hint(Life { n, life }, connection, room.clone(), entry.clone()),
                );
            }
        }
    }

    fn tell_hub(&mut self, plane: Life, input: hub::Input) {
        let now = self.now;
        if let Some(it) = self.plane(plane) {
            it.hub.handle(input, now);
            self.act_hub(plane);
        }
    }

    fn act_hub(&mut self, plane: Life) {
        while let Some(action) = self.plane(plane).and_then(|it| it.hub.next_action()) {
            let wait = self.latency();
            match action {
                hub::Action::Subscribe(room) => {
                    let id = self.unique();
                    self.planes[plane.n].listening.insert(room.clone(), (id, false));
                    self.after(wait, Step::Subscribe(plane, room, id));
                }
                hub::Action::Unsubscribe(room) => {
                    self.planes[plane.n].listening.remove(&room);
                }
                hub::Action::ReadSnapshot(ref room) | hub::Action::Read { ref room, .. } => {
                    let listening = self.planes[plane.n].listening_to(Some(room));
                    self.after(wait, Step::AtStore(plane, listening, action));
                }
                hub::Action::Compare(_) => self.after(wait, Step::AtStore(plane, None, action)),
                hub::Action::Send {
                    follower,
                    room,
                    update: item,
                } => {
                    let link = self
                        .links
                        .iter()
                        .find(|(_, link)| link.plane == plane && link.follower == follower);
                    if let Some((&link, _)) = link {
                        self.say(link, Carried::Item(room, item));
                    }
                }
            }
        }
        let Some(it) = self.plane(plane) else { return };
        let (deadline, wakes_at) = (it.hub.next_deadline(), it.wakes_at);
        if let Some(at) = deadline.filter(|at| wakes_at.is_none_or(|wakes| *at < wakes)) {
            self.planes[plane.n].wakes_at = Some(at);
            self.at(at, Step::WakePlane(plane));
        }
    }

    // --- links

    fn attach(&mut self, edge: Life) -> Checked {
        let planes = self.planes.len();
        let Some(it) = self.edge(edge) else { return Ok(()) };
        if it.link.is_some() {
            return Ok(());
        }
        it.next_plane = (it.next_plane + 1) % planes;
        let n = it.next_plane;
        let there = self.planes[n].alive && !self.planes[n].draining && !self.cuts.contains_key(&(n, edge.n));
        if !there {
            let wait = self.rng.between(50, 300);
            self.after(wait, Step::Attach(edge));
            return Ok(());
        }
        let id = LinkId(self.unique());
        let link = Link {
            plane: Life {
                n,
                life: self.planes[n].life,
            },
            edge,
            follower: FollowerId(id.0),
            open: true,
            up_until: self.now,
            down_until: self.now,
            held: VecDeque::new(),
        };
        self.links.insert(id, link);
        self.edges[edge.n].link = Some(id);
        self.tell_rooms(edge, rooms::Input::Attached)
    }

    /// The edge gives a link up and goes to another control plane.
    fn leave_link(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.open) else {
            return;
        };
        link.open = false;
        let (edge, cut) = (link.edge, self.cuts.contains_key(&(link.plane.n, link.edge.n)));
        // A control plane that is cut off notices later, by itself.
        let notices = if cut { 5_000 } else { self.latency() };
        self.after(notices, Step::Detached(id));
        if let Some(it) = self.edge(edge) {
            it.link = None;
            let wait = self.rng.between(0, 100);
            self.after(wait, Step::Attach(edge));
        }
    }

    /// What is said on a link arrives in order, in each direction.
    fn say(&mut self, id: LinkId, carried: Carried) {
        let (now, wait) = (self.now, self.latency());
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let until = match carried {
            Carried::Interest(..) | Carried::Forget(_) => &mut link.up_until,
            Carried::Item(..) | Carried::GoAway => &mut link.down_until,
        };
        *until = (now + wait).max(*until);
        let at = *until;
        self.at(at, Step::Carry(id, carried));
    }

    fn carry(&mut self, id: LinkId, carried: Carried) -> Checked {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        if self.cuts.contains_key(&(link.plane.n, link.edge.n)) {
            link.held.push_back(carried);
            return Ok(());
        }
        let (plane, edge, follower, open) = (link.plane, link.edge, link.follower, link.open);
        match carried {
            Carried::Interest(room, after) => {
                self.tell_hub(
                    plane,
                    hub::Input::Interest {
                        follower,
                        room,
                        after,
                    },
                );
            }
            Carried::Forget(room) => self.tell_hub(plane, hub::Input::EndInterest { follower, room }),
            Carried::GoAway if open => self.leave_link(id),
            Carried::Item(room, item) if open => {
                let input = match item {
                    Update::Snapshot {
                        snapshot,
                        reset: false,
                    } => rooms::Input::Snapshot(room, (*snapshot).clone()),
                    Update::Snapshot {
                        snapshot,
                        reset: true,
                    } => rooms::Input::Reset(room, (*snapshot).clone()),
                    Update::Entries(entries) => rooms::Input::Entries(room, entries),
                    Update::SessionNotFound => rooms::Input::SessionNotFound(room),
                };
                return self.tell_rooms(edge, input);
            }
            Carried::GoAway | Carried::Item(..) => {}
        }
        Ok(())
    }

    pub(crate) fn cut(&mut self, plane: usize, edge: usize) {
        let cut = self.unique();
        self.cuts.insert((plane, edge), cut);
        for link in self.links_where(|link| link.joins(plane, edge) && link.open) {
            let wait = SILENCE + self.rng.between(0, 500);
            self.after(wait, Step::Silent(link, cut));
        }
    }

    /// What was held up arrives, in order.
    pub(crate) fn mend(&mut self, plane: usize, edge: usize) -> Checked {
        self.cuts.remove(&(plane, edge));
        for id in self.links_where(|link| link.joins(plane, edge)) {
            while let Some(carried) = self.links.get_mut(&id).and_then(|link| link.held.pop_front()) {
                self.carry(id, carried)?;
            }
            let gone = !self.planes[plane].alive
                || self
                    .links
                    .get(&id)
                    .is_some_and(|link| link.plane.life != self.planes[plane].life);
            if gone {
                self.after(1, Step::Broken(id));
            }
        }
        Ok(())
    }

    fn call(&mut self, edge: Life, plane: Option<Life>, asked_at: Millis, call: Call) {
        let there = plane.is_some_and(|plane| {
            let cut = self.cuts.contains_key(&(plane.n, edge.n));
            self.plane(plane).is_some_and(|it| it.store_up) && !cut
        });
        let input = match call {
            Call::Authorize {
                socket,
                session,
                user,
                request,
            } => {
                let answer = if there {
                    match self.store.snapshot(&session.clone().into()) {
                        None => Err(JoinDenial::SessionNotFound),
                        Some(snapshot) => match &snapshot.state {
                            RoomState::Session(state) if state.participant(&user).is_some() => {
                                Ok(snapshot.position)
                            }
                            RoomState::Session(_) | RoomState::User { .. } => {
                                Err(JoinDenial::NotAParticipant)
                            }
                        },
                    }
                } else {
                    Err(JoinDenial::Unavailable)
                };
                // The public answer has no mark.
                let answer = answer.map(|at| Position::new(at.epoch, at.offset));
                rooms::Input::Authorized {
                    socket,
                    session,
                    request,
                    result: answer,
                }
            }
            Call::Read { room, after } => {
                let slice = there.then(|| self.store.read(&room, after.offset));
                rooms::Input::ReadResult { room, after, slice }
            }
        };
        let wait = self.latency();
        let at = if there || plane.is_none() {
            self.now + wait
        } else {
            asked_at + CALL_TIMEOUT
        };
        self.at(at.max(self.now), Step::Called(edge, input));
    }

    // --- edges

    pub(crate) fn start_edge(&mut self, n: usize) {
        let it = &mut self.edges[n];
        it.alive = true;
        it.draining = false;
        it.life += 1;
        it.rooms = Rooms::new(8);
        it.link = None;
        it.peers.clear();
        it.wakes_at = None;
        let edge = self.edge_life(n);
        self.after(0, Step::Attach(edge));
    }

    pub(crate) fn kill_edge(&mut self, n: usize) {
        self.edges[n].alive = false;
        self.edges[n].link = None;
        let peers = std::mem::take(&mut self.edges[n].peers);
        for peer in peers.into_values() {
            let wait = self.latency();
            self.after(wait, Step::Lost(peer.page, peer.conn));
        }
        for link in self.links_where(|link| link.edge.n == n && link.open) {
            self.leave_link(link);
        }
    }

    /// Closes one transport of an edge that drains; whether there was one.
    pub(crate) fn drain_one(&mut self, n: usize) -> bool {
        let edge = self.edge_life(n);
        let socket = self.edges[n].peers.keys().next().copied();
        if let Some(socket) = socket {
            self.close(edge, socket);
        }
        socket.is_some()
    }

    fn tell_rooms(&mut self, edge: Life, input: rooms::Input) -> Checked {
        let now = self.now;
        if let Some(it) = self.edge(edge) {
            it.rooms.handle(input, now);
            self.act_rooms(edge)?;
        }
        Ok(())
    }

    fn act_rooms(&mut self, edge: Life) -> Checked {
        while let Some(action) = self.edge(edge).and_then(|it| it.rooms.next_action()) {
            let (wait, now, link) = (self.latency(), self.now, self.edges[edge.n].link);
            let plane = link.and_then(|link| self.links.get(&link)).map(|link| link.plane);
            match action {
                rooms::Action::Authorize {
                    socket,
                    session,
                    user,
                    request,
                } => {
                    let call = Call::Authorize {
                        socket,
                        session,
                        user,
                        request,
                    };
                    self.after(wait, Step::Call(edge, plane, now, call));
                }
                rooms::Action::Read { room, after } => {
                    self.after(wait, Step::Call(edge, plane, now, Call::Read { room, after }));
                }
                rooms::Action::Interest { room, after } => {
                    if let Some(link) = link {
                        self.say(link, Carried::Interest(room, after));
                    }
                }
                rooms::Action::EndInterest(room) => {
                    if let Some(link) = link {
                        self.say(link, Carried::Forget(room));
                    }
                }
                rooms::Action::Respond {
                    socket,
                    request,
                    response: answer,
                } => self.push(edge, socket, Outbound::SocketResponse(request, answer)),
                rooms::Action::Deliver {
                    sockets,
                    event,
                    cursor,
                } => {
                    for socket in sockets {
                        self.push(edge, socket, Outbound::Event(event.clone(), cursor.clone()));
                    }
                }
                rooms::Action::Replay { socket, replay } => self.push(edge, socket, Outbound::Replay(replay)),
                rooms::Action::Resumed { socket, outcome } => self.resumed(edge, socket, outcome),
                rooms::Action::Close(socket) => self.close(edge, socket),
                rooms::Action::UserRoomJoined(socket) => {
                    if let Some(peer) = self.edges[edge.n].peers.get_mut(&socket) {
                        peer.welcomed = true;
                    }
                    self.open(edge, socket, false);
                }
                rooms::Action::Disconnect(_) => return Err("nobody was disconnected".to_owned()),
            }
        }
        let Some(it) = self.edge(edge) else { return Ok(()) };
        let (deadline, wakes_at) = (it.rooms.next_deadline(), it.wakes_at);
        if let Some(at) = deadline.filter(|at| wakes_at.is_none_or(|wakes| *at < wakes)) {
            self.edges[edge.n].wakes_at = Some(at);
            self.at(at, Step::WakeEdge(edge));
        }
        Ok(())
    }

    fn dial(&mut self, id: PageId, conn: Conn) -> Checked {
        let page = &self.pages[id.0];
        if page.conn != Some(conn) {
            return Ok(());
        }
        let open: Vec<_> = (0..self.edges.len())
            .filter(|n| self.edges[*n].alive && !self.edges[*n].draining)
            .collect();
        let Some(n) = self.rng.pick(&open) else {
            self.page_lost(id, conn);
            return Ok(());
        };
        let (edge, socket) = (self.edge_life(n), SocketId(conn.0));
        let page = &mut self.pages[id.0];
        page.peer = Some((edge, socket));
        page.losses = self.oracle.all_losses();
        let resume = page.resume()?;
        let user = page.user.clone();
        let peer = Peer {
            page: id,
            conn,
            phase: if resume.is_some() {
                Phase::Deciding
            } else {
                Phase::Welcoming(false)
            },
            welcomed: false,
            outbound: VecDeque::new(),
            pumping: false,
        };
        self.edges[n].peers.insert(socket, peer);
        self.after(WELCOME_TIMEOUT, Step::WelcomeLate(edge, socket));
        self.tell_rooms(edge, rooms::Input::Connected { socket, user })?;
        match resume {
            // A cursor without rooms has nothing to decide.
            Some(positions) if positions.is_empty() => self.resumed(edge, socket, ResumeOutcome::Continued),
            Some(positions) => {
                let request = SocketRequestId(self.unique());
                self.tell_rooms(
                    edge,
                    rooms::Input::Resume {
                        socket,
                        positions,
                        request,
                    },
                )?;
            }
            None => {}
        }
        Ok(())
    }

    fn resumed(&mut self, edge: Life, socket: SocketId, outcome: ResumeOutcome) {
        let continued = match outcome {
            ResumeOutcome::Continued => true,
            ResumeOutcome::Fresh => false,
            ResumeOutcome::Unavailable => return self.close(edge, socket),
        };
        if let Some(peer) = self.edges[edge.n].peers.get_mut(&socket) {
            peer.phase = Phase::Welcoming(continued);
        }
        self.after(WELCOME_TIMEOUT, Step::WelcomeLate(edge, socket));
        self.open(edge, socket, false);
    }

    fn welcome_late(&mut self, edge: Life, socket: SocketId) -> Checked {
        if self.edge(edge).is_some() {
            self.open(edge, socket, true);
        }
        Ok(())
    }

    /// Sends CONNECT, once the socket is in its user's room or has waited long enough.
    fn open(&mut self, edge: Life, socket: SocketId, late: bool) {
        let Some(peer) = self.edges[edge.n].peers.get_mut(&socket) else {
            return;
        };
        if let (Phase::Welcoming(continued), true) = (&peer.phase, peer.welcomed || late) {
            let told = Told::Connect {
                recovered: *continued,
            };
            peer.phase = Phase::Open;
            let (page, conn) = (peer.page, peer.conn);
            self.tell_page(page, conn, told);
            self.start_pump(edge, socket);
        }
    }

    fn push(&mut self, edge: Life, socket: SocketId, item: Outbound) {
        let Some(peer) = self.edges[edge.n].peers.get_mut(&socket) else {
            return;
        };
        if peer.outbound.len() >= OUTBOUND {
            return self.close(edge, socket); // slow: its page comes back and resumes
        }
        peer.outbound.push_back(item);
        self.start_pump(edge, socket);
    }

    fn start_pump(&mut self, edge: Life, socket: SocketId) {
        let Some(peer) = self.edges[edge.n].peers.get_mut(&socket) else {
            return;
        };
        if peer.phase == Phase::Open && !std::mem::replace(&mut peer.pumping, true) {
            self.after(0, Step::Pump(edge, socket));
        }
    }

    /// The page reads again.
    pub(crate) fn drain_again(&mut self, page: PageId) {
        if let Some((edge, socket)) = self.pages[page.0].peer
            && self.edge(edge).is_some()
        {
            self.start_pump(edge, socket);
        }
    }

    fn pump(&mut self, edge: Life, socket: SocketId) {
        let Some(it) = self.edges.get_mut(edge.n).filter(|it| it.is(edge)) else {
            return;
        };
        let Some(peer) = it.peers.get_mut(&socket) else {
            return;
        };
        if self.pages[peer.page.0].stalled {
            peer.pumping = false;
            return;
        }
        let told = loop {
            match peer.outbound.front_mut() {
                None => {
                    peer.pumping = false;
                    return;
                }
                Some(Outbound::Replay(replay)) => {
                    if let Some((event, cursor)) = replay.next() {
                        break Told::Event(Arc::new(event), cursor.into());
                    }
                }
                Some(Outbound::Event(event, cursor)) => {
                    let told = Told::Event(event.clone(), cursor.clone());
                    peer.outbound.pop_front();
                    break told;
                }
                Some(Outbound::SocketResponse(request, answer)) => {
                    let told = Told::SocketResponse(*request, answer.clone());
                    peer.outbound.pop_front();
                    break told;
                }
            }
            peer.outbound.pop_front();
        };
        let (page, conn) = (peer.page, peer.conn);
        self.tell_page(page, conn, told);
        let wait = self.rng.between(0, 3);
        self.after(wait, Step::Pump(edge, socket));
    }

    fn tell_page(&mut self, page: PageId, conn: Conn, told: Told) {
        let (now, wait) = (self.now, self.latency());
        let it = &mut self.pages[page.0];
        it.told_until = it.told_until.max(now + wait);
        let at = it.told_until;
        self.at(at, Step::ToPage(page, conn, told));
    }

    /// The edge closes a transport; what is still on its way may arrive or not.
    fn close(&mut self, edge: Life, socket: SocketId) {
        let Some(peer) = self.edges[edge.n].peers.remove(&socket) else {
            return;
        };
        let wait = self.latency();
        self.after(wait, Step::Lost(peer.page, peer.conn));
        self.after(0, Step::Gone(edge, socket));
    }

    /// At rest: nothing is left of what is over.
    pub(crate) fn rests(&self) -> Checked {
        for (n, edge) in self.edges.iter().enumerate() {
            let rooms: BTreeSet<_> = self
                .pages
                .iter()
                .filter(|page| page.peer.is_some_and(|(edge, _)| edge.n == n))
                .flat_map(|page| {
                    page.tracks
                        .keys()
                        .cloned()
                        .map(RoomId::from)
                        .chain([RoomId::User(page.user.clone())])
                })
                .collect();
            if edge.rooms.rooms() != rooms.len() || edge.rooms.sockets() != edge.peers.len() {
                return Err(format!(
                    "edge {n} has {} rooms, its pages are in {rooms:?}",
                    edge.rooms.rooms()
                ));
            }
        }
        let fed = self.edges.iter().map(|edge| edge.rooms.rooms()).sum::<usize>();
        let hubs = self.planes.iter().map(|plane| plane.hub.rooms()).sum::<usize>();
        if hubs > fed {
            return Err(format!("hubs feed {hubs} rooms, edges are in {fed}"));
        }
        Ok(())
    }
}
