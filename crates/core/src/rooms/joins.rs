//! Joins: from the question to membership.
//!
//! Authorising → awaiting (the room's feed has to reach the position at which the yes was true) → replaying
//! (only with `after`, and only where the room's window does not reach back far enough) → member. Whether the
//! user takes part is decided by the room's own state at its position, so a removal that the feed has passed
//! denies the join, however late the yes comes.
//!
//! A resume on CONNECT (`resuming.rs`) is a join of each room of the cursor, which is held when it could be completed,
//! until it is known of all.

use std::sync::Arc;

use super::{Action, JoinDenial, Member, Room, Rooms, SocketId, SocketRequestId, SocketResponse};
use crate::{
    Millis, browser_event, cursor,
    event::{Entry, LogSlice},
    ids::SessionId,
    limits::JOIN_TIMEOUT,
    position::Position,
    replay::{Replay, missed},
    room::RoomId,
    snapshot::RoomState,
};

/// A join on its way.
#[derive(Debug)]
pub(super) struct Join {
    /// Everyone who asked for it meanwhile.
    requests: Vec<SocketRequestId>,
    /// The question whose yes counts.
    request: SocketRequestId,
    after: Option<Position>,
    deadline: Millis,
    pub(super) purpose: Purpose,
    pub(super) phase: Phase,
}

/// What a join is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The page asked for it.
    Asked,
    /// Can the room be continued? The socket has no CONNECT yet.
    Checked,
    /// The socket was told that nothing was missed, and is owed what it missed.
    Resumed,
}

#[derive(Debug)]
pub(super) enum Phase {
    Authorizing,
    Awaiting {
        position: Position,
    },
    Replaying {
        from: Position,
        entries: Vec<Arc<Entry>>,
    },
    /// Checked: it can be completed.
    Ready {
        from: Position,
        entries: Vec<Arc<Entry>>,
    },
}

