//! The rooms of one edge: which sockets are in which room, joins on their way, and the fan-out of entries to
//! sockets in the order of the log.
//!
//! Nothing is delivered before admission, after leaving, or past a removal (I4), and a replay never interleaves
//! with what is live (I5): a socket becomes a member in the same step that hands it its replay.

mod joins;
mod resuming;
mod session_room;
#[cfg(test)]
mod tests;
mod user_room;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use indexmap::IndexMap;

use crate::{
    Millis,
    browser_event::{self, BrowserEvent},
    cursor,
    event::{Entry, LogSlice},
    feed::{self, Feed},
    ids::{SessionId, UserId},
    limits::WINDOW_ENTRIES,
    position::Position,
    replay::Replay,
    role::Role,
    room::RoomId,
    small_map::SmallMap,
    snapshot::{RoomState, Snapshot},
};

use joins::Join;

/// A socket of this edge; unique in the edge's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// What a socket asked for, as the edge numbers it; each is answered once, but for those of sockets that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketRequestId(pub u64);

/// What is told to the rooms of an edge.
#[derive(Debug)]
pub enum Input {
    /// A socket is there, and its token was verified.
    Connected {
        /// Which.
        socket: SocketId,
        /// Its user.
        user: UserId,
    },
    /// A new socket comes with a cursor: can all of its rooms be continued? It has no CONNECT yet, and asks nothing
    /// before.
    Resume {
        /// Which socket.
        socket: SocketId,
        /// The cursor.
        positions: BTreeMap<SessionId, Position>,
        /// Numbers the questions that follow from it.
        request: SocketRequestId,
    },
    /// A socket is gone.
    Disconnected(SocketId),
    /// The socket wants into a session's room.
    Join {
        /// Which socket.
        socket: SocketId,
        /// Which session.
        session: SessionId,
        /// The last position that the page has of it.
        after: Option<Position>,
        /// To be answered.
        request: SocketRequestId,
    },
    /// The socket wants out.
    Leave {
        /// Which socket.
        socket: SocketId,
        /// Which session.
        session: SessionId,
        /// To be answered.
        request: SocketRequestId,
    },
    /// The answer to [`Action::Authorize`].
    Authorized {
        /// Which socket.
        socket: SocketId,
        /// Which session.
        session: SessionId,
        /// The question that it was for.
        request: SocketRequestId,
        /// Yes, with the position at which it was true, or why not.
        result: Result<Position, JoinDenial>,
    },
    /// There is a link, perhaps to another control plane than before.
    Attached,
    /// A room's state, from the link: what was asked for to begin with.
    Snapshot(RoomId, Snapshot),
    /// A room's state, from the link: the room can't be continued from its position.
    Reset(RoomId, Snapshot),
    /// A room's next entries, from the link.
    Entries(RoomId, Vec<Arc<Entry>>),
    /// There is no such session, by the link.
    SessionNotFound(RoomId),
    /// The answer to [`Action::Read`]; `None`: it failed.
    ReadResult {
        /// Which room.
        room: RoomId,
        /// What the read was asked to begin after.
        after: Position,
        /// What it found.
        slice: Option<LogSlice>,
    },
}

/// What the rooms ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// SocketRequestId a control plane whether the user may join.
    Authorize {
        /// For which socket.
        socket: SocketId,
        /// Which session.
        session: SessionId,
        /// Which user.
        user: UserId,
        /// To be given back with the answer.
        request: SocketRequestId,
    },
    /// SocketRequestId the link to feed a room. Without a link it is asked for again by what follows [`Input::Attached`].
    Interest {
        /// Which room.
        room: RoomId,
        /// The last position.
        after: Option<Position>,
    },
    /// SocketRequestId the link to feed the room no more.
    EndInterest(RoomId),
    /// Read a part of a room's log, for a replay.
    Read {
        /// Which room.
        room: RoomId,
        /// Where it begins.
        after: Position,
    },
    /// Answer what a socket asked for.
    Respond {
        /// Which socket.
        socket: SocketId,
        /// Which question.
        request: SocketRequestId,
        /// The answer.
        response: SocketResponse,
    },
    /// Deliver an event to sockets that have the same cursor after it.
    Deliver {
        /// Which sockets.
        sockets: Vec<SocketId>,
        /// What.
        event: Arc<BrowserEvent>,
        /// Their cursor after it.
        cursor: Arc<str>,
    },
    /// Deliver what a socket missed, as fast as it takes it, before whatever comes next.
    Replay {
        /// Which socket.
        socket: SocketId,
        /// What.
        replay: Replay,
    },
    /// What became of [`Input::Resume`]; what the socket missed follows.
    Resumed {
        /// Which socket.
        socket: SocketId,
        /// The outcome.
        outcome: ResumeOutcome,
    },
    /// Close the socket's transport: its page comes back and resumes.
    Close(SocketId),
    /// The socket is in its user's room.
    UserRoomJoined(SocketId),
    /// End the socket with a DISCONNECT: its user was disconnected by a backend.
    Disconnect(SocketId),
}

