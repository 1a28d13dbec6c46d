//! The two paths to one socket: the direct path of a WebSocket, and the path through socketioxide, which polling needs.

mod item;
mod socketioxide_path;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use roomcast_core::{UserId, rooms::SocketId};

use crate::{
    direct::{Full, WriteMode},
    transport::Transport,
};

pub(crate) use item::{Delivery, OutboundItem};
pub(crate) use socketioxide_path::{SocketioxidePath, WriterEnd};

/// One connected socket, as the rooms task uses it.
pub(crate) struct SocketHandle {
    pub(crate) id: SocketId,
    pub(crate) user: UserId,
    pub(crate) transport: Arc<Transport>,
    /// `None` if everything takes the direct path.
    pub(crate) socketioxide_path: Option<Box<SocketioxidePath>>,
    disconnected: AtomicBool,
}

impl SocketHandle {
    pub(crate) fn new(
        id: SocketId,
        user: UserId,
        transport: Arc<Transport>,
        socketioxide_path: Option<Box<SocketioxidePath>>,
    ) -> Self {
        Self {
            id,
            user,
            transport,
            socketioxide_path,
            disconnected: AtomicBool::new(false),
        }
    }

    /// Marks the socket as disconnected; `true` for the first call.
    pub(crate) fn mark_disconnected(&self) -> bool {
        !self.disconnected.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Acquire)
    }

    /// Sends an event that other sockets may get, too.
    pub(crate) fn deliver(&self, delivery: &Delivery, mode: WriteMode) -> Result<(), Full> {
        match &self.socketioxide_path {
            Some(path) if !path.is_replaced() => self.send_on(path, delivery.item()),
            Some(_) | None => self.transport.send(delivery.queue_item(), mode),
        }
    }

    /// Sends something to this socket alone.
    pub(crate) fn send(&self, item: OutboundItem) -> Result<(), Full> {
        match &self.socketioxide_path {
            Some(path) => self.send_on(path, item),
            None => self.send_directly(item),
        }
    }

    /// Sends on socketioxide's path, unless the direct path has replaced it.
    fn send_on(&self, path: &SocketioxidePath, item: OutboundItem) -> Result<(), Full> {
        match path.push(item)? {
            None => Ok(()),
            Some(item) => self.send_directly(item),
        }
    }

    fn send_directly(&self, item: OutboundItem) -> Result<(), Full> {
        self.transport.send(item.into(), WriteMode::Flusher)
    }

    /// Sends a DISCONNECT, and kills the transport unless the browser closes it soon.
    pub(crate) fn disconnect(&self) -> Result<(), Full> {
        self.send(OutboundItem::Disconnect)?;
        self.transport.kill_after_grace();
        Ok(())
    }
}