impl Rooms {
    pub(super) fn join(
        &mut self,
        id: SocketId,
        session: SessionId,
        after: Option<Position>,
        request: SocketRequestId,
    ) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let known = socket.sessions.contains_key(&session) || socket.joins.contains_key(&session);
        if !known && socket.sessions.len() + socket.joins.len() >= self.sessions_per_socket {
            let response = SocketResponse::Denied(session, JoinDenial::TooManySessions);
            return self.actions.push_back(Action::Respond {
                socket: id,
                request,
                response,
            });
        }
        // A yes has to be newer than the last who asks, so a join on its way begins anew.
        let resumed = socket.sessions.get(&session).copied();
        let (mut requests, purpose, after) = match self.end_join(id, &session) {
            // What the page was promised when it resumed is owed to it still.
            Some(join) if join.purpose == Purpose::Resumed => (join.requests, join.purpose, resumed),
            Some(join) => (join.requests, Purpose::Asked, after),
            None => (Vec::new(), Purpose::Asked, after),
        };
        requests.push(request);
        self.begin_join(id, session, after, request, purpose, requests);
    }

    /// Asks whether the user may join.
    pub(super) fn begin_join(
        &mut self,
        id: SocketId,
        session: SessionId,
        after: Option<Position>,
        request: SocketRequestId,
        purpose: Purpose,
        requests: Vec<SocketRequestId>,
    ) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let deadline = self.now + JOIN_TIMEOUT;
        let join = Join {
            requests,
            request,
            after,
            deadline,
            purpose,
            phase: Phase::Authorizing,
        };
        socket.joins.insert(session.clone(), join);
        self.deadlines.insert((deadline, id, session.clone()));
        self.actions.push_back(Action::Authorize {
            socket: id,
            session,
            user: socket.user.clone(),
            request,
        });
    }

    pub(super) fn leave(&mut self, id: SocketId, session: SessionId, request: SocketRequestId) {
        self.deny(id, &session, JoinDenial::LeftMeanwhile);
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.sessions.remove(&session);
            self.note_alone(id);
            self.part(id, &RoomId::Session(session.clone()));
            self.actions.push_back(Action::Respond {
                socket: id,
                request,
                response: SocketResponse::Left(session),
            });
        }
    }

    pub(super) fn authorized(
        &mut self,
        id: SocketId,
        session: SessionId,
        request: SocketRequestId,
        response: Result<Position, JoinDenial>,
    ) {
        let socket = self.sockets.get_mut(&id);
        let Some(join) = socket.and_then(|socket| socket.joins.get_mut(&session)) else {
            return;
        };
        if join.request != request {
            return; // an response to an earlier request
        }
        match response {
            Ok(position) => {
                join.phase = Phase::Awaiting { position };
                let room = RoomId::Session(session);
                self.enter(&room).waiting.insert(id, ());
                self.settle(&room);
            }
            Err(denial) => self.deny(id, &session, denial),
        }
    }

    fn purpose(&self, id: SocketId, session: &SessionId) -> Option<Purpose> {
        Some(self.sockets.get(&id)?.joins.get(session)?.purpose)
    }

    /// Answers a join with no, where there is one.
    pub(super) fn deny(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        let Some(join) = self.end_join(id, session) else {
            return;
        };
        if join.purpose == Purpose::Checked {
            return self.not_checked(id, session, denial);
        }
        for request in join.requests {
            let response = SocketResponse::Denied(session.clone(), denial);
            self.actions.push_back(Action::Respond {
                socket: id,
                request,
                response,
            });
        }
        if join.purpose == Purpose::Resumed {
            return self.not_resumed(id, session, denial);
        }
        let member = self
            .sockets
            .get(&id)
            .is_some_and(|socket| socket.sessions.contains_key(session));
        let room = RoomId::Session(session.clone());
        if member {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.waiting.remove(&id);
            }
        } else {
            self.part(id, &room);
        }
    }

    pub(super) fn end_join(&mut self, id: SocketId, session: &SessionId) -> Option<Join> {
        let join = self.sockets.get_mut(&id)?.joins.remove(session)?;
        self.deadlines.remove(&(join.deadline, id, session.clone()));
        Some(join)
    }

    /// Goes on with every join whose position the room has reached.
    pub(super) fn settle_joins(&mut self, id: &RoomId, session: &SessionId) {
        let Some((_, at)) = self.session_state(id) else {
            return;
        };
        let Some(room) = self.rooms.get(id) else { return };
        let ready: Vec<_> = room
            .waiting
            .keys()
            .copied()
            .filter(|socket| {
                match self
                    .sockets
                    .get(socket)
                    .and_then(|socket| socket.joins.get(session))
                {
                    Some(Join {
                        phase: Phase::Awaiting { position },
                        ..
                    }) => at.has_reached(*position),
                    Some(_) | None => false,
                }
            })
            .collect();
        for socket in ready {
            self.admit(socket, id, session);
        }
    }

    /// The room has reached the position of the yes: the room's state has the last word.
    fn admit(&mut self, id: SocketId, room_id: &RoomId, session: &SessionId) {
        let Some((state, at)) = self.session_state(room_id) else {
            return;
        };
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        if state.participant(&socket.user).is_none() {
            return self.deny(id, session, JoinDenial::NotAParticipant);
        }
        let (Some(join), Some(room)) = (socket.joins.get(session), self.rooms.get(room_id)) else {
            return;
        };
        let after = join.after.filter(|after| at.has_reached(*after));
        if let Some(member) = room.members.get(&id) {
            let recovered = after.is_some_and(|after| after.has_reached(member.whole_after));
            return self.complete(id, room_id, session, recovered.then_some(at), Vec::new());
        }
        match after {
            None => self.complete(id, room_id, session, None, Vec::new()),
            Some(from) => self.replay(id, room_id, session, from, Vec::new()),
        }
    }

    /// Completes a join whose replay is at hand, and reads for one whose replay is not.
    pub(super) fn replay(
        &mut self,
        id: SocketId,
        room_id: &RoomId,
        session: &SessionId,
        from: Position,
        mut entries: Vec<Arc<Entry>>,
    ) {
        let Some(room) = self.rooms.get(room_id) else {
            return;
        };
        let next = entries.last().map_or(from, |entry| entry.position);
        if let Some(rest) = room.window_after(next) {
            entries.extend(rest);
            return self.complete(id, room_id, session, Some(from), entries);
        }
        if let Some(join) = self
            .sockets
            .get_mut(&id)
            .and_then(|socket| socket.joins.get_mut(session))
        {
            let deadline = self.now + JOIN_TIMEOUT;
            self.deadlines.remove(&(join.deadline, id, session.clone()));
            self.deadlines.insert((deadline, id, session.clone()));
            join.deadline = deadline;
            join.phase = Phase::Replaying { from, entries };
            if self.reads.insert((room_id.clone(), next)) {
                self.actions.push_back(Action::Read {
                    room: room_id.clone(),
                    after: next,
                });
            }
        }
    }

    pub(super) fn replay_slice(&mut self, id: &RoomId, after: Position, slice: Option<LogSlice>) {
        self.reads.remove(&(id.clone(), after));
        let (RoomId::Session(session), Some(room)) = (id, self.rooms.get(id)) else {
            return;
        };
        for socket in room.waiting.keys().copied().collect::<Vec<_>>() {
            let Some(join) = self
                .sockets
                .get_mut(&socket)
                .and_then(|socket| socket.joins.get_mut(session))
            else {
                continue;
            };
            let Phase::Replaying { from, entries } = &mut join.phase else {
                continue;
            };
            if entries.last().map_or(*from, |entry| entry.position) != after {
                continue;
            }
            match &slice {
                None => self.deny(socket, session, JoinDenial::Unavailable),
                Some(slice) if slice.continues(after) => {
                    let (from, mut entries) = (*from, std::mem::take(entries));
                    entries.extend(slice.entries.iter().cloned());
                    self.replay(socket, id, session, from, entries);
                }
                Some(_) => self.complete(socket, id, session, None, Vec::new()),
            }
        }
    }

    /// Makes the socket a member: `session-joined`, answer, replay, and from here on what is live. `from` is
    /// where the replay begins; `None`: continuity could not be kept or was not asked for.
    fn complete(
        &mut self,
        id: SocketId,
        room_id: &RoomId,
        session: &SessionId,
        from: Option<Position>,
        replay: Vec<Arc<Entry>>,
    ) {
        let Some(snapshot) = self.rooms.get_mut(room_id).and_then(Room::session_json) else {
            return;
        };
        let (Some((state, at)), Some(socket)) = (self.session_state(room_id), self.sockets.get(&id)) else {
            return;
        };
        let Some(participant) = state.participant(&socket.user) else {
            return self.deny(id, session, JoinDenial::NotAParticipant);
        };
        let role = participant.role;
        let entries = from.and_then(|_| missed(replay, &socket.user, participant.added_at));
        let (from, replay) = (from.filter(|_| entries.is_some()), entries.unwrap_or_default());
        if self.purpose(id, session) == Some(Purpose::Checked) {
            return self.checked(id, session, from, replay);
        }
        let Some(join) = self.end_join(id, session) else {
            return;
        };
        let begin = from.unwrap_or(at);
        let position: Arc<str> = cursor::write([(session, &begin)]).into();
        // Before the answer: a page that has the answer has the cursor too, and can resume.
        self.moved(id, room_id, begin);
        self.send(id, browser_event::session_joined(session, role));
        for request in join.requests {
            let response = SocketResponse::Joined {
                session: session.clone(),
                role,
                position: position.clone(),
                recovered: from.is_some(),
                snapshot: snapshot.clone(),
            };
            self.actions.push_back(Action::Respond {
                socket: id,
                request,
                response,
            });
        }
        if let (Some(socket), false) = (self.sockets.get(&id), replay.is_empty()) {
            let positions = self.positions(id, socket);
            let positions = positions.map(|(session, position)| (session.clone(), *position));
            let replay = Replay::new(session.clone(), replay, positions.collect());
            self.actions.push_back(Action::Replay { socket: id, replay });
        }
        self.moved(id, room_id, at);
        if join.purpose == Purpose::Resumed && from.is_none() {
            // What was there when it was checked is gone since.
            self.send_reset(id, room_id, session);
        }
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.waiting.remove(&id);
            if !room.members.contains_key(&id) {
                let member = Member {
                    whole_after: begin,
                    alone: false,
                };
                room.members.insert(id, member);
            }
            self.note_alone(id);
        }
    }

    fn send_reset(&mut self, id: SocketId, room_id: &RoomId, session: &SessionId) {
        if let Some((state, at)) = self.session_state(room_id) {
            let reset = browser_event::session_reset(state, &cursor::write([(session, &at)]));
            self.send(id, reset);
        }
    }

    fn moved(&mut self, id: SocketId, room_id: &RoomId, position: Position) {
        // By the room's own copy of the id, so that all who are in it share one.
        let room = self.rooms.get_key_value(room_id);
        if let (Some((RoomId::Session(session), _)), Some(socket)) = (room, self.sockets.get_mut(&id)) {
            socket.sessions.insert(session.clone(), position);
        }
    }
}

impl Room {
    /// The entries after a position, where the window reaches back that far.
    fn window_after(&self, after: Position) -> Option<Vec<Arc<Entry>>> {
        let at = self.feed.position()?;
        if !at.has_reached(after) {
            return None;
        }
        let missing = usize::try_from(at.offset.0 - after.offset.0).unwrap_or(usize::MAX);
        let recent = self.recent.as_ref()?;
        let first = recent.window.len().checked_sub(missing)?;
        // The entry at the position is looked at too: another one may have stood there.
        let before = first.checked_sub(1).and_then(|n| recent.window.get(n));
        let mark = before.map_or(recent.window_after, |entry| entry.position).mark;
        let same = mark.agrees(after.mark);
        same.then(|| recent.window.iter().skip(first).cloned().collect())
    }

    fn session_json(&mut self) -> Option<Arc<str>> {
        match (&self.state, &mut self.recent) {
            (Some(RoomState::Session(session)), Some(recent)) => Some(
                recent
                    .json
                    .get_or_insert_with(|| browser_event::session_json(session).into())
                    .clone(),
            ),
            (Some(RoomState::Session(_) | RoomState::User { .. }) | None, _) => None,
        }
    }
}