/// What became of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeOutcome {
    /// Nothing was missed that the user may see.
    Continued,
    /// Some room can't be continued: the page begins anew.
    Fresh,
    /// It can't be known for the moment.
    Unavailable,
}

/// What a socket's question came to.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketResponse {
    /// It is in the room.
    Joined {
        /// Of this session.
        session: SessionId,
        /// As this.
        role: Role,
        /// A cursor of that room alone: what comes next comes after it.
        position: Arc<str>,
        /// Whether nothing was missed since the position that the page brought.
        recovered: bool,
        /// The session as it stands, as JSON.
        snapshot: Arc<str>,
    },
    /// It is out of the room.
    Left(SessionId),
    /// No.
    Denied(SessionId, JoinDenial),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinDenial {
    /// There is no such session.
    SessionNotFound,
    /// The user takes no part in it.
    NotAParticipant,
    /// The socket is in too many rooms.
    TooManySessions,
    /// The socket left before the join was complete.
    LeftMeanwhile,
    /// The control plane or the store is out of reach.
    Unavailable,
}

impl JoinDenial {
    /// Whether it says that the user may not be there; or else that this can't be known, or may not be asked.
    fn is_denial(self) -> bool {
        match self {
            Self::SessionNotFound | Self::NotAParticipant => true,
            Self::TooManySessions | Self::LeftMeanwhile | Self::Unavailable => false,
        }
    }

    /// The code that browsers see.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SessionNotFound => "session_not_found",
            Self::NotAParticipant => "not_a_participant",
            Self::TooManySessions => "too_many_sessions",
            Self::LeftMeanwhile => "bad_request",
            Self::Unavailable => "unavailable",
        }
    }

    /// What it means and how to mend it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::SessionNotFound => "there is no such session",
            Self::NotAParticipant => "you take no part in this session",
            Self::TooManySessions => "this socket is in as many sessions as it may be: leave one first",
            Self::LeftMeanwhile => "the session was left before the join was complete",
            Self::Unavailable => "the service is out of reach for the moment: try again",
        }
    }
}

#[derive(Debug)]
struct Socket {
    user: UserId,
    /// The sessions of its cursor. The position of one whose room it is in is that room's; of one that it is promised
    /// by a resume it is this.
    sessions: SmallMap<SessionId, Position>,
    joins: SmallMap<SessionId, Join>,
    /// While it resumes.
    resuming: Option<Box<Resuming>>,
}

/// What is known of a resume before it is decided.
#[derive(Debug, Default)]
struct Resuming {
    /// The sessions that its user takes no part in any more.
    denied: Vec<(SessionId, JoinDenial)>,
}

#[derive(Debug)]
struct Member {
    /// It has everything after this position.
    whole_after: Position,
    /// The room is the only one of its cursor, so that its cursor is that of all such members.
    alone: bool,
}

#[derive(Debug, Default)]
struct Room {
    feed: Feed,
    /// The room's state at the feed's position; `None` before its first snapshot.
    state: Option<RoomState>,
    /// What a session's room has for those who join it. In a box, since most rooms are users' and have none.
    recent: Option<Box<Recent>>,
    /// The last position of which its members were told.
    told: Position,
    members: SmallMap<SocketId, Member>,
    /// Sockets that wait for the room: admitted joins, or new sockets of a user.
    waiting: SmallMap<SocketId, ()>,
}

#[derive(Debug, Default)]
struct Recent {
    /// The session's JSON, until the state changes.
    json: Option<Arc<str>>,
    /// The most recent entries, at most [`WINDOW_ENTRIES`].
    window: VecDeque<Arc<Entry>>,
    /// The position before the first of them.
    window_after: Position,
}

/// The rooms of an edge.
#[derive(Debug)]
pub struct Rooms {
    sockets: BTreeMap<SocketId, Socket>,
    /// The order in which they are gone through is fixed by what happened to them, whatever their hashes are.
    rooms: IndexMap<RoomId, Room>,
    /// When joins end that were not completed.
    deadlines: BTreeSet<(Millis, SocketId, SessionId)>,
    /// Reads under way: each serves all joins that wait for it.
    reads: BTreeSet<(RoomId, Position)>,
    sessions_per_socket: usize,
    /// When the last input came.
    now: Millis,
    actions: VecDeque<Action>,
}

