//! The rooms of one edge: the sockets in each room, joins in progress, and the fan-out of entries to sockets in the
//! order of the log.
//!
//! Nothing is delivered before admission, after leaving, or past a removal (I4). A replay never interleaves with live
//! events (I5), because a socket becomes a member in the same step that queues its replay.

mod io;
mod joins;
mod local_room;
mod membership;
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
    cursor, feed,
    ids::{SessionId, UserId},
    log::Entry,
    position::Position,
    room::RoomId,
    small_map::SmallMap,
    snapshot::Snapshot,
};

pub use io::{Action, Input, JoinDenial, ResumeOutcome, SocketId, SocketRequestId, SocketResponse};
use joins::Join;
use local_room::{LocalRoom, Member, Recent};

#[derive(Debug)]
struct Socket {
    user: UserId,
    /// The sessions in the socket's cursor. The position is the one from which a resume promised to continue. It is used
    /// until the socket is a member of the session's room; the position of a member is that of the room.
    sessions: SmallMap<SessionId, Position>,
    joins: SmallMap<SessionId, Join>,
    /// `Some` until the outcome of the socket's resume is known.
    resuming: Option<Box<Resuming>>,
}

#[derive(Debug, Default)]
struct Resuming {
    /// The sessions that the user has no right to join (any more).
    denied: Vec<(SessionId, JoinDenial)>,
}

/// The rooms of an edge.
#[derive(Debug)]
pub struct Rooms {
    sockets: BTreeMap<SocketId, Socket>,
    /// An index map, because its iteration order follows from the inputs alone (I9).
    rooms: IndexMap<RoomId, LocalRoom>,
    /// The deadlines of the joins in progress.
    deadlines: BTreeSet<(Millis, SocketId, SessionId)>,
    /// The reads in progress. Each serves every join that waits for it.
    reads: BTreeSet<(RoomId, Position)>,
    sessions_per_socket: usize,
    /// The time of the last input.
    now: Millis,
    actions: VecDeque<Action>,
}

impl Rooms {
    /// Makes an empty set of rooms. A socket can join at most `sessions_per_socket` sessions at the same time.
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

