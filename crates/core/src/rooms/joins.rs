//! Joins, from the request to membership.
//!
//! A join passes through these phases: authorizing; awaiting, until the room's feed has reached the position of the
//! admission; replaying, only with `after` and only if the room's window does not reach back far enough; member. The
//! room's own state at its position decides whether the user is a participant, so a removal that the feed has passed
//! denies the join, even if the admission arrives late.
//!
//! A resume on CONNECT (`resuming.rs`) is a join of each room of the cursor. A join that could be completed waits
//! until the joins of all rooms could be completed, or one of them fails.

use std::sync::Arc;

use super::{Action, JoinDenial, Rooms, SocketId, SocketRequestId, SocketResponse};
use crate::{
    Millis,
    ids::SessionId,
    limits::JOIN_TIMEOUT,
    log::{Entry, LogSlice},
    position::Position,
    room::RoomId,
};

/// A join in progress.
#[derive(Debug)]
pub(super) struct Join {
    /// The requests that get a response when the join ends.
    pub(super) requests: Vec<SocketRequestId>,
    /// The request whose authorization counts: the latest.
    authorization: SocketRequestId,
    /// The last position that the page has.
    after: Option<Position>,
    deadline: Millis,
    pub(super) purpose: Purpose,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The page requested the join.
    Request,
    /// A resume checks whether the room can be continued. The socket has not received its CONNECT.
    ResumeCheck,
    /// The resume was promised to the page, and the socket must receive the events that it missed.
    ResumePromise,
}