impl Rooms {
    /// Rooms without sockets. `sessions_per_socket` is the cap for each socket.
    #[must_use]
    pub fn new(sessions_per_socket: usize) -> Self {
        Self {
            sockets: BTreeMap::new(),
            rooms: IndexMap::new(),
            deadlines: BTreeSet::new(),
            reads: BTreeSet::new(),
            sessions_per_socket,
            now: 0,
            actions: VecDeque::new(),
        }
    }

    /// Takes what happened; [`Self::next_action`] then says what to do.
    pub fn handle(&mut self, input: Input, now: Millis) {
        self.now = now;
        match input {
            Input::Connected { socket, user } => self.connected(socket, user),
            Input::Resume {
                socket,
                positions,
                request,
            } => self.resume(socket, positions, request),
            Input::Disconnected(socket) => self.disconnected(socket),
            Input::Join {
                socket,
                session,
                after,
                request,
            } => self.join(socket, session, after, request),
            Input::Leave {
                socket,
                session,
                request,
            } => self.leave(socket, session, request),
            Input::Authorized {
                socket,
                session,
                request,
                result,
            } => self.authorized(socket, session, request, result),
            Input::Attached => {
                let interest = |(id, room): (&RoomId, &mut Room)| {
                    room.feed.handle(feed::Input::SourceChanged);
                    Action::Interest {
                        room: id.clone(),
                        after: room.feed.position(),
                    }
                };
                self.actions.extend(self.rooms.iter_mut().map(interest));
            }
            Input::Snapshot(id, snapshot) => self.begin(&id, snapshot),
            Input::Reset(id, snapshot) => self.reset(&id, snapshot),
            // Before a room's snapshot the link may bring only what is left of an earlier interest.
            Input::Entries(id, _)
                if self
                    .rooms
                    .get(&id)
                    .is_none_or(|room| room.feed.position().is_none()) => {}
            Input::Entries(id, entries) => {
                for entry in entries {
                    self.feed(&id, feed::Input::Notification(entry));
                }
                self.settle(&id);
            }
            Input::SessionNotFound(id) => self.gone(&id),
            Input::ReadResult { room, after, slice } => self.replay_slice(&room, after, slice),
        }
    }

