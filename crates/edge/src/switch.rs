//! The one task that drives [`Rooms`]: questions of sockets and what the link brings go in, in order; answers,
//! deliveries and what the link is asked for come out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use roomcast_auth::Clock;
use roomcast_core::{
    Entry, LogSlice, Millis, Position, RoomId, SessionId, Snapshot,
    browser_event::BrowserEvent,
    json,
    rooms::{Action, Input, JoinDenial, ResumeOutcome, Rooms, SocketId, SocketRequestId, SocketResponse},
};
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tracing::{debug, error};

use crate::{
    direct::{Full, When, frame::Frame},
    link::{Generation, Link},
    metrics::Metrics,
    peer::{Delivery, Item, Peer},
    transport::Transport,
};

/// An event for as many sockets is written at once, whatever else waits; for more, by the flushers.
const AT_ONCE: usize = 32;
/// The same, where nothing else waits and there is but one flusher, so that it would not be sooner.
const AT_ONCE_ALONE: usize = 1_024;
/// How often it is looked whose token's time is over. The clock has whole seconds.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(250);
/// Questions of all sockets that wait at most; a socket whose question finds no room is told to slow down.
pub(crate) const QUESTIONS: usize = 16_384;

/// How a question is answered: by the number with which an acknowledgement was asked for. Without one only a no is told,
/// as `session-error`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply(pub(crate) Option<i64>);

/// What is told to the switch.
pub(crate) enum Told {
    /// A socket is there; `welcome` is told when it is in its user's room.
    Connected {
        peer: Arc<Peer>,
        /// When its token's time is over: seconds since the Unix epoch.
        expires_at: i64,
        welcome: oneshot::Sender<()>,
    },
    /// It has a new token.
    Prolonged { socket: SocketId, expires_at: i64 },
    /// It comes with a cursor; `decided` is told whether it is continued.
    Resume {
        socket: SocketId,
        positions: BTreeMap<SessionId, Position>,
        decided: oneshot::Sender<ResumeOutcome>,
    },
    /// A socket is gone.
    Disconnected(SocketId),
    /// It wants into a room.
    Join {
        socket: SocketId,
        session: SessionId,
        after: Option<Position>,
        reply: Reply,
    },
    /// It wants out of a room.
    Leave {
        socket: SocketId,
        session: SessionId,
        reply: Reply,
    },
    /// Its question is answered with no already.
    Refuse {
        socket: SocketId,
        session: Option<String>,
        code: &'static str,
        text: String,
        reply: Reply,
    },
    /// A control plane answered whether it may join.
    Authorized {
        socket: SocketId,
        session: SessionId,
        request: SocketRequestId,
        answer: Result<Position, JoinDenial>,
    },
    /// A control plane read a part of a log.
    Slice {
        room: RoomId,
        after: Position,
        slice: Option<LogSlice>,
    },
}

/// What the link brings.
#[derive(Debug)]
pub(crate) enum Fed {
    /// A control plane feeds the edge from here on.
    Attached(Generation),
    /// A room's state, to begin with.
    Snapshot(RoomId, Snapshot),
    /// A room's state, where it could not be continued.
    Reset(RoomId, Snapshot),
    /// A room's next entries.
    Entries(RoomId, Vec<Arc<Entry>>),
    /// There is no such session.
    SessionNotFound(RoomId),
}

/// Where questions go.
#[derive(Clone)]
pub(crate) struct Switch(pub(crate) mpsc::Sender<Told>);

impl Switch {
    /// Tells in order, without waiting; a full queue gives the question back.
    pub(crate) fn ask(&self, told: Told) -> Result<(), Told> {
        self.0.try_send(told).map_err(|error| match error {
            mpsc::error::TrySendError::Full(told) | mpsc::error::TrySendError::Closed(told) => told,
        })
    }

    /// Tells what must not be lost, from where it can't wait.
    pub(crate) fn tell(&self, told: Told) {
        if let Err(told) = self.ask(told) {
            let queue = self.0.clone();
            tokio::spawn(async move { queue.send(told).await });
        }
    }
}

/// The state of the switch's task.
pub(crate) struct Board {
    rooms: Rooms,
    peers: HashMap<SocketId, Known, BuildHasherDefault<NumberHasher>>,
    /// When tokens' time is over.
    expiries: BTreeSet<(i64, SocketId)>,
    clock: Clock,
    link: Link,
    generation: Generation,
    metrics: Metrics,
    asks: u64,
    started: Instant,
    /// How many flushers there are.
    flushers: usize,
    /// For how many sockets an event is written at once.
    at_once: usize,
    /// The last event that was delivered with cursors that differ, and what its frames begin with.
    opening: Option<(Arc<BrowserEvent>, Bytes)>,
}

