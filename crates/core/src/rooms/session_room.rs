//! Session rooms: the fan-out of their entries, removals, resets, and their end.

use std::sync::Arc;

use super::{Action, JoinDenial, Member, Rooms, SocketId};
use crate::{
    browser_event::{self, BrowserEvent},
    cursor,
    event::Entry,
    ids::SessionId,
    position::Position,
    room::RoomId,
    session::Session,
    snapshot::RoomState,
};

impl Rooms {
    pub(super) fn deliver_to_session(&mut self, id: &RoomId, session: &SessionId, entry: &Entry) {
        for user in entry.event.removed() {
            let Some(room) = self.rooms.get(id) else { return };
            // Every socket is in its user's room too, or waits for it; those are fewer.
            let Some(own) = self.rooms.get(&RoomId::User(user.clone())) else {
                continue;
            };
            let sockets = own.members.keys().chain(own.waiting.keys()).copied();
            let out: Vec<_> = sockets
                .filter(|socket| room.members.contains_key(socket))
                .collect();
            for socket in out {
                self.revoke(socket, session, "removed");
            }
        }
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.told = entry.position;
        if let Some(event) = browser_event::session_event(session, &entry.event) {
            self.fan_out(id, session, Arc::new(event));
        }
    }

    /// Delivers an event to every member, each with its cursor. Those that are in this room alone have the same one.
    fn fan_out(&mut self, id: &RoomId, session: &SessionId, event: Arc<BrowserEvent>) {
        let Some(room) = self.rooms.get(id) else { return };
        let mut alone = Vec::with_capacity(room.members.len());
        for (member, Member { alone: is_alone, .. }) in room.members.iter() {
            if *is_alone {
                alone.push(*member);
            } else if let Some(socket) = self.sockets.get(member) {
                let (event, cursor) = (event.clone(), self.cursor_of(*member, socket));
                self.actions.push_back(Action::Deliver {
                    sockets: vec![*member],
                    event,
                    cursor,
                });
            }
        }
        if !alone.is_empty() {
            self.actions.push_back(Action::Deliver {
                sockets: alone,
                event,
                cursor: cursor::write([(session, &room.told)]).into(),
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
        let event = browser_event::session_reset(state, &text);
        let is_out = |socket: &SocketId| {
            let socket = self.sockets.get(socket);
            socket.is_some_and(|socket| state.participant(&socket.user).is_none())
        };
        let out: Vec<_> = room.members.keys().copied().filter(is_out).collect();
        for socket in out {
            self.revoke(socket, session, JoinDenial::NotAParticipant.code());
        }
        if let Some(room) = self.rooms.get_mut(id) {
            for (_, member) in room.members.iter_mut() {
                member.whole_after = position;
            }
        }
        self.fan_out(id, session, Arc::new(event));
    }

    /// The session is no more.
    pub(super) fn gone(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get(id) else { return };
        let RoomId::Session(session) = id else { return };
        let (members, waiting) = (room.members.keys().copied(), room.waiting.keys().copied());
        let (members, waiting): (Vec<_>, Vec<_>) = (members.collect(), waiting.collect());
        for socket in waiting {
            self.deny(socket, session, JoinDenial::SessionNotFound);
        }
        for socket in members {
            self.revoke(socket, session, JoinDenial::SessionNotFound.code());
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