    /// The next thing to do, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Self::handle_deadline`] is wanted next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(at, _, _)| *at)
    }

    /// Ends the joins whose time is over.
    pub fn handle_deadline(&mut self, now: Millis) {
        while let Some((at, socket, session)) = self.deadlines.first().cloned() {
            if at > now {
                return;
            }
            self.deny(socket, &session, JoinDenial::Unavailable);
        }
    }

    /// The socket's cursor as it stands; that of a new socket where there is none.
    #[must_use]
    pub fn cursor(&self, id: SocketId) -> Arc<str> {
        self.sockets
            .get(&id)
            .map_or_else(|| cursor::write([]).into(), |socket| self.cursor_of(id, socket))
    }

    fn cursor_of(&self, id: SocketId, socket: &Socket) -> Arc<str> {
        cursor::write(self.positions(id, socket)).into()
    }

    /// Where a socket is in each room of its cursor.
    fn positions<'a>(
        &'a self,
        id: SocketId,
        socket: &'a Socket,
    ) -> impl Iterator<Item = (&'a SessionId, &'a Position)> {
        socket.sessions.iter().map(move |(session, promised)| {
            let room = self.rooms.get(&RoomId::Session(session.clone()));
            let room = room.filter(|room| room.members.contains_key(&id));
            (session, room.map_or(promised, |room| &room.told))
        })
    }

    /// Notes in its rooms whether a socket has one alone, after its cursor took up or lost one.
    fn note_alone(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let alone = socket.sessions.len() == 1;
        for session in socket.sessions.keys() {
            let room = self.rooms.get_mut(&RoomId::Session(session.clone()));
            if let Some(member) = room.and_then(|room| room.members.get_mut(&id)) {
                member.alone = alone;
            }
        }
    }

    /// How many sockets there are.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// How many rooms some socket is in.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    fn disconnected(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let rooms = socket
            .sessions
            .keys()
            .chain(socket.joins.keys())
            .cloned()
            .map(RoomId::from);
        let rooms: Vec<_> = rooms.chain([RoomId::User(socket.user.clone())]).collect();
        let joins: Vec<_> = socket.joins.keys().cloned().collect();
        for session in joins {
            self.end_join(id, &session);
        }
        self.sockets.remove(&id);
        for room in rooms {
            self.part(id, &room);
        }
    }

    /// Begins to be interested in a room, unless it is already.
    fn enter(&mut self, id: &RoomId) -> &mut Room {
        self.rooms.entry(id.clone()).or_insert_with(|| {
            self.actions.push_back(Action::Interest {
                room: id.clone(),
                after: None,
            });
            Room::new(id)
        })
    }

    /// Takes a socket out of a room, whether it is a member or waits.
    fn part(&mut self, socket: SocketId, id: &RoomId) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.waiting.remove(&socket);
            self.dismiss(socket, id);
        }
    }

    /// Ends a membership; a join on its way goes on. A room that nobody is in is forgotten.
    fn dismiss(&mut self, socket: SocketId, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.members.remove(&socket);
        if room.members.is_empty() && room.waiting.is_empty() {
            self.rooms.swap_remove(id);
            self.actions.push_back(Action::EndInterest(id.clone()));
        }
    }

    fn feed(&mut self, id: &RoomId, input: feed::Input) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.feed.handle(input);
        while let Some(action) = self.rooms.get_mut(id).and_then(|room| room.feed.next_action()) {
            match action {
                feed::Action::Deliver(entry) => self.deliver(id, entry),
                feed::Action::Read { after } => {
                    self.actions.push_back(Action::Interest {
                        room: id.clone(),
                        after: Some(after),
                    });
                }
                feed::Action::Reset { .. } => {
                    unreachable!("only a read can show it, and an edge's feed gets none")
                }
            }
        }
    }

    fn deliver(&mut self, id: &RoomId, entry: Arc<Entry>) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        if let Some(state) = &mut room.state {
            state.fold(entry.position.offset, &entry.event);
        }
        if let Some(recent) = &mut room.recent {
            recent.push(entry.clone());
        }
        match id {
            RoomId::Session(session) => self.deliver_to_session(id, session, &entry),
            RoomId::User(_) => self.deliver_to_user(id, &entry),
        }
    }

    /// Begins with a snapshot. A room that has begun asked for it in an earlier interest, which it forgot and took up
    /// again: what may lie between is asked for.
    fn begin(&mut self, id: &RoomId, snapshot: Snapshot) {
        match self.rooms.get(id).map(|room| room.feed.position()) {
            None => {}
            Some(None) => self.reset(id, snapshot),
            Some(Some(asked)) => self.feed(
                id,
                feed::Input::Tail {
                    asked,
                    tail: snapshot.position,
                },
            ),
        }
    }

    /// Goes on from a snapshot.
    fn reset(&mut self, id: &RoomId, snapshot: Snapshot) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let before = room.state.replace(snapshot.state);
        if let Some(recent) = &mut room.recent {
            **recent = Recent::after(snapshot.position);
        }
        room.told = snapshot.position;
        // The feed first takes the position alone: members are told of a reset before what comes after it.
        match (id, before) {
            (RoomId::Session(session), Some(_)) => self.reset_session(id, session, snapshot.position),
            (RoomId::User(_), Some(before)) => self.reset_user(id, &before),
            (_, None) => {}
        }
        self.feed(id, feed::Input::Start(snapshot.position));
        self.settle(id);
    }

    /// Lets in whoever the room's position allows by now.
    fn settle(&mut self, id: &RoomId) {
        if self.rooms.get(id).is_none_or(|room| room.waiting.is_empty()) {
            return;
        }
        match id {
            RoomId::Session(session) => self.settle_joins(id, session),
            RoomId::User(_) => self.settle_user(id),
        }
    }

    fn send(&mut self, id: SocketId, event: BrowserEvent) {
        if let Some(socket) = self.sockets.get(&id) {
            let (event, cursor) = (Arc::new(event), self.cursor_of(id, socket));
            self.actions.push_back(Action::Deliver {
                sockets: vec![id],
                event,
                cursor,
            });
        }
    }

    /// Puts a member out of a session's room and says so.
    fn revoke(&mut self, id: SocketId, session: &SessionId, reason: &'static str) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.sessions.remove(session);
            self.send(id, browser_event::session_revoked(session, reason));
            self.dismiss(id, &RoomId::Session(session.clone()));
            self.note_alone(id);
        }
    }
}

impl Room {
    fn new(id: &RoomId) -> Self {
        Self {
            recent: match id {
                RoomId::Session(_) => Some(Box::default()),
                RoomId::User(_) => None,
            },
            ..Self::default()
        }
    }
}

impl Recent {
    /// Nothing yet, from a position on.
    fn after(position: Position) -> Self {
        Self {
            window_after: position,
            ..Self::default()
        }
    }

    fn push(&mut self, entry: Arc<Entry>) {
        self.json = None;
        self.window.push_back(entry);
        if self.window.len() > WINDOW_ENTRIES
            && let Some(entry) = self.window.pop_front()
        {
            self.window_after = entry.position;
        }
    }
}
