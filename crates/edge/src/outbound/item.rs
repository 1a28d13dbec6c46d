//! What is sent to sockets, before it is encoded.

use std::{cell::OnceCell, sync::Arc};

use bytes::Bytes;
use roomcast_core::{browser_event::BrowserEvent, replay::Replay};

use crate::{
    direct::{frame::Frame, queue::QueueItem},
    packet::acknowledgement::Acknowledgement,
};

/// Something to send to one socket.
pub(crate) enum OutboundItem {
    /// An event, and the socket's cursor after it.
    Event(Arc<BrowserEvent>, Arc<str>),
    /// The events that the socket missed. They count as one small item, because the log holds them, and they are encoded
    /// as fast as the browser reads them.
    Replay(Replay),
    /// An acknowledgement, by the id that the browser gave it.
    Acknowledgement(i64, Acknowledgement),
    /// A DISCONNECT, after which stock clients do not reconnect.
    Disconnect,
}

impl From<OutboundItem> for QueueItem {
    fn from(item: OutboundItem) -> Self {
        match item {
            OutboundItem::Event(event, cursor) => Self::Frame(Frame::event(&event, &cursor)),
            OutboundItem::Replay(replay) => Self::Lazy(Box::new(
                replay.map(|(event, cursor)| Frame::event(&event, &cursor)),
            )),
            OutboundItem::Acknowledgement(id, json) => Self::Frame(Frame::acknowledgement(id, json.get())),
            OutboundItem::Disconnect => Self::Frame(Frame::disconnect()),
        }
    }
}

/// An event for sockets whose cursors after it are equal. It is encoded once for all of them.
pub(crate) struct Delivery {
    event: Arc<BrowserEvent>,
    cursor: Arc<str>,
    /// The bytes of the event's packet before the cursor, if sockets with other cursors share them.
    prefix: Option<Bytes>,
    frame: OnceCell<Frame>,
}

impl Delivery {
    pub(crate) fn new(event: Arc<BrowserEvent>, cursor: Arc<str>) -> Self {
        Self {
            event,
            cursor,
            prefix: None,
            frame: OnceCell::new(),
        }
    }

    /// Shares the bytes before the cursor with other deliveries of the event.
    pub(crate) fn with_prefix(self, prefix: Bytes) -> Self {
        Self {
            prefix: Some(prefix),
            ..self
        }
    }

    /// The delivery for the direct path.
    pub(crate) fn queue_item(&self) -> QueueItem {
        let encode = || match &self.prefix {
            Some(prefix) => Frame::with_cursor(prefix.clone(), &self.cursor),
            None => Frame::event(&self.event, &self.cursor),
        };
        QueueItem::Frame(self.frame.get_or_init(encode).clone())
    }

    /// The delivery for socketioxide's path.
    pub(super) fn item(&self) -> OutboundItem {
        OutboundItem::Event(self.event.clone(), self.cursor.clone())
    }
}
