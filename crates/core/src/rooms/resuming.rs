//! Resumes on CONNECT, for stock clients: all rooms of a cursor are continued, or the page is told to begin anew.
//!
//! Each room is authorised anew. A room that the user takes no part in any more is no obstacle: it is revoked.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Action, JoinDenial, ResumeOutcome, Rooms, SocketId, SocketRequestId,
    joins::{Join, Phase, Purpose},
};
use crate::{event::Entry, ids::SessionId, position::Position, room::RoomId};

impl Rooms {
    pub(super) fn resume(
        &mut self,
        id: SocketId,
        positions: BTreeMap<SessionId, Position>,
        request: SocketRequestId,
    ) {
        let limit = self.sessions_per_socket;
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if positions.len() > limit {
            return self.resumed(id, ResumeOutcome::Fresh);
        }
        socket.resuming = Some(Box::default());
        for (session, after) in positions {
            self.begin_join(id, session, Some(after), request, Purpose::Checked, Vec::new());
        }
        self.decide(id);
    }

    /// A room was checked: it can be continued from a position, with what was missed, or not at all.
    pub(super) fn checked(
        &mut self,
        id: SocketId,
        session: &SessionId,
        from: Option<Position>,
        entries: Vec<Arc<Entry>>,
    ) {
        let Some(from) = from else {
            return self.give_up(id, ResumeOutcome::Fresh);
        };
        let socket = self.sockets.get_mut(&id);
        if let Some(join) = socket.and_then(|socket| socket.joins.get_mut(session)) {
            join.phase = Phase::Ready { from, entries };
            self.decide(id);
        }
    }

    /// A room that was checked is refused.
    pub(super) fn not_checked(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        self.part(id, &RoomId::Session(session.clone()));
        if !denial.is_denial() {
            return self.give_up(id, ResumeOutcome::Unavailable);
        }
        let socket = self.sockets.get_mut(&id);
        if let Some(resuming) = socket.and_then(|socket| socket.resuming.as_mut()) {
            resuming.denied.push((session.clone(), denial));
        }
        self.decide(id);
    }

    /// A room is refused after the page was told that nothing was missed.
    pub(super) fn not_resumed(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        self.part(id, &RoomId::Session(session.clone()));
        if denial.is_denial() {
            self.revoke(id, session, denial.code());
        } else {
            self.actions.push_back(Action::Close(id));
        }
    }

    /// Once every room was checked: goes on in all of them.
    fn decide(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let undecided = |join: &Join| !matches!(join.phase, Phase::Ready { .. });
        if socket.resuming.is_none() || socket.joins.iter().any(|(_, join)| undecided(join)) {
            return;
        }
        let denied = socket.resuming.take().unwrap_or_default().denied;
        let mut ready = Vec::new();
        for (session, join) in socket.joins.iter_mut() {
            join.purpose = Purpose::Resumed;
            if let Phase::Ready { from, entries } = std::mem::replace(&mut join.phase, Phase::Authorizing) {
                // In every cursor from the first one on, so that the next resume knows of it.
                socket.sessions.insert(session.clone(), from);
                ready.push((session.clone(), from, entries));
            }
        }
        self.resumed(id, ResumeOutcome::Continued);
        for (session, denial) in denied {
            self.revoke(id, &session, denial.code());
        }
        for (session, from, entries) in ready {
            self.replay(id, &RoomId::Session(session.clone()), &session, from, entries);
        }
    }

    fn give_up(&mut self, id: SocketId, outcome: ResumeOutcome) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.resuming = None;
        let joins: Vec<_> = socket.joins.keys().cloned().collect();
        for session in joins {
            self.end_join(id, &session);
            self.part(id, &RoomId::Session(session));
        }
        self.resumed(id, outcome);
    }

    fn resumed(&mut self, id: SocketId, outcome: ResumeOutcome) {
        self.actions.push_back(Action::Resumed { socket: id, outcome });
    }
}