#[derive(Debug)]
pub(super) enum Phase {
    Authorizing,
    /// The feed must reach the position of the admission.
    Awaiting {
        position: Position,
    },
    /// A read is in progress. `entries` are those after `from` that were read before.
    Replaying {
        from: Position,
        entries: Vec<Arc<Entry>>,
    },
    /// The resume check succeeded. `entries` are those after `from`.
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
        let is_counted = socket.sessions.contains_key(&session) || socket.joins.contains_key(&session);
        if !is_counted && socket.sessions.len() + socket.joins.len() >= self.sessions_per_socket {
            let response = SocketResponse::Denied(session, JoinDenial::TooManySessions);
            return self.respond(id, request, response);
        }
        // An admission must be newer than the latest request, so a join in progress starts again.
        let promised = socket.sessions.get(&session).copied();
        let (mut requests, purpose, after) = match self.end_join(id, &session) {
            // The socket must still receive what the resume promised.
            Some(join) if join.purpose == Purpose::ResumePromise => (join.requests, join.purpose, promised),
            Some(join) => (join.requests, Purpose::Request, after),
            None => (Vec::new(), Purpose::Request, after),
        };
        requests.push(request);
        self.start_join(id, session, after, request, purpose, requests);
    }

    /// Requests the authorization of a join.
    pub(super) fn start_join(
        &mut self,
        id: SocketId,
        session: SessionId,
        after: Option<Position>,
        authorization: SocketRequestId,
        purpose: Purpose,
        requests: Vec<SocketRequestId>,
    ) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let deadline = self.now + JOIN_TIMEOUT;
        let join = Join {
            requests,
            authorization,
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
            request: authorization,
        });
    }

    pub(super) fn leave(&mut self, id: SocketId, session: SessionId, request: SocketRequestId) {
        self.deny(id, &session, JoinDenial::LeftMeanwhile);
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.sessions.remove(&session);
            self.update_only_room(id);
            self.remove_from_room(id, &RoomId::Session(session.clone()));
            self.respond(id, request, SocketResponse::Left(session));
        }
    }

    pub(super) fn authorized(
        &mut self,
        id: SocketId,
        session: SessionId,
        request: SocketRequestId,
        result: Result<Position, JoinDenial>,
    ) {
        let Some(join) = self.join_mut(id, &session) else {
            return;
        };
        if join.authorization != request {
            return; // the result of an earlier request
        }
        match result {
            Ok(position) => {
                join.phase = Phase::Awaiting { position };
                let room = RoomId::Session(session);
                self.room(&room).waiting.insert(id, ());
                self.settle(&room);
            }
            Err(denial) => self.deny(id, &session, denial),
        }
    }

    /// Ends a join with a denial, if there is one in progress.
    pub(super) fn deny(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        let Some(join) = self.end_join(id, session) else {
            return;
        };
        if join.purpose == Purpose::ResumeCheck {
            return self.resume_check_denied(id, session, denial);
        }
        for request in join.requests {
            let response = SocketResponse::Denied(session.clone(), denial);
            self.respond(id, request, response);
        }
        if join.purpose == Purpose::ResumePromise {
            return self.resume_promise_denied(id, session, denial);
        }
        let is_member = self
            .sockets
            .get(&id)
            .is_some_and(|socket| socket.sessions.contains_key(session));
        let room = RoomId::Session(session.clone());
        if is_member {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.waiting.remove(&id);
            }
        } else {
            self.remove_from_room(id, &room);
        }
    }

    pub(super) fn end_join(&mut self, id: SocketId, session: &SessionId) -> Option<Join> {
        let join = self.sockets.get_mut(&id)?.joins.remove(session)?;
        self.deadlines.remove(&(join.deadline, id, session.clone()));
        Some(join)
    }

    /// Continues with every join whose position the room has reached.
    pub(super) fn settle_joins(&mut self, id: &RoomId, session: &SessionId) {
        let Some((_, at)) = self.session_state(id) else {
            return;
        };
        let Some(room) = self.rooms.get(id) else { return };
        let is_ready = |socket: &SocketId| {
            let join = self
                .sockets
                .get(socket)
                .and_then(|socket| socket.joins.get(session));
            match join.map(|join| &join.phase) {
                Some(Phase::Awaiting { position }) => at.has_reached(*position),
                Some(Phase::Authorizing | Phase::Replaying { .. } | Phase::Ready { .. }) | None => false,
            }
        };
        let ready: Vec<_> = room.waiting.keys().copied().filter(is_ready).collect();
        for socket in ready {
            self.admit(socket, id, session);
        }
    }

    /// Continues with a join whose position the room has reached. The room's state decides whether it is denied.
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
        // A member that joins again needs no replay, because it receives live events.
        if let Some(member) = room.members.get(&id) {
            let recovered = after.is_some_and(|after| after.has_reached(member.complete_after));
            return self.complete(id, room_id, session, recovered.then_some(at), Vec::new());
        }
        match after {
            None => self.complete(id, room_id, session, None, Vec::new()),
            Some(from) => self.replay(id, room_id, session, from, Vec::new()),
        }
    }

    /// Completes a join if the window has the rest of its replay, and reads the log otherwise. `entries` are those after
    /// `from` that were read before.
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
        let deadline = self.now + JOIN_TIMEOUT;
        if let Some(join) = self.join_mut(id, session) {
            join.phase = Phase::Replaying { from, entries };
            let before = std::mem::replace(&mut join.deadline, deadline);
            self.deadlines.remove(&(before, id, session.clone()));
            self.deadlines.insert((deadline, id, session.clone()));
            if self.reads.insert((room_id.clone(), next)) {
                self.actions.push_back(Action::Read {
                    room: room_id.clone(),
                    after: next,
                });
            }
        }
    }

    /// Continues with every join that waits for this read.
    pub(super) fn replay_read(&mut self, id: &RoomId, after: Position, slice: Option<LogSlice>) {
        self.reads.remove(&(id.clone(), after));
        let (RoomId::Session(session), Some(room)) = (id, self.rooms.get(id)) else {
            return;
        };
        for socket in room.waiting.keys().copied().collect::<Vec<_>>() {
            let Some(Join {
                phase: Phase::Replaying { from, entries },
                ..
            }) = self.join_mut(socket, session)
            else {
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

    pub(super) fn respond(&mut self, socket: SocketId, request: SocketRequestId, response: SocketResponse) {
        self.actions.push_back(Action::Respond {
            socket,
            request,
            response,
        });
    }

    pub(super) fn join_mut(&mut self, id: SocketId, session: &SessionId) -> Option<&mut Join> {
        self.sockets.get_mut(&id)?.joins.get_mut(session)
    }
}
