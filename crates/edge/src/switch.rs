//! The one task that drives [`Rooms`]: questions of sockets and what the link brings go in, in order; answers,
//! deliveries and what the link is asked for come out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

use roomcast_core::{
    Entry, LogSlice, Millis, Position, RoomId, SessionId, Snapshot, UserId, json,
    payload::Event,
    rooms::{Action, Answer, Ask, Input, Refusal, Resumed, Rooms, SocketId},
};
use serde_json::value::RawValue;
use socketioxide::extract::AckSender;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error};

use crate::{
    link::{Generation, Link},
    metrics::Metrics,
    outbound::{Item, Outbound},
    transport::Transport,
};

/// Questions of all sockets that wait at most; a socket whose question finds no room is told to slow down.
pub(crate) const QUESTIONS: usize = 16_384;

/// How a question is answered.
pub(crate) struct Reply {
    pub(crate) ack: AckSender,
    /// Whether an acknowledgement was asked for. Without one only a no is told, as `session-error`.
    pub(crate) asked: bool,
}

/// What the switch needs of a socket.
pub(crate) struct Peer {
    pub(crate) id: SocketId,
    pub(crate) user: UserId,
    pub(crate) outbound: Outbound,
    pub(crate) transport: Arc<Transport>,
}

/// What is told to the switch.
pub(crate) enum Told {
    /// A socket is there; `welcome` is told when it is in its user's room.
    Connected {
        peer: Arc<Peer>,
        welcome: oneshot::Sender<()>,
    },
    /// It comes with a cursor; `decided` is told whether it is continued.
    Resume {
        socket: SocketId,
        positions: BTreeMap<SessionId, Position>,
        decided: oneshot::Sender<Resumed>,
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
        ask: Ask,
        answer: Result<Position, Refusal>,
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
    Gone(RoomId),
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
    peers: HashMap<SocketId, Known>,
    link: Link,
    generation: Generation,
    metrics: Metrics,
    asks: u64,
    started: Instant,
}

struct Known {
    peer: Arc<Peer>,
    welcome: Option<oneshot::Sender<()>>,
    decided: Option<oneshot::Sender<Resumed>>,
    replies: BTreeMap<Ask, Reply>,
}

impl Board {
    pub(crate) fn new(sessions_per_socket: usize, link: Link, metrics: Metrics) -> Self {
        Self {
            rooms: Rooms::new(sessions_per_socket),
            peers: HashMap::new(),
            link,
            generation: Generation::default(),
            metrics,
            asks: 0,
            started: Instant::now(),
        }
    }

    /// Runs until nobody can ask any more.
    pub(crate) async fn run(mut self, mut told: mpsc::Receiver<Told>, mut fed: mpsc::Receiver<Fed>) {
        loop {
            let deadline = self.rooms.next_deadline();
            tokio::select! {
                // What the link brings first: an answer is then given on the newest state.
                biased;
                Some(fed) = fed.recv() => self.fed(fed),
                next = told.recv() => match next {
                    Some(told) => self.told(told),
                    None => return,
                },
                () = sleep_until(self.started, deadline) => {
                    let now = self.now();
                    self.rooms.handle_deadline(now);
                }
            }
            self.act();
        }
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
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
            Fed::Gone(room) => self.handle(Input::Gone(room)),
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Connected { peer, welcome } => {
                let (socket, user) = (peer.id, peer.user.clone());
                let known = Known {
                    peer,
                    welcome: Some(welcome),
                    decided: None,
                    replies: BTreeMap::new(),
                };
                self.peers.insert(socket, known);
                self.handle(Input::Connected { socket, user });
            }
            Told::Resume {
                socket,
                positions,
                decided,
            } => {
                if let Some(known) = self.peers.get_mut(&socket) {
                    known.decided = Some(decided);
                }
                self.asks += 1;
                let ask = Ask(self.asks);
                self.handle(Input::Resume {
                    socket,
                    positions,
                    ask,
                });
            }
            Told::Disconnected(socket) => {
                self.peers.remove(&socket);
                self.handle(Input::Disconnected(socket));
            }
            Told::Join {
                socket,
                session,
                after,
                reply,
            } => {
                let ask = self.expect(socket, reply);
                self.handle(Input::Join {
                    socket,
                    session,
                    after,
                    ask,
                });
            }
            Told::Leave {
                socket,
                session,
                reply,
            } => {
                let ask = self.expect(socket, reply);
                self.handle(Input::Leave { socket, session, ask });
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
                ask,
                answer,
            } => {
                self.handle(Input::Authorized {
                    socket,
                    session,
                    ask,
                    answer,
                });
            }
            Told::Slice { room, after, slice } => self.handle(Input::Slice { room, after, slice }),
        }
    }

