//! The sockets of edges: how a page's connection is opened, resumed and closed.

use std::collections::VecDeque;

use roomcast_core::{
    Millis,
    rooms::{self, ResumeOutcome, SocketId, SocketRequestId},
};

use crate::{
    oracle::Checked,
    outbound::Outbound,
    page::{ConnectionId, PageId, PageMessage, PageRequest},
    step::Step,
    world::{Incarnation, World},
};

/// How long the CONNECT waits for the user's room at most.
const CONNECT_TIMEOUT: Millis = 1_000;

pub(crate) struct Socket {
    pub(crate) page: PageId,
    pub(crate) connection: ConnectionId,
    pub(crate) phase: Phase,
    is_in_user_room: bool,
    pub(crate) outbound: VecDeque<Outbound>,
    /// Whether a step that sends the next item is scheduled.
    pub(crate) is_sending: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Phase {
    /// The outcome of the resume is unknown.
    Resuming,
    /// The socket waits for its user's room.
    JoiningUserRoom { recovered: bool },
    /// The CONNECT was sent.
    Connected,
}

impl World {
    /// A page connects to a random edge, and presents its cursor if it has one.
    pub(crate) fn connect(&mut self, page_id: PageId, connection: ConnectionId) -> Checked {
        if self.pages[page_id.0].connection != Some(connection) {
            return Ok(());
        }
        let accepts = |index: &usize| self.edges[*index].is_alive && !self.edges[*index].is_draining;
        let accepting: Vec<_> = (0..self.edges.len()).filter(accepts).collect();
        let Some(index) = self.rng.pick(&accepting) else {
            self.connection_lost(page_id, connection);
            return Ok(());
        };
        let (edge, socket_id) = (self.edge_id(index), SocketId(connection.0));
        let page = &mut self.pages[page_id.0];
        page.socket = Some((edge, socket_id));
        page.losses = self.oracle.all_losses();
        let positions = page.resume_positions()?;
        let user = page.user.clone();
        let socket = Socket {
            page: page_id,
            connection,
            phase: if positions.is_some() {
                Phase::Resuming
            } else {
                Phase::JoiningUserRoom { recovered: false }
            },
            is_in_user_room: false,
            outbound: VecDeque::new(),
            is_sending: false,
        };
        self.edges[index].sockets.insert(socket_id, socket);
        self.after(CONNECT_TIMEOUT, Step::ConnectTimeout(edge, socket_id));
        let connected = rooms::Input::Connected {
            socket: socket_id,
            user,
        };
        self.rooms_input(edge, connected)?;
        match positions {
            // A cursor without rooms can always be continued.
            Some(positions) if positions.is_empty() => {
                self.resumed(edge, socket_id, ResumeOutcome::Continued);
            }
            Some(positions) => {
                let resume = rooms::Input::Resume {
                    socket: socket_id,
                    positions,
                    request: SocketRequestId(self.unique_id()),
                };
                self.rooms_input(edge, resume)?;
            }
            None => {}
        }
        Ok(())
    }

    pub(crate) fn resumed(&mut self, edge: Incarnation, id: SocketId, outcome: ResumeOutcome) {
        let recovered = match outcome {
            ResumeOutcome::Continued => true,
            ResumeOutcome::Fresh => false,
            ResumeOutcome::Unavailable => return self.close(edge, id),
        };
        if let Some(socket) = self.edges[edge.index].sockets.get_mut(&id) {
            socket.phase = Phase::JoiningUserRoom { recovered };
        }
        self.after(CONNECT_TIMEOUT, Step::ConnectTimeout(edge, id));
        self.send_connect(edge, id, false);
    }

    pub(crate) fn user_room_joined(&mut self, edge: Incarnation, id: SocketId) {
        if let Some(socket) = self.edges[edge.index].sockets.get_mut(&id) {
            socket.is_in_user_room = true;
        }
        self.send_connect(edge, id, false);
    }

    pub(crate) fn connect_timeout(&mut self, edge: Incarnation, id: SocketId) {
        if self.edge(edge).is_some() {
            self.send_connect(edge, id, true);
        }
    }

    /// Sends the CONNECT, once the socket is in its user's room or has waited long enough.
    fn send_connect(&mut self, edge: Incarnation, id: SocketId, is_late: bool) {
        let Some(socket) = self.edges[edge.index].sockets.get_mut(&id) else {
            return;
        };
        let Phase::JoiningUserRoom { recovered } = socket.phase else {
            return;
        };
        if socket.is_in_user_room || is_late {
            socket.phase = Phase::Connected;
            let (page, connection) = (socket.page, socket.connection);
            self.send_to_page(page, connection, PageMessage::Connect { recovered });
            self.start_sending(edge, id);
        }
    }

    /// A request of a page arrives at its edge.
    pub(crate) fn page_request(
        &mut self,
        edge_id: Incarnation,
        socket: SocketId,
        request: PageRequest,
    ) -> Checked {
        let input = match request {
            PageRequest::Join(session, after, request) => rooms::Input::Join {
                socket,
                session,
                after,
                request,
            },
            PageRequest::Leave(session, request) => rooms::Input::Leave {
                socket,
                session,
                request,
            },
        };
        let edge = self.edge(edge_id);
        if edge.is_some_and(|edge| edge.sockets.contains_key(&socket)) {
            self.rooms_input(edge_id, input)?;
        }
        Ok(())
    }

    pub(crate) fn socket_disconnected(&mut self, edge_id: Incarnation, socket: SocketId) -> Checked {
        if let Some(edge) = self.edge(edge_id) {
            edge.sockets.remove(&socket);
        }
        self.rooms_input(edge_id, rooms::Input::Disconnected(socket))
    }

    /// Closes a socket's transport. Messages that were sent before may still arrive.
    pub(crate) fn close(&mut self, edge: Incarnation, id: SocketId) {
        let Some(socket) = self.edges[edge.index].sockets.remove(&id) else {
            return;
        };
        let latency = self.latency();
        self.after(latency, Step::ConnectionLost(socket.page, socket.connection));
        self.after(0, Step::SocketDisconnected(edge, id));
    }
}