struct Known {
    peer: Arc<Peer>,
    /// The peer's, where all goes the direct path: what is delivered then looks at nothing else.
    direct: Option<Arc<Transport>>,
    expires_at: i64,
    /// What is awaited of it. In a box, since mostly there is nothing.
    awaited: Option<Box<Awaited>>,
}

#[derive(Default)]
struct Awaited {
    welcome: Option<oneshot::Sender<()>>,
    decided: Option<oneshot::Sender<ResumeOutcome>>,
    /// Questions that are not answered yet; few at a time.
    replies: Vec<(SocketRequestId, Reply)>,
}

impl Known {
    fn awaited(&mut self) -> &mut Awaited {
        self.awaited.get_or_insert_default()
    }
}

impl Awaited {
    fn is_empty(&self) -> bool {
        self.welcome.is_none() && self.decided.is_none() && self.replies.is_empty()
    }

    fn take_reply(&mut self, request: SocketRequestId) -> Option<Reply> {
        let at = self.replies.iter().position(|(asked, _)| *asked == request)?;
        Some(self.replies.swap_remove(at).1)
    }
}

impl Board {
    pub(crate) fn new(
        sessions_per_socket: usize,
        clock: Clock,
        flushers: usize,
        link: Link,
        metrics: Metrics,
    ) -> Self {
        Self {
            flushers,
            at_once: AT_ONCE,
            rooms: Rooms::new(sessions_per_socket),
            peers: HashMap::default(),
            expiries: BTreeSet::new(),
            clock,
            link,
            generation: Generation::default(),
            metrics,
            asks: 0,
            started: Instant::now(),
            opening: None,
        }
    }

    /// Runs until nobody can request any more.
    pub(crate) async fn run(mut self, mut told: mpsc::Receiver<Told>, mut fed: mpsc::Receiver<Fed>) {
        let mut expiries = tokio::time::interval(EXPIRY_INTERVAL);
        expiries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.rooms.next_deadline();
            tokio::select! {
                // What the link brings first: an answer is then given on the newest state.
                biased;
                Some(item) = fed.recv() => {
                    let is_alone = self.flushers == 1 && fed.is_empty() && told.is_empty();
                    self.at_once = if is_alone { AT_ONCE_ALONE } else { AT_ONCE };
                    self.fed(item);
                }
                next = told.recv() => match next {
                    Some(told) => self.told(told),
                    None => return,
                },
                () = sleep_until(self.started, deadline) => {
                    let now = self.now();
                    self.rooms.handle_deadline(now);
                }
                _ = expiries.tick() => self.expire(),
            }
            self.act();
        }
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Closes the transports of those whose token's time is over, so that a stock client comes back and is told
    /// `token_expired`.
    fn expire(&mut self) {
        let now = self.clock.now();
        while let Some((_, socket)) = self.expiries.first().copied().filter(|(at, _)| *at <= now) {
            self.expiries.pop_first();
            debug!(socket = socket.0, "the token expired");
            if let Some(known) = self.peers.get(&socket) {
                known.peer.transport.kill();
            }
        }
    }

