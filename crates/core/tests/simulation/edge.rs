//! Edges: the rooms of each, with its link and its sockets.

use std::collections::BTreeMap;

use roomcast_core::{
    Millis,
    rooms::{self, Rooms, SocketId},
};

use crate::{
    call::Call,
    link::{LinkId, LinkMessage},
    oracle::Checked,
    outbound::Outbound,
    socket::Socket,
    step::Step,
    world::{Incarnation, World},
};

/// The maximum number of sessions of one socket.
const SESSIONS_PER_SOCKET: usize = 8;

pub(crate) struct Edge {
    pub(crate) is_alive: bool,
    pub(crate) is_draining: bool,
    /// The number of the current incarnation.
    incarnation: u64,
    pub(crate) rooms: Rooms,
    pub(crate) link: Option<LinkId>,
    /// The control plane to which the edge last tried to attach.
    pub(crate) last_control_plane: usize,
    pub(crate) sockets: BTreeMap<SocketId, Socket>,
    wake_at: Option<Millis>,
}

impl Edge {
    pub(crate) fn stopped(index: usize) -> Self {
        Self {
            is_alive: false,
            is_draining: false,
            incarnation: 0,
            rooms: Rooms::new(SESSIONS_PER_SOCKET),
            link: None,
            last_control_plane: index,
            sockets: BTreeMap::new(),
            wake_at: None,
        }
    }

    pub(crate) fn is(&self, id: Incarnation) -> bool {
        self.is_alive && self.incarnation == id.number
    }
}

impl World {
    /// The current incarnation of an edge.
    pub(crate) fn edge_id(&self, index: usize) -> Incarnation {
        Incarnation {
            index,
            number: self.edges[index].incarnation,
        }
    }

    pub(crate) fn start_edge(&mut self, index: usize) {
        let edge = &mut self.edges[index];
        edge.is_alive = true;
        edge.is_draining = false;
        edge.incarnation += 1;
        edge.rooms = Rooms::new(SESSIONS_PER_SOCKET);
        edge.link = None;
        edge.sockets.clear();
        edge.wake_at = None;
        let id = self.edge_id(index);
        self.after(0, Step::Attach(id));
    }

    pub(crate) fn kill_edge(&mut self, index: usize) {
        self.edges[index].is_alive = false;
        self.edges[index].link = None;
        let sockets = std::mem::take(&mut self.edges[index].sockets);
        for socket in sockets.into_values() {
            let latency = self.latency();
            self.after(latency, Step::ConnectionLost(socket.page, socket.connection));
        }
        for link in self.links_where(|link| link.edge.index == index && link.is_open) {
            self.leave_link(link);
        }
    }

    /// Closes one socket of a draining edge. Returns whether there was one.
    pub(crate) fn drain_one_socket(&mut self, index: usize) -> bool {
        let id = self.edge_id(index);
        let socket = self.edges[index].sockets.keys().next().copied();
        if let Some(socket) = socket {
            self.close(id, socket);
        }
        socket.is_some()
    }

    pub(crate) fn wake_edge(&mut self, id: Incarnation) -> Checked {
        let now = self.now;
        if let Some(edge) = self.edge(id) {
            edge.wake_at = None;
            edge.rooms.handle_deadline(now);
            self.perform_rooms_actions(id)?;
        }
        Ok(())
    }

    pub(crate) fn rooms_input(&mut self, id: Incarnation, input: rooms::Input) -> Checked {
        let now = self.now;
        if let Some(edge) = self.edge(id) {
            edge.rooms.handle(input, now);
            self.perform_rooms_actions(id)?;
        }
        Ok(())
    }

    fn perform_rooms_actions(&mut self, id: Incarnation) -> Checked {
        while let Some(action) = self.edge(id).and_then(|edge| edge.rooms.next_action()) {
            self.perform_rooms_action(id, action)?;
        }
        let Some(edge) = self.edge(id) else { return Ok(()) };
        let (deadline, wake_at) = (edge.rooms.next_deadline(), edge.wake_at);
        if let Some(at) = deadline.filter(|at| wake_at.is_none_or(|wake_at| *at < wake_at)) {
            self.edges[id.index].wake_at = Some(at);
            self.at(at, Step::WakeEdge(id));
        }
        Ok(())
    }

    fn perform_rooms_action(&mut self, id: Incarnation, action: rooms::Action) -> Checked {
        let (latency, link) = (self.latency(), self.edges[id.index].link);
        match action {
            rooms::Action::Authorize {
                socket,
                session,
                user,
                request,
            } => {
                let call = Call::Authorize {
                    socket,
                    session,
                    user,
                    request,
                };
                self.send_call(id, latency, call);
            }
            rooms::Action::Read { room, after } => self.send_call(id, latency, Call::Read { room, after }),
            rooms::Action::Interest { room, after } => {
                if let Some(link) = link {
                    self.send_on_link(link, LinkMessage::Interest(room, after));
                }
            }
            rooms::Action::EndInterest(room) => {
                if let Some(link) = link {
                    self.send_on_link(link, LinkMessage::EndInterest(room));
                }
            }
            rooms::Action::Respond {
                socket,
                request,
                response,
            } => self.push(id, socket, Outbound::Response(request, response)),
            rooms::Action::Deliver {
                sockets,
                event,
                cursor,
            } => {
                for socket in sockets {
                    self.push(id, socket, Outbound::Event(event.clone(), cursor.clone()));
                }
            }
            rooms::Action::Replay { socket, replay } => self.push(id, socket, Outbound::Replay(replay)),
            rooms::Action::Resumed { socket, outcome } => self.resumed(id, socket, outcome),
            rooms::Action::Close(socket) => self.close(id, socket),
            rooms::Action::UserRoomJoined(socket) => self.user_room_joined(id, socket),
            rooms::Action::Disconnect(_) => return Err("no user is disconnected in this model".to_owned()),
        }
        Ok(())
    }

    fn send_call(&mut self, edge: Incarnation, latency: Millis, call: Call) {
        let link = self.edges[edge.index].link;
        let link = link.and_then(|link| self.links.get(&link));
        let control_plane = link.map(|link| link.control_plane);
        self.after(latency, Step::Call(edge, control_plane, self.now, call));
    }
}
