//! Sessions' rooms: the fan-out of their entries, removals, resets, and their end.

use std::sync::Arc;

use super::{Action, JoinDenial, Member, Rooms, SocketId};
use crate::{
    browser_event::{self, BrowserEvent},
    cursor,
    error_code::ErrorCode,
    ids::SessionId,
    log::Entry,
    position::Position,
    room::RoomId,
    session::Session,
    snapshot::RoomState,
};

impl Rooms {
    pub(super) fn deliver_to_session(&mut self, id: &RoomId, session: &SessionId, entry: &Entry) {
        for user in entry.event.removed() {
            let Some(room) = self.rooms.get(id) else { return };
            // Search the user's own room for their sockets, because it has fewer than the session's.
            let Some(user_room) = self.rooms.get(&RoomId::User(user.clone())) else {
                continue;
            };
            let sockets = user_room.members.keys().chain(user_room.waiting.keys()).copied();
            let removed: Vec<_> = sockets
                .filter(|socket| room.members.contains_key(socket))
                .collect();
            for socket in removed {
                self.revoke(socket, session, ErrorCode::Removed);
            }
        }
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.delivered = entry.position;
        if let Some(event) = browser_event::session_event(session, &entry.event) {
            self.fan_out(id, session, Arc::new(event));
        }
    }

    /// Delivers an event to every member, each with its cursor. Members whose only room this is share one cursor and one
    /// delivery.
    fn fan_out(&mut self, id: &RoomId, session: &SessionId, event: Arc<BrowserEvent>) {
        let Some(room) = self.rooms.get(id) else { return };
        let mut sharing = Vec::with_capacity(room.members.len());
        for (member, Member { is_only_room, .. }) in room.members.iter() {
            if *is_only_room {
                sharing.push(*member);
            } else if let Some(socket) = self.sockets.get(member) {
                let (event, cursor) = (event.clone(), self.cursor_of(*member, socket));
                self.actions.push_back(Action::Deliver {
                    sockets: vec![*member],
                    event,
                    cursor,
                });
            }
        }
        if !sharing.is_empty() {
            self.actions.push_back(Action::Deliver {
                sockets: sharing,
                event,
                cursor: cursor::write([(session, &room.delivered)]).into(),
            });
        }
    }

    /// Sends `session-reset` to the members that are still participants, and revokes the others.
    pub(super) fn reset_session(&mut self, id: &RoomId, session: &SessionId, position: Position) {
        let Some(room) = self.rooms.get(id) else { return };
        let Some(RoomState::Session(state)) = &room.state else {
            return;
        };
        let text = cursor::write([(session, &position)]);
        let event = browser_event::session_reset(state, &text);
        let is_removed = |socket: &SocketId| {
            let socket = self.sockets.get(socket);
            socket.is_some_and(|socket| state.participant(&socket.user).is_none())
        };
        let removed: Vec<_> = room.members.keys().copied().filter(is_removed).collect();
        for socket in removed {
            self.revoke(socket, session, JoinDenial::NotAParticipant.code());
        }
        if let Some(room) = self.rooms.get_mut(id) {
            for (_, member) in room.members.iter_mut() {
                member.complete_after = position;
            }
        }
        self.fan_out(id, session, Arc::new(event));
    }

    /// Denies the joins of a session that does not exist, and revokes its members.
    pub(super) fn session_not_found(&mut self, id: &RoomId) {
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

    /// The session and its position; `None` before the room's first snapshot.
    pub(super) fn session_state(&self, id: &RoomId) -> Option<(&Session, Position)> {
        let room = self.rooms.get(id)?;
        match &room.state {
            Some(RoomState::Session(session)) => Some((session, room.feed.position()?)),
            Some(RoomState::User { .. }) | None => None,
        }
    }
}
