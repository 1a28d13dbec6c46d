//! One socket's outbound queue, capped in bytes, and the writer that empties it.
//!
//! The crate below drops what does not fit into its own short queue, so that one is kept nearly empty: the writer
//! hands over a few at a time, as the browser takes them. A queue of ours that is full closes the transport; the
//! browser comes back and resumes from its cursor.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use roomcast_core::{payload::Event, resume::Replay};
use serde_json::value::RawValue;
use socketioxide::extract::{AckSender, SocketRef};
use tokio::sync::Notify;
use tracing::debug;

use crate::transport::Transport;

/// How many events are on their way below us at most; the crate's queue has room for 128.
const WINDOW: u64 = 32;
/// What one item costs beside its text.
const ITEM_BYTES: usize = 64;
/// How long a browser that was sent a DISCONNECT has to close the transport.
const DISCONNECT_GRACE: Duration = Duration::from_secs(1);

/// Something to send.
pub(crate) enum Item {
    /// An event with the socket's cursor after it.
    Event(Arc<Event>, Arc<str>),
    /// What the socket missed. It counts as one item: its entries are the log's, and it is sent as fast as the browser
    /// takes it.
    Replay(Replay),
    /// An acknowledgement with its JSON.
    Ack(AckSender, Box<RawValue>),
    /// A DISCONNECT, after which the browser does not come back by itself.
    Disconnect,
}

impl Item {
    fn bytes(&self) -> usize {
        ITEM_BYTES
            + match self {
                Self::Event(event, cursor) => event.payload.len() + cursor.len(),
                Self::Ack(_, json) => json.get().len(),
                Self::Replay(_) | Self::Disconnect => 0,
            }
    }
}

/// The queue.
pub(crate) struct Outbound {
    queue: Mutex<Queue>,
    wake: Notify,
    /// Bytes that it holds at most.
    cap: usize,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    /// Nothing is sent any more; what comes is dropped.
    closed: bool,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Outbound {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            queue: Mutex::default(),
            wake: Notify::new(),
            cap,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an item. One item always fits into an empty queue.
    pub(crate) fn push(&self, item: Item) -> Result<(), Full> {
        let mut queue = self.lock();
        if queue.closed {
            return Ok(());
        }
        let bytes = queue.bytes + item.bytes();
        if bytes > self.cap && !queue.items.is_empty() {
            return Err(Full);
        }
        queue.bytes = bytes;
        queue.items.push_back(item);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// Drops what waits and what still comes: acknowledgements hold the socket, which holds this queue.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        let dropped = std::mem::take(&mut queue.items);
        drop(queue);
        drop(dropped);
    }

    async fn next(&self) -> Item {
        loop {
            let item = self.lock().items.pop_front();
            match item {
                Some(item) => return item,
                None => self.wake.notified().await,
            }
        }
    }

    /// Sends what is in the queue, in order and as the browser takes it. Returns when nothing can be sent any more.
    pub(crate) async fn write(&self, socket: SocketRef, transport: &Transport) {
        let mut sent = 0;
        while let Ok(events) = self.write_next(&socket, transport, sent).await {
            sent += events;
        }
    }

    /// Sends one item; says how many events and acknowledgements that was.
    async fn write_next(&self, socket: &SocketRef, transport: &Transport, sent: u64) -> Result<u64, Ended> {
        let item = self.next().await;
        transport.window(sent, WINDOW).await;
        self.lock().bytes -= item.bytes();
        match item {
            Item::Event(event, cursor) => send_event(socket, &event, &cursor)?,
            Item::Ack(ack, json) => ack.send(&(json,)).map_err(|error| Ended::failed(&error))?,
            Item::Replay(replay) => {
                let mut events = 0;
                for (event, cursor) in replay {
                    transport.window(sent + events, WINDOW).await;
                    send_event(socket, &event, &cursor)?;
                    events += 1;
                }
                return Ok(events);
            }
            Item::Disconnect => {
                // An error is a transport that is going away already.
                let _ = socket.clone().disconnect();
                tokio::time::sleep(DISCONNECT_GRACE).await;
                return Err(Ended);
            }
        }
        Ok(1)
    }
}

/// Nothing can be sent any more.
struct Ended;

impl Ended {
    fn failed(error: &dyn std::fmt::Display) -> Self {
        debug!(%error, "could not send");
        Self
    }
}

fn send_event(socket: &SocketRef, event: &Event, cursor: &str) -> Result<(), Ended> {
    let payload: &RawValue = serde_json::from_str(&event.payload).map_err(|error| Ended::failed(&error))?;
    socket
        .emit(event.name, &(payload, cursor))
        .map_err(|error| Ended::failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> Item {
        let event = Event {
            name: "session-updated",
            payload: "x".repeat(bytes).into(),
        };
        Item::Event(Arc::new(event), "".into())
    }

    #[test]
    fn a_full_queue_takes_no_more_but_any_one_item() {
        let outbound = Outbound::new(1_000);
        assert_eq!(outbound.push(event(5_000)), Ok(()));
        assert_eq!(outbound.push(event(1)), Err(Full));
        let outbound = Outbound::new(1_000);
        assert_eq!(outbound.push(event(436)), Ok(()));
        assert_eq!(outbound.push(event(436)), Ok(()));
        assert_eq!(outbound.push(event(1)), Err(Full));
    }
}
