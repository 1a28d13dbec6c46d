//! Pages with stock clients: they join sessions, lose their connection, and reconnect with their cursor.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomcast_core::{
    Millis, Position, RoomId, SessionId, UserId,
    browser_event::BrowserEvent,
    rooms::{SocketId, SocketRequestId, SocketResponse},
};

use crate::{
    oracle::{Checked, Track, positions},
    step::Step,
    world::{Incarnation, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageId(pub(crate) usize);

/// The id of one connection of a page, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// A message from an edge to a page.
#[derive(Debug)]
pub(crate) enum PageMessage {
    Connect {
        recovered: bool,
    },
    Event(Arc<BrowserEvent>, Arc<str>),
    /// An event of a replay. A page cannot distinguish it from a live event, but the oracle must.
    ReplayedEvent(Arc<BrowserEvent>, Arc<str>),
    Response(SocketRequestId, SocketResponse),
}

/// A request from a page to its edge.
#[derive(Debug, Clone)]
pub(crate) enum PageRequest {
    /// A join request, with the position that the page presents, if any.
    Join(SessionId, Option<Position>, SocketRequestId),
    Leave(SessionId, SocketRequestId),
}

/// A request without a response.
pub(crate) struct PendingRequest {
    pub(crate) session: SessionId,
    /// What the page has of the session, if it presented its position.
    pub(crate) after: Option<Track>,
    /// Whether the page was in the room when it sent the request.
    pub(crate) was_in_room: bool,
    pub(crate) sent_at: Millis,
}

pub(crate) struct Page {
    pub(crate) user: UserId,
    /// The sessions that the page wants to be in.
    pub(crate) wanted: BTreeSet<SessionId>,
    /// Whether the page's joins present its position.
    presents_position: bool,
    /// Whether the page also joins the sessions in which it was recovered.
    pub(crate) always_joins: bool,
    /// Whether the page reads nothing from its connection.
    pub(crate) is_stalled: bool,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) socket: Option<(Incarnation, SocketId)>,
    pub(crate) is_connected: bool,
    /// When the latest message arrives at the page. The next one does not arrive earlier.
    pub(crate) messages_until: Millis,
    /// When the latest request arrives at the edge. The next one does not arrive earlier.
    requests_until: Millis,
    /// What the page has of each session that it is in.
    pub(crate) tracks: BTreeMap<SessionId, Track>,
    /// The tracks at the end of the last connection.
    pub(crate) earlier_tracks: BTreeMap<SessionId, Track>,
    /// The cursor of the last event. A stock client keeps it for all later connections.
    pub(crate) cursor: Option<Arc<str>>,
    /// Whether the page has the `pid` without which a stock client presents no cursor.
    pub(crate) has_pid: bool,
    /// What the page had of each session when it last received its position.
    pub(crate) last: BTreeMap<SessionId, Track>,
    pub(crate) pending_requests: BTreeMap<SocketRequestId, PendingRequest>,
    /// How often each log had lost entries when the connection began.
    pub(crate) losses: BTreeMap<RoomId, u64>,
    /// The sessions whose next event must be a reset, because the page joined with a gap.
    pub(crate) expected_resets: BTreeSet<SessionId>,
    /// The sessions for which the page was reminded of pending feedback.
    pub(crate) reminders: BTreeSet<SessionId>,
}

impl Page {
    pub(crate) fn new(
        user: UserId,
        wanted: BTreeSet<SessionId>,
        presents_position: bool,
        always_joins: bool,
    ) -> Self {
        Self {
            user,
            wanted,
            presents_position,
            always_joins,
            is_stalled: false,
            connection: None,
            socket: None,
            is_connected: false,
            messages_until: 0,
            requests_until: 0,
            tracks: BTreeMap::new(),
            earlier_tracks: BTreeMap::new(),
            cursor: None,
            has_pid: false,
            last: BTreeMap::new(),
            pending_requests: BTreeMap::new(),
            losses: BTreeMap::new(),
            expected_resets: BTreeSet::new(),
            reminders: BTreeSet::new(),
        }
    }

    /// The positions of the cursor that a stock client presents when it connects.
    pub(crate) fn resume_positions(&self) -> Checked<Option<BTreeMap<SessionId, Position>>> {
        match &self.cursor {
            Some(cursor) if self.has_pid => positions(cursor).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Loads the page again: it forgets everything but its user.
    pub(crate) fn reload(&mut self) {
        self.cursor = None;
        self.has_pid = false;
        self.last.clear();
        self.earlier_tracks.clear();
    }
}

impl World {
    /// The page's connection is closed. The page connects again soon.
    pub(crate) fn connection_lost(&mut self, id: PageId, connection: ConnectionId) {
        if self.pages[id.0].connection != Some(connection) {
            return;
        }
        let next = ConnectionId(self.unique_id());
        let page = &mut self.pages[id.0];
        page.earlier_tracks.append(&mut page.tracks);
        page.connection = Some(next);
        page.socket = None;
        page.is_connected = false;
        page.pending_requests.clear();
        page.expected_resets.clear();
        page.reminders.clear();
        let delay = self.rng.between(20, 1_500);
        self.after(delay, Step::Connect(id, next));
    }

    /// The page closes its connection. The edge notices soon, or much later.
    pub(crate) fn hang_up(&mut self, id: PageId) {
        let page = &self.pages[id.0];
        if let (Some(connection), Some((edge, socket))) = (page.connection, page.socket) {
            let delay = if self.rng.percent(20) {
                8_000
            } else {
                self.rng.between(0, 50)
            };
            self.after(delay, Step::SocketDisconnected(edge, socket));
            self.connection_lost(id, connection);
        }
    }

    pub(crate) fn request_join(&mut self, id: PageId, session: &SessionId) {
        let was_in_room = self.pages[id.0].tracks.contains_key(session);
        // A page that has no position may present that of another page.
        let from = if self.pages[id.0].last.contains_key(session) {
            id.0
        } else {
            self.rng.below(self.pages.len())
        };
        let after = self.pages[from].last.get(session).cloned();
        let after = after.filter(|_| self.pages[id.0].presents_position);
        let position = after.as_ref().map(|after| after.position);
        self.send_request(id, session, after, was_in_room, |request| {
            PageRequest::Join(session.clone(), position, request)
        });
    }

    pub(crate) fn request_leave(&mut self, id: PageId, session: &SessionId) {
        self.send_request(id, session, None, true, |request| {
            PageRequest::Leave(session.clone(), request)
        });
    }

    fn send_request(
        &mut self,
        id: PageId,
        session: &SessionId,
        mut after: Option<Track>,
        was_in_room: bool,
        page_request: impl FnOnce(SocketRequestId) -> PageRequest,
    ) {
        let (now, latency) = (self.now, self.rng.between(0, 4));
        let request = SocketRequestId(self.unique_id());
        let page = &mut self.pages[id.0];
        let (true, Some((edge, socket))) = (page.is_connected, page.socket) else {
            return;
        };
        // Simultaneous requests for one session get the same response, which need not fit the position of each.
        let pending = page.pending_requests.values_mut();
        for earlier in pending.filter(|earlier| earlier.session == *session) {
            earlier.after = None;
            after = None;
        }
        let pending = PendingRequest {
            session: session.clone(),
            after,
            was_in_room,
            sent_at: now,
        };
        page.pending_requests.insert(request, pending);
        page.requests_until = page.requests_until.max(now + latency);
        let at = page.requests_until;
        self.at(at, Step::PageRequest(edge, socket, page_request(request)));
    }
}
