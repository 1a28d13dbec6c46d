//! The ordinary path: one socket's outbound queue, capped in bytes, and the writer that hands it to the crate. Polling
//! goes this way, until a WebSocket takes its place.
//!
//! The crate below drops what does not fit into its own short queue, so that one is kept nearly empty: the writer
//! hands over a few at a time, as the browser takes them. A queue of ours that is full closes the transport; the
//! browser comes back and resumes from its cursor.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use roomcast_core::browser_event::BrowserEvent;
use serde_json::value::RawValue;
use socketioxide::{adapter::LocalAdapter, extract::AckSender, handler::FromMessageParts, socket::Socket};
use socketioxide_core::Value as Packet;
use tokio::sync::Notify;
use tracing::debug;

use crate::{
    direct::{Full, cutter::SENTINEL, queue::Part},
    peer::Item,
    transport::Transport,
};

/// How many events are on their way below us at most; the crate's queue has room for 128.
const WINDOW: u64 = 32;
/// What one item costs beside its text.
const ITEM_BYTES: usize = 64;

fn bytes(item: &Item) -> usize {
    ITEM_BYTES
        + match item {
            Item::Event(event, cursor) => event.payload.len() + cursor.len(),
            Item::Ack(_, json) => json.get().len(),
            Item::Replay(_) | Item::Disconnect => 0,
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
    fate: Fate,
}

/// What becomes of what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fate {
    /// It is sent.
    #[default]
    Sent,
    /// It goes the direct path.
    Moved,
    /// It is dropped.
    Dropped,
}

/// Why the writer ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The direct path took over.
    Moved,
    /// Nothing can be sent any more.
    Gone,
}

impl Ended {
    fn failed(error: &dyn std::fmt::Display) -> Self {
        debug!(%error, "could not send");
        Self::Gone
    }
}

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

    /// Whether the direct path took over.
    pub(crate) fn has_moved(&self) -> bool {
        self.lock().fate == Fate::Moved
    }

    /// Appends an item; gives it back where the direct path took over. One item always fits into an empty queue.
    pub(crate) fn push(&self, item: Item) -> Result<Option<Item>, Full> {
        let mut queue = self.lock();
        match queue.fate {
            Fate::Dropped => return Ok(None),
            Fate::Moved => return Ok(Some(item)),
            Fate::Sent => {}
        }
        let bytes = queue.bytes + bytes(&item);
        if bytes > self.cap && !queue.items.is_empty() {
            return Err(Full);
        }
        queue.bytes = bytes;
        queue.items.push_back(item);
        drop(queue);
        self.wake.notify_one();
        Ok(None)
    }

    /// Drops what waits and what still comes.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.fate = Fate::Dropped;
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

    /// Sends what is in the queue, in order and as the browser takes it, until the direct path takes over or nothing can
    /// be sent any more.
    pub(crate) async fn write(&self, socket: &Arc<Socket<LocalAdapter>>, transport: &Transport) -> Ended {
        let mut sent = 0;
        loop {
            let item = tokio::select! {
                biased;
                () = transport.turned_direct() => return self.move_over(socket, transport, None),
                item = self.next() => item,
            };
            match self.write_one(item, socket, transport, sent).await {
                Ok(events) => sent += events,
                Err(ended) => return ended,
            }
        }
    }

    /// Sends one item; says how many events and acknowledgements that was.
    async fn write_one(
        &self,
        item: Item,
        socket: &Arc<Socket<LocalAdapter>>,
        transport: &Transport,
        sent: u64,
    ) -> Result<u64, Ended> {
        transport.window(sent, WINDOW).await;
        self.lock().bytes -= bytes(&item);
        match item {
            Item::Event(event, cursor) => send_event(socket, &event, &cursor)?,
            Item::Ack(number, json) => {
                let Ok(ack) = AckSender::from_message_parts(
                    socket,
                    &mut Packet::Str(Default::default(), None),
                    &Some(number),
                );
                ack.send(&(json,)).map_err(|error| Ended::failed(&error))?;
            }
            Item::Replay(mut replay) => {
                let mut events = 0;
                loop {
                    tokio::select! {
                        biased;
                        () = transport.turned_direct() => {
                            return Err(self.move_over(socket, transport, Some(Item::Replay(replay))));
                        }
                        () = transport.window(sent + events, WINDOW) => {}
                    }
                    let Some((event, cursor)) = replay.next() else {
                        return Ok(events);
                    };
                    send_event(socket, &event, &cursor)?;
                    events += 1;
                }
            }
            Item::Disconnect => {
                // An error is a transport that is going away already.
                let _ = socket.clone().disconnect();
                transport.killed().await;
                return Err(Ended::Gone);
            }
        }
        Ok(1)
    }

    /// Leaves what is left, and what comes, to the direct path: it is held there until the sentinel, the last event that
    /// goes through the crate, has come by.
    fn move_over(
        &self,
        socket: &Arc<Socket<LocalAdapter>>,
        transport: &Transport,
        begun: Option<Item>,
    ) -> Ended {
        let mut queue = self.lock();
        queue.fate = Fate::Moved;
        let items = std::mem::take(&mut queue.items);
        transport.hold(begun.into_iter().chain(items).map(Part::from));
        drop(queue);
        // After the last of the above is held, since it releases them.
        match socket.emit(SENTINEL, &()) {
            Ok(()) => Ended::Moved,
            Err(error) => Ended::failed(&error),
        }
    }
}

fn send_event(socket: &Socket<LocalAdapter>, event: &BrowserEvent, cursor: &str) -> Result<(), Ended> {
    let payload: &RawValue = serde_json::from_str(&event.payload).map_err(|error| Ended::failed(&error))?;
    socket
        .emit(event.name, &(payload, cursor))
        .map_err(|error| Ended::failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> Item {
        let event = BrowserEvent {
            name: "session-updated",
            payload: "x".repeat(bytes).into(),
        };
        Item::Event(Arc::new(event), "".into())
    }

    #[test]
    fn a_full_queue_takes_no_more_but_any_one_item() {
        let push =
            |outbound: &Outbound, bytes| outbound.push(event(bytes)).map(|given_back| given_back.is_none());
        let outbound = Outbound::new(1_000);
        assert_eq!(push(&outbound, 5_000), Ok(true));
        assert_eq!(push(&outbound, 1), Err(Full));
        let outbound = Outbound::new(1_000);
        assert_eq!(push(&outbound, 436), Ok(true));
        assert_eq!(push(&outbound, 436), Ok(true));
        assert_eq!(push(&outbound, 1), Err(Full));
    }
}
