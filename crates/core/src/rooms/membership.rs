//! The step that completes a join and makes the socket a member of the session's room.
//!
//! It queues `session-joined`, the response and the replay before the socket becomes a member, so that live events follow
//! the replay (I5).

use std::sync::Arc;

use super::{
    Action, JoinDenial, Rooms, SocketId, SocketRequestId, SocketResponse, joins::Purpose, local_room::Member,
};
use crate::{
    browser_event, cursor,
    ids::SessionId,
    log::Entry,
    position::Position,
    replay::{Replay, missed},
    role::Role,
    room::RoomId,
};

impl Rooms {
    /// Completes a join: `session-joined`, the response, the replay, and from then on live events. The replay starts after
    /// `from`; `None`: continuity was lost or not requested.
    pub(super) fn complete(
        &mut self,
        id: SocketId,
        room_id: &RoomId,
        session: &SessionId,
        from: Option<Position>,
        replay: Vec<Arc<Entry>>,
    ) {
        let (Some((state, at)), Some(socket)) = (self.session_state(room_id), self.sockets.get(&id)) else {
            return;
        };
        let Some(participant) = state.participant(&socket.user) else {
            return self.deny(id, session, JoinDenial::NotAParticipant);
        };
        let role = participant.role;
        let entries = from.and_then(|_| missed(replay, &socket.user, participant.added_at));
        let (from, replay) = (from.filter(|_| entries.is_some()), entries.unwrap_or_default());
        if socket.joins.get(session).map(|join| join.purpose) == Some(Purpose::ResumeCheck) {
            return self.resume_check_passed(id, session, from, replay);
        }
        let Some(join) = self.end_join(id, session) else {
            return;
        };
        let start = from.unwrap_or(at);
        // session-joined is sent before the response, so that a page with the response also has a cursor to resume from.
        self.set_position(id, room_id, start);
        self.send(id, browser_event::session_joined(session, role));
        self.respond_joined(id, room_id, session, join.requests, role, start, from.is_some());
        if !replay.is_empty() {
            self.queue_replay(id, session, replay);
        }
        self.set_position(id, room_id, at);
        if join.purpose == Purpose::ResumePromise && from.is_none() {
            // Entries that the resume check found are no longer in the log.
            self.send_reset(id, room_id, session);
        }
        self.add_member(id, room_id, start);
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one response")]
    fn respond_joined(
        &mut self,
        id: SocketId,
        room_id: &RoomId,
        session: &SessionId,
        requests: Vec<SocketRequestId>,
        role: Role,
        start: Position,
        recovered: bool,
    ) {
        let Some(snapshot) = self.rooms.get_mut(room_id).and_then(|room| room.session_json()) else {
            return;
        };
        let position: Arc<str> = cursor::write([(session, &start)]).into();
        for request in requests {
            let response = SocketResponse::Joined {
                session: session.clone(),
                role,
                position: position.clone(),
                recovered,
                snapshot: snapshot.clone(),
            };
            self.respond(id, request, response);
        }
    }

    fn queue_replay(&mut self, id: SocketId, session: &SessionId, entries: Vec<Arc<Entry>>) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let positions = self.positions(id, socket);
        let positions = positions.map(|(session, position)| (session.clone(), *position));
        let replay = Replay::new(session.clone(), entries, positions.collect());
        self.actions.push_back(Action::Replay { socket: id, replay });
    }

    fn add_member(&mut self, id: SocketId, room_id: &RoomId, complete_after: Position) {
        if let Some(room) = self.rooms.get_mut(room_id) {
            room.waiting.remove(&id);
            if !room.members.contains_key(&id) {
                let member = Member {
                    complete_after,
                    is_only_room: false,
                };
                room.members.insert(id, member);
            }
            self.update_only_room(id);
        }
    }

    fn send_reset(&mut self, id: SocketId, room_id: &RoomId, session: &SessionId) {
        if let Some((state, at)) = self.session_state(room_id) {
            let reset = browser_event::session_reset(state, &cursor::write([(session, &at)]));
            self.send(id, reset);
        }
    }

    /// Sets the socket's own position in a session.
    fn set_position(&mut self, id: SocketId, room_id: &RoomId, position: Position) {
        // With the room's own copy of the id, so that all of its sockets share one allocation.
        let room = self.rooms.get_key_value(room_id);
        if let (Some((RoomId::Session(session), _)), Some(socket)) = (room, self.sockets.get_mut(&id)) {
            socket.sessions.insert(session.clone(), position);
        }
    }
}