    fn prolong(&mut self, socket: SocketId, expires_at: i64) {
        if let Some(known) = self.peers.get_mut(&socket) {
            self.expiries.remove(&(known.expires_at, socket));
            self.expiries.insert((expires_at, socket));
            known.expires_at = expires_at;
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        self.rooms.handle(input, now);
    }

    fn fed(&mut self, fed: Fed) {
        match fed {
            Fed::Attached(generation) => {
                self.generation = generation;
                self.handle(Input::Attached);
            }
            Fed::Snapshot(room, snapshot) => self.handle(Input::Snapshot(room, snapshot)),
            Fed::Reset(room, snapshot) => self.handle(Input::Reset(room, snapshot)),
            Fed::Entries(room, entries) => self.handle(Input::Entries(room, entries)),
            Fed::SessionNotFound(room) => self.handle(Input::SessionNotFound(room)),
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Connected {
                peer,
                expires_at,
                welcome,
            } => {
                let (socket, user) = (peer.id, peer.user.clone());
                let awaited = Awaited {
                    welcome: Some(welcome),
                    ..Awaited::default()
                };
                let known = Known {
                    direct: peer.outbound.is_none().then(|| peer.transport.clone()),
                    peer,
                    expires_at,
                    awaited: Some(Box::new(awaited)),
                };
                self.expiries.insert((expires_at, socket));
                self.peers.insert(socket, known);
                self.handle(Input::Connected { socket, user });
            }
            Told::Resume {
                socket,
                positions,
                decided,
            } => {
                if let Some(known) = self.peers.get_mut(&socket) {
                    known.awaited().decided = Some(decided);
                }
                self.asks += 1;
                let request = SocketRequestId(self.asks);
                self.handle(Input::Resume {
                    socket,
                    positions,
                    request,
                });
            }
            Told::Prolonged { socket, expires_at } => self.prolong(socket, expires_at),
            Told::Disconnected(socket) => {
                if let Some(known) = self.peers.remove(&socket) {
                    self.expiries.remove(&(known.expires_at, socket));
                }
                self.handle(Input::Disconnected(socket));
            }
            Told::Join {
                socket,
                session,
                after,
                reply,
            } => {
                let request = self.expect(socket, reply);
                self.handle(Input::Join {
                    socket,
                    session,
                    after,
                    request,
                });
            }
            Told::Leave {
                socket,
                session,
                reply,
            } => {
                let request = self.expect(socket, reply);
                self.handle(Input::Leave {
                    socket,
                    session,
                    request,
                });
            }
            Told::Refuse {
                socket,
                session,
                code,
                text,
                reply,
            } => {
                self.refuse(socket, reply, session.as_deref(), code, &text);
            }
            Told::Authorized {
                socket,
                session,
                request,
                answer,
            } => {
                self.handle(Input::Authorized {
                    socket,
                    session,
                    request,
                    result: answer,
                });
            }
            Told::Slice { room, after, slice } => self.handle(Input::ReadResult { room, after, slice }),
        }
    }

    fn expect(&mut self, socket: SocketId, reply: Reply) -> SocketRequestId {
        self.asks += 1;
        let request = SocketRequestId(self.asks);
        if let Some(known) = self.peers.get_mut(&socket) {
            known.awaited().replies.push((request, reply));
        }
        request
    }

    /// Takes something of what is awaited of a socket.
    fn take_awaited<T>(
        &mut self,
        socket: SocketId,
        take: impl FnOnce(&mut Awaited) -> Option<T>,
    ) -> Option<T> {
        let known = self.peers.get_mut(&socket)?;
        let awaited = known.awaited.as_mut()?;
        let taken = take(awaited);
        if awaited.is_empty() {
            known.awaited = None;
        }
        taken
    }

    fn act(&mut self) {
        while let Some(action) = self.rooms.next_action() {
            match action {
                Action::Authorize {
                    socket,
                    session,
                    user,
                    request,
                } => self.link.authorize(socket, session, user, request),
                Action::Interest { room, after } => self.link.interest(self.generation, room, after),
                Action::EndInterest(room) => self.link.forget(self.generation, room),
                Action::Read { room, after } => self.link.read(room, after),
                Action::Respond {
                    socket,
                    request,
                    response,
                } => self.answer(socket, request, response),
                Action::Deliver {
                    sockets,
                    event,
                    cursor,
                } => self.deliver(&sockets, event, cursor),
                Action::Replay { socket, replay } => self.push(socket, Item::Replay(replay)),
                Action::Resumed { socket, outcome } => {
                    let decided = self.take_awaited(socket, |awaited| awaited.decided.take());
                    // Nobody waits any more where the connection is gone.
                    let _ = decided.map(|decided| decided.send(outcome));
                }
                Action::Close(socket) => {
                    if let Some(known) = self.peers.get(&socket) {
                        known.peer.transport.kill();
                    }
                }
                Action::UserRoomJoined(socket) => {
                    let welcome = self.take_awaited(socket, |awaited| awaited.welcome.take());
                    // Nobody waits any more where the connection took too long.
                    let _ = welcome.map(|welcome| welcome.send(()));
                }
                Action::Disconnect(socket) => self.to(socket, |known| known.peer.disconnect()),
            }
        }
        self.metrics
            .sockets
            .set(i64::try_from(self.rooms.sockets()).unwrap_or(i64::MAX));
        self.metrics
            .rooms
            .set(i64::try_from(self.rooms.rooms()).unwrap_or(i64::MAX));
    }

    fn deliver(&mut self, sockets: &[SocketId], event: Arc<BrowserEvent>, cursor: Arc<str>) {
        self.metrics.deliveries.inc_by(sockets.len() as u64);
        let mut delivery = Delivery::new(event.clone(), cursor);
        if sockets.len() == 1 {
            delivery = delivery.sharing(self.opening(event));
        }
        let when = if sockets.len() <= self.at_once {
            When::Now
        } else {
            When::Soon
        };
        for socket in sockets {
            self.to(*socket, |known| match &known.direct {
                Some(transport) => transport.send(delivery.part(), when),
                None => known.peer.deliver(&delivery, when),
            });
        }
    }

    /// What frames of an event begin with.
    fn opening(&mut self, event: Arc<BrowserEvent>) -> Bytes {
        match &self.opening {
            Some((known, opening)) if Arc::ptr_eq(known, &event) => opening.clone(),
            Some(_) | None => {
                let opening = Bytes::from(Frame::opening(&event));
                self.opening = Some((event, opening.clone()));
                opening
            }
        }
    }

    fn push(&self, socket: SocketId, item: Item) {
        self.to(socket, |known| known.peer.push(item));
    }

    /// Hands something to a socket, and closes its transport where that finds no room.
    fn to(&self, socket: SocketId, hand: impl FnOnce(&Known) -> Result<(), Full>) {
        let Some(known) = self.peers.get(&socket) else {
            return;
        };
        if hand(known).is_err() {
            self.metrics.slow_sockets.inc();
            debug!(socket = socket.0, "closing the transport of a slow socket");
            known.peer.transport.kill();
        }
    }

    fn answer(&mut self, socket: SocketId, request: SocketRequestId, answer: SocketResponse) {
        let reply = self.take_awaited(socket, |awaited| awaited.take_reply(request));
        let Some(reply) = reply else { return };
        match answer {
            SocketResponse::Joined {
                session,
                role,
                position,
                recovered,
                snapshot,
            } => {
                let position = json::string(&position);
                self.acknowledge(socket, reply, format!(
                    r#"{{"ok":true,"sessionId":"{session}","role":"{role}","position":{position},"recovered":{recovered},"session":{snapshot}}}"#
                ));
            }
            SocketResponse::Left(session) => {
                self.acknowledge(socket, reply, format!(r#"{{"ok":true,"sessionId":"{session}"}}"#));
            }
            SocketResponse::Denied(session, refusal) => {
                self.refuse(
                    socket,
                    reply,
                    Some(session.as_str()),
                    refusal.code().as_str(),
                    refusal.message(),
                );
            }
        }
    }

    fn acknowledge(&self, socket: SocketId, reply: Reply, json: String) {
        if let Some(number) = reply.0 {
            match RawValue::from_string(json) {
                Ok(json) => self.push(socket, Item::Ack(number, json)),
                Err(error) => error!(%error, "an acknowledgement that is no JSON"),
            }
        }
    }

    fn refuse(&self, socket: SocketId, reply: Reply, session: Option<&str>, code: &'static str, text: &str) {
        self.metrics.refused_questions.inc();
        let session = session.map_or("null".to_owned(), json::string);
        let text = json::string(text);
        if reply.0.is_some() {
            let error = format!(r#"{{"code":"{code}","message":{text}}}"#);
            self.acknowledge(
                socket,
                reply,
                format!(r#"{{"ok":false,"sessionId":{session},"error":{error}}}"#),
            );
        } else {
            let payload = format!(r#"{{"sessionId":{session},"code":"{code}","message":{text}}}"#);
            let event = BrowserEvent {
                name: "session-error",
                payload: payload.into(),
            };
            let cursor = self.rooms.cursor(socket);
            self.push(socket, Item::Event(Arc::new(event), cursor));
        }
    }
}

/// For numbers of our own, which rise by one.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are numbers")
    }

    fn write_u64(&mut self, number: u64) {
        // Spreads them over both ends of the word (Knuth's multiplicative hashing).
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

async fn sleep_until(started: Instant, deadline: Option<Millis>) {
    match deadline {
        None => std::future::pending().await,
        Some(at) => {
            let after = std::time::Duration::from_millis(u64::try_from(at).unwrap_or(0));
            tokio::time::sleep_until((started + after).into()).await;
        }
    }
}