    /// Handles an input. Take the resulting actions with [`Self::next_action`].
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
            Input::Attached => self.attached(),
            Input::Snapshot(id, snapshot) => self.start(&id, snapshot),
            Input::Reset(id, snapshot) => self.reset(&id, snapshot),
            Input::Entries(id, entries) => self.entries(&id, entries),
            Input::SessionNotFound(id) => self.session_not_found(&id),
            Input::ReadResult { room, after, slice } => self.replay_read(&room, after, slice),
        }
    }

    /// The next action, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The time at which [`Self::handle_deadline`] must be called next; `None`: never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(at, _, _)| *at)
    }

    /// Denies the joins whose deadline has passed.
    pub fn handle_deadline(&mut self, now: Millis) {
        while let Some((at, socket, session)) = self.deadlines.first().cloned() {
            if at > now {
                return;
            }
            self.deny(socket, &session, JoinDenial::Unavailable);
        }
    }

    /// The socket's current cursor; an empty one if the socket is unknown.
    #[must_use]
    pub fn cursor(&self, id: SocketId) -> Arc<str> {
        self.sockets
            .get(&id)
            .map_or_else(|| cursor::write([]).into(), |socket| self.cursor_of(id, socket))
    }

    /// The number of connected sockets.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// The number of rooms in which the edge is interested.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    fn cursor_of(&self, id: SocketId, socket: &Socket) -> Arc<str> {
        cursor::write(self.positions(id, socket)).into()
    }

    /// The socket's position in each session of its cursor.
    fn positions<'a>(
        &'a self,
        id: SocketId,
        socket: &'a Socket,
    ) -> impl Iterator<Item = (&'a SessionId, &'a Position)> {
        socket.sessions.iter().map(move |(session, promised)| {
            let room = self.rooms.get(&RoomId::Session(session.clone()));
            let room = room.filter(|room| room.members.contains_key(&id));
            (session, room.map_or(promised, |room| &room.delivered))
        })
    }

    /// Updates [`Member::is_only_room`] after a session was added to the socket's cursor or removed from it.
    fn update_only_room(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let is_only_room = socket.sessions.len() == 1;
        for session in socket.sessions.keys() {
            let room = self.rooms.get_mut(&RoomId::Session(session.clone()));
            if let Some(member) = room.and_then(|room| room.members.get_mut(&id)) {
                member.is_only_room = is_only_room;
            }
        }
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
            self.remove_from_room(id, &room);
        }
    }

    /// Renews every interest with the position of the room's last entry.
    fn attached(&mut self) {
        let interest = |(id, room): (&RoomId, &mut LocalRoom)| {
            room.feed.handle(feed::Input::SourceChanged);
            Action::Interest {
                room: id.clone(),
                after: room.feed.position(),
            }
        };
        self.actions.extend(self.rooms.iter_mut().map(interest));
    }

    /// The room with this id. If the edge is not yet interested in it, the interest begins.
    fn room(&mut self, id: &RoomId) -> &mut LocalRoom {
        self.rooms.entry(id.clone()).or_insert_with(|| {
            self.actions.push_back(Action::Interest {
                room: id.clone(),
                after: None,
            });
            LocalRoom::new(id)
        })
    }

    /// Removes a socket from a room, whether it is a member or waits to become one.
    fn remove_from_room(&mut self, socket: SocketId, id: &RoomId) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.waiting.remove(&socket);
            self.remove_member(socket, id);
        }
    }

    /// Ends a membership; a join in progress continues. The interest in a room without sockets ends.
    fn remove_member(&mut self, socket: SocketId, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.members.remove(&socket);
        if room.members.is_empty() && room.waiting.is_empty() {
            self.rooms.swap_remove(id);
            self.actions.push_back(Action::EndInterest(id.clone()));
        }
    }

    fn entries(&mut self, id: &RoomId, entries: Vec<Arc<Entry>>) {
        let started = self
            .rooms
            .get(id)
            .is_some_and(|room| room.feed.position().is_some());
        if !started {
            return; // before the room's snapshot, they belong to an earlier interest
        }
        for entry in entries {
            self.feed(id, feed::Input::Entry(entry));
        }
        self.settle(id);
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
                    unreachable!("only a read causes a reset, and this feed gets no reads")
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

    /// Starts the room's feed with a snapshot. If it has started already, the snapshot belongs to an earlier interest, and
    /// entries may be missing between it and the feed's position.
    fn start(&mut self, id: &RoomId, snapshot: Snapshot) {
        match self.rooms.get(id).map(|room| room.feed.position()) {
            None => {}
            Some(None) => self.reset(id, snapshot),
            Some(Some(compared)) => self.feed(
                id,
                feed::Input::Tail {
                    compared,
                    tail: snapshot.position,
                },
            ),
        }
    }

    /// Restarts the room with a snapshot.
    fn reset(&mut self, id: &RoomId, snapshot: Snapshot) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let before = room.state.replace(snapshot.state);
        if let Some(recent) = &mut room.recent {
            **recent = Recent::after(snapshot.position);
        }
        room.delivered = snapshot.position;
        // Members receive the reset before the feed starts, because its start may deliver held entries.
        match (id, before) {
            (RoomId::Session(session), Some(_)) => self.reset_session(id, session, snapshot.position),
            (RoomId::User(_), Some(before)) => self.reset_user(id, &before),
            (_, None) => {}
        }
        self.feed(id, feed::Input::Start(snapshot.position));
        self.settle(id);
    }

    /// Continues with each waiting socket that the room's position permits to join.
    fn settle(&mut self, id: &RoomId) {
        if self.rooms.get(id).is_none_or(|room| room.waiting.is_empty()) {
            return;
        }
        match id {
            RoomId::Session(session) => self.settle_joins(id, session),
            RoomId::User(_) => self.settle_user(id),
        }
    }

    /// Sends an event to one socket, with its current cursor.
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

    /// Removes a member from a session's room and sends it `session-revoked`.
    fn revoke(&mut self, id: SocketId, session: &SessionId, reason: &'static str) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.sessions.remove(session);
            self.send(id, browser_event::session_revoked(session, reason));
            self.remove_member(id, &RoomId::Session(session.clone()));
            self.update_only_room(id);
        }
    }
}
