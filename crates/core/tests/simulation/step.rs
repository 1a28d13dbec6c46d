//! The steps of a run: what happens at a point in time.

use std::sync::Arc;

use roomcast_core::{
    Entry, Millis, RoomId, hub,
    rooms::{self, SocketId},
};

use crate::{
    backend::BackendStep,
    call::Call,
    faults::FaultStep,
    link::{LinkId, LinkMessage},
    oracle::Checked,
    page::{ConnectionId, PageId, PageMessage, PageRequest},
    world::{Incarnation, World},
};

#[derive(Debug)]
pub(crate) enum Step {
    Backend(BackendStep),
    Fault(FaultStep),
    /// A control plane's subscription, which has this id, reaches the store.
    Subscribe(Incarnation, RoomId, u64),
    /// A read of a control plane reaches the store. The id is that of the subscription of the read's room.
    StoreRequest(Incarnation, Option<u64>, hub::Action),
    /// The store's response reaches a control plane.
    StoreResponse(Incarnation, Option<u64>, hub::Input),
    /// A notification reaches a control plane through its connection to the store with this number.
    Notification(Incarnation, u64, RoomId, Arc<Entry>),
    WakeControlPlane(Incarnation),
    WakeEdge(Incarnation),
    /// An edge attaches to a control plane.
    Attach(Incarnation),
    LinkMessage(LinkId, LinkMessage),
    /// The edge notices that its control plane has stopped.
    LinkBroken(LinkId),
    /// The edge has received nothing for a while, because of the partition with this id.
    LinkSilent(LinkId, u64),
    /// The control plane notices that the edge has left the link.
    LinkDetached(LinkId),
    /// An edge's unary call, which was sent at this time, reaches a control plane. `None`: the edge had no link.
    Call(Incarnation, Option<Incarnation>, Millis, Call),
    CallResult(Incarnation, rooms::Input),
    /// A page connects to an edge.
    Connect(PageId, ConnectionId),
    /// The socket has waited long enough for its user's room.
    ConnectTimeout(Incarnation, SocketId),
    PageRequest(Incarnation, SocketId, PageRequest),
    /// The edge notices that a socket has disconnected.
    SocketDisconnected(Incarnation, SocketId),
    /// The edge sends the next item of a socket's queue.
    SendNext(Incarnation, SocketId),
    PageMessage(PageId, ConnectionId, PageMessage),
    /// The page notices that its connection is closed.
    ConnectionLost(PageId, ConnectionId),
}

impl World {
    pub(crate) fn step(&mut self, step: Step) -> Checked {
        match step {
            Step::Backend(step) => return self.backend_step(step),
            Step::Fault(step) => return self.fault_step(step),
            Step::Subscribe(control_plane, room, id) => self.subscribe(control_plane, room, id),
            Step::StoreRequest(control_plane, subscription, action) => {
                self.store_request(control_plane, subscription, action);
            }
            Step::StoreResponse(control_plane, subscription, input) => {
                self.store_response(control_plane, subscription, input);
            }
            Step::Notification(control_plane, connection, room, entry) => {
                self.notification(control_plane, connection, room, entry);
            }
            Step::WakeControlPlane(control_plane) => self.wake_control_plane(control_plane),
            Step::WakeEdge(edge) => return self.wake_edge(edge),
            Step::Attach(edge) => return self.attach(edge),
            Step::LinkMessage(link, message) => return self.link_message(link, message),
            Step::LinkBroken(link) => self.leave_link(link),
            Step::LinkSilent(link, partition) => self.link_silent(link, partition),
            Step::LinkDetached(link) => self.link_detached(link),
            Step::Call(edge, control_plane, sent_at, call) => self.call(edge, control_plane, sent_at, call),
            Step::CallResult(edge, input) => return self.rooms_input(edge, input),
            Step::Connect(page, connection) => return self.connect(page, connection),
            Step::ConnectTimeout(edge, socket) => self.connect_timeout(edge, socket),
            Step::PageRequest(edge, socket, request) => return self.page_request(edge, socket, request),
            Step::SocketDisconnected(edge, socket) => return self.socket_disconnected(edge, socket),
            Step::SendNext(edge, socket) => self.send_next(edge, socket),
            Step::PageMessage(page, connection, message) => {
                return self.page_message(page, connection, message);
            }
            Step::ConnectionLost(page, connection) => self.connection_lost(page, connection),
        }
        Ok(())
    }
}
