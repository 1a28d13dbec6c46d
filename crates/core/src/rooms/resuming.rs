//! Resumes on CONNECT, for stock clients: either all rooms of a cursor are continued, or the page starts with a new
//! connection without a cursor.
//!
//! Each room is authorized again. A room of which the user is no longer a participant does not prevent the resume: it is
//! revoked.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Action, JoinDenial, ResumeOutcome, Rooms, SocketId, SocketRequestId,
    joins::{Join, Phase, Purpose},
};
use crate::{ids::SessionId, log::Entry, position::Position, room::RoomId};

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
            self.start_join(
                id,
                session,
                Some(after),
                request,
                Purpose::ResumeCheck,
                Vec::new(),
            );
        }
        self.decide(id);
    }

    /// A room was checked: it can be continued with `entries` after `from`. `None`: it cannot be continued.
    pub(super) fn resume_check_passed(
        &mut self,
        id: SocketId,
        session: &SessionId,
        from: Option<Position>,
        entries: Vec<Arc<Entry>>,
    ) {
        let Some(from) = from else {
            return self.abandon_resume(id, ResumeOutcome::Fresh);
        };
        if let Some(join) = self.join_mut(id, session) {
            join.phase = Phase::Ready { from, entries };
            self.decide(id);
        }
    }

    /// A room was checked, and its join was denied.
    pub(super) fn resume_check_denied(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        self.remove_from_room(id, &RoomId::Session(session.clone()));
        if !denial.is_final() {
            return self.abandon_resume(id, ResumeOutcome::Unavailable);
        }
        let socket = self.sockets.get_mut(&id);
        if let Some(resuming) = socket.and_then(|socket| socket.resuming.as_mut()) {
            resuming.denied.push((session.clone(), denial));
        }
        self.decide(id);
    }

    /// A join was denied after the resume was promised to the page.
    pub(super) fn resume_promise_denied(&mut self, id: SocketId, session: &SessionId, denial: JoinDenial) {
        self.remove_from_room(id, &RoomId::Session(session.clone()));
        if denial.is_final() {
            self.revoke(id, session, denial.code().as_str());
        } else {
            self.actions.push_back(Action::Close(id));
        }
    }

    /// When every room has been checked: promises the resume to the page and continues in all rooms.
    fn decide(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let is_undecided = |join: &Join| !matches!(join.phase, Phase::Ready { .. });
        if socket.resuming.is_none() || socket.joins.iter().any(|(_, join)| is_undecided(join)) {
            return;
        }
        let denied = socket.resuming.take().unwrap_or_default().denied;
        let mut ready = Vec::new();
        for (session, join) in socket.joins.iter_mut() {
            join.purpose = Purpose::ResumePromise;
            if let Phase::Ready { from, entries } = std::mem::replace(&mut join.phase, Phase::Authorizing) {
                // Every cursor contains the room from now on, so that the next resume includes it.
                socket.sessions.insert(session.clone(), from);
                ready.push((session.clone(), from, entries));
            }
        }
        self.resumed(id, ResumeOutcome::Continued);
        for (session, denial) in denied {
            self.revoke(id, &session, denial.code().as_str());
        }
        for (session, from, entries) in ready {
            self.replay(id, &RoomId::Session(session.clone()), &session, from, entries);
        }
    }

    fn abandon_resume(&mut self, id: SocketId, outcome: ResumeOutcome) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.resuming = None;
        let joins: Vec<_> = socket.joins.keys().cloned().collect();
        for session in joins {
            self.end_join(id, &session);
            self.remove_from_room(id, &RoomId::Session(session));
        }
        self.resumed(id, outcome);
    }

    fn resumed(&mut self, id: SocketId, outcome: ResumeOutcome) {
        self.actions.push_back(Action::Resumed { socket: id, outcome });
    }
}
