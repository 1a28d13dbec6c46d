//! The outbound queues of sockets.

use std::sync::Arc;

use roomcast_core::{
    browser_event::BrowserEvent,
    replay::Replay,
    rooms::{SocketId, SocketRequestId, SocketResponse},
};

use crate::{
    page::{ConnectionId, PageId, PageMessage},
    socket::{Phase, Socket},
    step::Step,
    world::{Incarnation, World},
};

/// The maximum number of items in one socket's queue. A socket whose queue is full is closed.
const OUTBOUND_LIMIT: usize = 24;

pub(crate) enum Outbound {
    Event(Arc<BrowserEvent>, Arc<str>),
    Replay(Replay),
    Response(SocketRequestId, SocketResponse),
}

impl Socket {
    /// Takes the next message from the queue. A replay is taken event by event.
    fn next_message(&mut self) -> Option<PageMessage> {
        loop {
            if let Outbound::Replay(replay) = self.outbound.front_mut()?
                && let Some((event, cursor)) = replay.next()
            {
                return Some(PageMessage::ReplayedEvent(Arc::new(event), cursor.into()));
            }
            match self.outbound.pop_front()? {
                Outbound::Event(event, cursor) => return Some(PageMessage::Event(event, cursor)),
                Outbound::Response(request, response) => {
                    return Some(PageMessage::Response(request, response));
                }
                Outbound::Replay(_) => {} // it is complete
            }
        }
    }
}

impl World {
    pub(crate) fn push(&mut self, edge: Incarnation, id: SocketId, item: Outbound) {
        let Some(socket) = self.edges[edge.index].sockets.get_mut(&id) else {
            return;
        };
        if socket.outbound.len() >= OUTBOUND_LIMIT {
            return self.close(edge, id); // a slow socket: its page reconnects and resumes
        }
        socket.outbound.push_back(item);
        self.start_sending(edge, id);
    }

    pub(crate) fn start_sending(&mut self, edge: Incarnation, id: SocketId) {
        let Some(socket) = self.edges[edge.index].sockets.get_mut(&id) else {
            return;
        };
        if socket.phase == Phase::Connected && !std::mem::replace(&mut socket.is_sending, true) {
            self.after(0, Step::SendNext(edge, id));
        }
    }

    /// Makes a stalled page read again.
    pub(crate) fn resume_reading(&mut self, page: PageId) {
        self.pages[page.0].is_stalled = false;
        if let Some((edge, socket)) = self.pages[page.0].socket
            && self.edge(edge).is_some()
        {
            self.start_sending(edge, socket);
        }
    }

    pub(crate) fn send_next(&mut self, edge_id: Incarnation, id: SocketId) {
        let edge = self.edges.get_mut(edge_id.index);
        let Some(edge) = edge.filter(|edge| edge.is(edge_id)) else {
            return;
        };
        let Some(socket) = edge.sockets.get_mut(&id) else {
            return;
        };
        let is_stalled = self.pages[socket.page.0].is_stalled;
        let message = if is_stalled { None } else { socket.next_message() };
        let Some(message) = message else {
            socket.is_sending = false;
            return;
        };
        let (page, connection) = (socket.page, socket.connection);
        self.send_to_page(page, connection, message);
        let delay = self.rng.between(0, 3);
        self.after(delay, Step::SendNext(edge_id, id));
    }

    /// Sends a message to a page. The messages to one page arrive in order.
    pub(crate) fn send_to_page(&mut self, id: PageId, connection: ConnectionId, message: PageMessage) {
        let (now, latency) = (self.now, self.latency());
        let page = &mut self.pages[id.0];
        page.messages_until = page.messages_until.max(now + latency);
        let at = page.messages_until;
        self.at(at, Step::PageMessage(id, connection, message));
    }
}
