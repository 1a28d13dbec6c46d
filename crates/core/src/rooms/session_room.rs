//! Session rooms: the fan-out of their entries, removals, resets, and their end.

use std::sync::Arc;

use super::{Action, Refusal, Rooms, SocketId};
use crate::{
    cursor, event::Entry, ids::SessionId, payload, position::Position, room::RoomId, session::Session,
    snapshot::RoomState,
};

impl Rooms {
    pub(super) fn deliver_to_session(&mut self, id: &RoomId, session: &SessionId, entry: &Entry) {
        for user in entry.body.removed() {
            let Some(room) = self.rooms.get(id) else { return };
            let out: Vec<_> = room
                .members
                .iter()
                .filter(|(_, member)| member.user == *user)
                .map(|(socket, _)| *socket)
                .collect();
            for socket in out {
                self.revoke(socket, session, "removed");
            }
        }
        let Some(room) = self.rooms.get(id) else { return };
        let event = payload::session_event(session, &entry.body).map(Arc::new);
        let position = entry.position;
        let alone: Arc<str> = cursor::write([(session, &position)]).into();
        for member in room.members.keys() {
            let Some(socket) = self.sockets.get_mut(member) else {
                continue;
            };
            socket.sessions.insert(session.clone(), position);
            let Some(event) = &event else { continue };
            let cursor = if socket.sessions.len() == 1 {
                alone.clone()
            } else {
                socket.cursor()
            };
            self.actions.push_back(Action::Deliver {
                socket: *member,
                event: event.clone(),
                cursor,
            });
        }
    }

    /// Hands the session as it stands to those who still take part, and puts the others out.
    pub(super) fn reset_session(&mut self, id: &RoomId, session: &SessionId, position: Position) {
        let Some(room) = self.rooms.get(id) else { return };
        let Some(RoomState::Session(state)) = &room.state else {
            return;
        };
        let text = cursor::write([(session, &position)]);
        let event = payload::session_reset(state, &text);
        let (stay, out): (Vec<_>, Vec<_>) = room
            .members
            .iter()
            .partition(|(_, member)| state.participant(&member.user).is_some());
        let ids =
            |members: Vec<(&SocketId, _)>| members.into_iter().map(|(socket, _)| *socket).collect::<Vec<_>>();
        let (stay, out) = (ids(stay), ids(out));
        for socket in out {
            self.revoke(socket, session, Refusal::NotAParticipant.code());
        }
        if let Some(room) = self.rooms.get_mut(id) {
            room.members
                .values_mut()
                .for_each(|member| member.whole_after = position);
        }
        for member in stay {
            if let Some(socket) = self.sockets.get_mut(&member) {
                socket.sessions.insert(session.clone(), position);
                self.send(member, event.clone());
            }
        }
    }

    /// The session is no more.
    pub(super) fn gone(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get(id) else { return };
        let RoomId::Session(session) = id else { return };
        let (members, waiting) = (room.members.keys().copied(), room.waiting.iter().copied());
        let (members, waiting): (Vec<_>, Vec<_>) = (members.collect(), waiting.collect());
        for socket in waiting {
            self.refuse(socket, session, Refusal::SessionNotFound);
        }
        for socket in members {
            self.revoke(socket, session, Refusal::SessionNotFound.code());
        }
    }

    pub(super) fn session_state(&self, id: &RoomId) -> Option<(&Session, Position)> {
        let room = self.rooms.get(id)?;
        match &room.state {
            Some(RoomState::Session(session)) => Some((session, room.feed.position()?)),
            Some(RoomState::User { .. }) | None => None,
        }
    }
}
