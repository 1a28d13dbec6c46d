//! Users' rooms: every socket of one user, and their pending feedback.

use super::{Action, Member, Rooms, Socket, SocketId};
use crate::{
    browser_event, event::Event, ids::UserId, log::Entry, position::Position, room::RoomId,
    small_map::SmallMap, snapshot::RoomState,
};

impl Rooms {
    pub(super) fn connected(&mut self, id: SocketId, user: UserId) {
        let room = RoomId::User(user.clone());
        self.sockets.insert(
            id,
            Socket {
                user,
                sessions: SmallMap::default(),
                joins: SmallMap::default(),
                resuming: None,
            },
        );
        self.room(&room).waiting.insert(id, ());
        self.settle(&room);
    }

    /// Makes the user's new sockets members, and sends each of them the reminders of pending feedback.
    pub(super) fn settle_user(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (Some(RoomState::User { pending_feedback }), Some(_)) = (&room.state, room.feed.position())
        else {
            return;
        };
        let reminders = pending_feedback.iter().map(browser_event::feedback_required);
        let reminders: Vec<_> = reminders.collect();
        let added = std::mem::take(&mut room.waiting);
        for id in added.keys() {
            let member = Member {
                complete_after: Position::NONE,
                is_only_room: false,
            };
            room.members.insert(*id, member);
        }
        for id in added.keys().copied() {
            self.actions.push_back(Action::UserRoomJoined(id));
            for event in &reminders {
                self.send(id, event.clone());
            }
        }
    }

    pub(super) fn deliver_to_user(&mut self, id: &RoomId, entry: &Entry) {
        let Some(room) = self.rooms.get(id) else { return };
        let members: Vec<_> = room.members.keys().copied().collect();
        match &entry.event {
            Event::FeedbackRequired { session } => {
                for socket in members {
                    self.send(socket, browser_event::feedback_required(session));
                }
            }
            Event::UserDisconnected { .. } => {
                self.actions.extend(members.into_iter().map(Action::Disconnect))
            }
            Event::FeedbackSettled { .. }
            | Event::SessionUpdated { .. }
            | Event::RoleSelected { .. }
            | Event::FeedbackUpdated { .. }
            | Event::ParticipantRemoved { .. } => {}
        }
    }

    /// Sends reminders of the pending feedback that the new state has and the state before did not have, because the
    /// entries that required it may be lost.
    pub(super) fn reset_user(&mut self, id: &RoomId, before: &RoomState) {
        let Some(room) = self.rooms.get(id) else { return };
        let (
            Some(RoomState::User { pending_feedback }),
            RoomState::User {
                pending_feedback: earlier,
            },
        ) = (&room.state, before)
        else {
            return;
        };
        let reminders = pending_feedback.difference(earlier);
        let reminders: Vec<_> = reminders.map(browser_event::feedback_required).collect();
        let members: Vec<_> = room.members.keys().copied().collect();
        for socket in members {
            for event in &reminders {
                self.send(socket, event.clone());
            }
        }
    }
}