    fn expect(&mut self, socket: SocketId, reply: Reply) -> Ask {
        self.asks += 1;
        let ask = Ask(self.asks);
        if let Some(known) = self.peers.get_mut(&socket) {
            known.replies.insert(ask, reply);
        }
        ask
    }

    fn act(&mut self) {
        while let Some(action) = self.rooms.next_action() {
            match action {
                Action::Authorize {
                    socket,
                    session,
                    user,
                    ask,
                } => self.link.authorize(socket, session, user, ask),
                Action::Interest { room, after } => self.link.interest(self.generation, room, after),
                Action::Forget(room) => self.link.forget(self.generation, room),
                Action::Read { room, after } => self.link.read(room, after),
                Action::Answer { socket, ask, answer } => self.answer(socket, ask, answer),
                Action::Deliver {
                    socket,
                    event,
                    cursor,
                } => {
                    self.metrics.deliveries.inc();
                    self.push(socket, Item::Event(event, cursor));
                }
                Action::Replay { socket, replay } => self.push(socket, Item::Replay(replay)),
                Action::Resumed { socket, outcome } => {
                    let decided = self.peers.get_mut(&socket).and_then(|known| known.decided.take());
                    // Nobody waits any more where the connection is gone.
                    let _ = decided.map(|decided| decided.send(outcome));
                }
                Action::Close(socket) => {
                    if let Some(known) = self.peers.get(&socket) {
                        known.peer.transport.kill();
                    }
                }
                Action::Welcome(socket) => {
                    let welcome = self.peers.get_mut(&socket).and_then(|known| known.welcome.take());
                    // Nobody waits any more where the connection took too long.
                    let _ = welcome.map(|welcome| welcome.send(()));
                }
                Action::Disconnect(socket) => self.push(socket, Item::Disconnect),
            }
        }
        self.metrics
            .sockets
            .set(i64::try_from(self.rooms.sockets()).unwrap_or(i64::MAX));
        self.metrics
            .rooms
            .set(i64::try_from(self.rooms.rooms()).unwrap_or(i64::MAX));
    }

    fn push(&self, socket: SocketId, item: Item) {
        let Some(known) = self.peers.get(&socket) else {
            return;
        };
        if known.peer.transport.killed().is_cancelled() {
            return;
        }
        if known.peer.outbound.push(item).is_err() {
            self.metrics.slow_sockets.inc();
            debug!(socket = socket.0, "closing the transport of a slow socket");
            known.peer.transport.kill();
        }
    }

    fn answer(&mut self, socket: SocketId, ask: Ask, answer: Answer) {
        let reply = self
            .peers
            .get_mut(&socket)
            .and_then(|known| known.replies.remove(&ask));
        let Some(reply) = reply else { return };
        match answer {
            Answer::Joined {
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
            Answer::Left(session) => {
                self.acknowledge(socket, reply, format!(r#"{{"ok":true,"sessionId":"{session}"}}"#));
            }
            Answer::Refused(session, refusal) => {
                self.refuse(
                    socket,
                    reply,
                    Some(session.as_str()),
                    refusal.code(),
                    refusal.text(),
                );
            }
        }
    }

    fn acknowledge(&self, socket: SocketId, reply: Reply, json: String) {
        if reply.asked {
            match RawValue::from_string(json) {
                Ok(json) => self.push(socket, Item::Ack(reply.ack, json)),
                Err(error) => error!(%error, "an acknowledgement that is no JSON"),
            }
        }
    }

    fn refuse(&self, socket: SocketId, reply: Reply, session: Option<&str>, code: &'static str, text: &str) {
        self.metrics.refused_questions.inc();
        let session = session.map_or("null".to_owned(), json::string);
        let text = json::string(text);
        if reply.asked {
            let error = format!(r#"{{"code":"{code}","message":{text}}}"#);
            self.acknowledge(
                socket,
                reply,
                format!(r#"{{"ok":false,"sessionId":{session},"error":{error}}}"#),
            );
        } else {
            let payload = format!(r#"{{"sessionId":{session},"code":"{code}","message":{text}}}"#);
            let event = Event {
                name: "session-error",
                payload: payload.into(),
            };
            let cursor = self.rooms.cursor(socket);
            self.push(socket, Item::Event(Arc::new(event), cursor));
        }
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
