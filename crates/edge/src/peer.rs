//! One socket, as the switch knows it, and the two ways to it: the direct path of a WebSocket, and the ordinary one
//! through the crate, for polling.

use std::{cell::OnceCell, sync::Arc};

use bytes::Bytes;
use roomcast_core::{UserId, browser_event::BrowserEvent, replay::Replay, rooms::SocketId};
use serde_json::value::RawValue;

use crate::{
    direct::{Full, When, frame::Frame, queue::Part},
    outbound::Outbound,
    transport::Transport,
};

/// Something to send to one socket.
pub(crate) enum Item {
    /// An event with the socket's cursor after it.
    Event(Arc<BrowserEvent>, Arc<str>),
    /// What the socket missed. It counts as one item: its entries are the log's, and it is sent as fast as the browser
    /// takes it.
    Replay(Replay),
    /// The answer to a question that asked for it by this number.
    Ack(i64, Box<RawValue>),
    /// A DISCONNECT, after which the browser does not come back by itself.
    Disconnect,
}

impl From<Item> for Part {
    fn from(item: Item) -> Self {
        match item {
            Item::Event(event, cursor) => Self::Frame(Frame::event(&event, &cursor)),
            Item::Replay(replay) => Self::Lazy(Box::new(
                replay.map(|(event, cursor)| Frame::event(&event, &cursor)),
            )),
            Item::Ack(number, json) => Self::Frame(Frame::ack(number, json.get())),
            Item::Disconnect => Self::Frame(Frame::disconnect()),
        }
    }
}

/// An event for sockets whose cursor after it is the same, encoded once for all of them.
pub(crate) struct Delivery {
    event: Arc<BrowserEvent>,
    cursor: Arc<str>,
    /// What frames of the event begin with, where sockets with other cursors get it too.
    opening: Option<Bytes>,
    frame: OnceCell<Frame>,
}

impl Delivery {
    /// To many with the same cursor.
    pub(crate) fn new(event: Arc<BrowserEvent>, cursor: Arc<str>) -> Self {
        Self {
            event,
            cursor,
            opening: None,
            frame: OnceCell::new(),
        }
    }

    /// To one of many whose cursors differ.
    pub(crate) fn sharing(self, opening: Bytes) -> Self {
        Self {
            opening: Some(opening),
            ..self
        }
    }

    /// Its frame.
    pub(crate) fn part(&self) -> Part {
        let encode = || match &self.opening {
            Some(opening) => Frame::with_cursor(opening.clone(), &self.cursor),
            None => Frame::event(&self.event, &self.cursor),
        };
        Part::Frame(self.frame.get_or_init(encode).clone())
    }
}

/// What the switch needs of a socket.
pub(crate) struct Peer {
    pub(crate) id: SocketId,
    pub(crate) user: UserId,
    pub(crate) transport: Arc<Transport>,
    /// The ordinary path; `None` where everything goes the direct one.
    pub(crate) outbound: Option<Box<Outbound>>,
}

impl Peer {
    /// Delivers an event.
    pub(crate) fn deliver(&self, delivery: &Delivery, when: When) -> Result<(), Full> {
        match &self.outbound {
            Some(outbound) if !outbound.has_moved() => {
                let item = Item::Event(delivery.event.clone(), delivery.cursor.clone());
                self.by_outbound(outbound, item)
            }
            Some(_) | None => self.transport.send(delivery.part(), when),
        }
    }

    /// Sends something of the socket's own.
    pub(crate) fn push(&self, item: Item) -> Result<(), Full> {
        match &self.outbound {
            Some(outbound) => self.by_outbound(outbound, item),
            None => self.directly(item),
        }
    }

    /// By the ordinary path, unless the direct one took over.
    fn by_outbound(&self, outbound: &Outbound, item: Item) -> Result<(), Full> {
        match outbound.push(item)? {
            None => Ok(()),
            Some(item) => self.directly(item),
        }
    }

    fn directly(&self, item: Item) -> Result<(), Full> {
        self.transport.send(item.into(), When::Soon)
    }

    /// Sends a DISCONNECT, after which the browser has a while to close the transport.
    pub(crate) fn disconnect(&self) -> Result<(), Full> {
        self.push(Item::Disconnect)?;
        self.transport.kill_later();
        Ok(())
    }
}
