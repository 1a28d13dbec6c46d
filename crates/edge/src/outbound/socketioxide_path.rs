//! socketioxide's path: one socket's outbound queue, whose bytes are limited, and the writer that emits its items through
//! socketioxide. Polling uses this path until a WebSocket replaces it.
//!
//! socketioxide drops packets that do not fit into its own short queue. That queue is therefore kept nearly empty: the
//! writer emits a few events at a time, as the browser reads them. If the queue here is full, the caller closes the
//! transport; the browser reconnects and resumes from its cursor.

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

use super::OutboundItem;
use crate::{
    direct::{Full, frame_splitter::SENTINEL, queue::QueueItem},
    transport::Transport,
};

/// The most events that were emitted and have not been sent yet. socketioxide's own queue holds 128.
const IN_FLIGHT: u64 = 32;
/// The memory of one item in addition to its text, in bytes.
const ITEM_BYTES: usize = 64;

fn bytes(item: &OutboundItem) -> usize {
    ITEM_BYTES
        + match item {
            OutboundItem::Event(event, cursor) => event.payload.len() + cursor.len(),
            OutboundItem::Acknowledgement(_, json) => json.get().len(),
            OutboundItem::Replay(_) | OutboundItem::Disconnect => 0,
        }
}

/// The queue of socketioxide's path.
pub(crate) struct SocketioxidePath {
    queue: Mutex<Queue>,
    wake: Notify,
    /// The most bytes that the queue may hold.
    limit: usize,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<OutboundItem>,
    bytes: usize,
    phase: PathPhase,
}

/// What happens to new items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum PathPhase {
    /// They are queued.
    #[default]
    Open,
    /// They take the direct path.
    Replaced,
    /// They are dropped.
    Closed,
}

/// Why the writer ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WriterEnd {
    /// The direct path has replaced this one.
    Replaced,
    /// The socket is closed.
    Closed,
}

impl WriterEnd {
    fn failed(error: &dyn std::fmt::Display) -> Self {
        debug!(%error, "could not emit an event");
        Self::Closed
    }
}

impl SocketioxidePath {
    /// An empty queue. `limit` is the most bytes that it may hold.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            queue: Mutex::default(),
            wake: Notify::new(),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the direct path has replaced this one.
    pub(super) fn is_replaced(&self) -> bool {
        self.lock().phase == PathPhase::Replaced
    }

    /// Appends an item. Returns it if the direct path has replaced this one. Any item fits into an empty queue.
    pub(super) fn push(&self, item: OutboundItem) -> Result<Option<OutboundItem>, Full> {
        let mut queue = self.lock();
        match queue.phase {
            PathPhase::Closed => return Ok(None),
            PathPhase::Replaced => return Ok(Some(item)),
            PathPhase::Open => {}
        }
        let bytes = queue.bytes + bytes(&item);
        if bytes > self.limit && !queue.items.is_empty() {
            return Err(Full);
        }
        queue.bytes = bytes;
        queue.items.push_back(item);
        drop(queue);
        self.wake.notify_one();
        Ok(None)
    }

    /// Drops all queued and future items.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.phase = PathPhase::Closed;
        let dropped = std::mem::take(&mut queue.items);
        drop(queue);
        drop(dropped);
    }

    async fn next(&self) -> OutboundItem {
        loop {
            let item = self.lock().items.pop_front();
            match item {
                Some(item) => return item,
                None => self.wake.notified().await,
            }
        }
    }

    /// Emits the items in order, as fast as the browser reads them, until the direct path replaces this one or the socket
    /// is closed.
    pub(crate) async fn write(&self, socket: &Arc<Socket<LocalAdapter>>, transport: &Transport) -> WriterEnd {
        let mut emitted = 0;
        loop {
            let item = tokio::select! {
                biased;
                () = transport.direct_path_ready() => return self.hand_over(socket, transport, None),
                item = self.next() => item,
            };
            match self.write_one(item, socket, transport, emitted).await {
                Ok(events) => emitted += events,
                Err(end) => return end,
            }
        }
    }

    /// Emits one item. Returns the number of its events and acknowledgements.
    async fn write_one(
        &self,
        item: OutboundItem,
        socket: &Arc<Socket<LocalAdapter>>,
        transport: &Transport,
        emitted: u64,
    ) -> Result<u64, WriterEnd> {
        transport.in_flight_at_most(IN_FLIGHT, emitted).await;
        self.lock().bytes -= bytes(&item);
        match item {
            OutboundItem::Event(event, cursor) => emit_event(socket, &event, &cursor)?,
            OutboundItem::Acknowledgement(id, json) => {
                let Ok(ack) = AckSender::from_message_parts(
                    socket,
                    &mut Packet::Str(Default::default(), None),
                    &Some(id),
                );
                ack.send(&(json.into_json(),))
                    .map_err(|error| WriterEnd::failed(&error))?;
            }
            OutboundItem::Replay(mut replay) => {
                let mut events = 0;
                loop {
                    tokio::select! {
                        biased;
                        () = transport.direct_path_ready() => {
                            let rest = OutboundItem::Replay(replay);
                            return Err(self.hand_over(socket, transport, Some(rest)));
                        }
                        () = transport.in_flight_at_most(IN_FLIGHT, emitted + events) => {}
                    }
                    let Some((event, cursor)) = replay.next() else {
                        return Ok(events);
                    };
                    emit_event(socket, &event, &cursor)?;
                    events += 1;
                }
            }
            OutboundItem::Disconnect => {
                let _ = socket.clone().disconnect(); // An error means that the socket is closed already.
                transport.killed().await;
                return Err(WriterEnd::Closed);
            }
        }
        Ok(1)
    }

    /// Hands the queued items over to the direct path, which holds them until the sentinel, the last event that goes
    /// through socketioxide, has passed. `started` is an item that was emitted in part.
    fn hand_over(
        &self,
        socket: &Arc<Socket<LocalAdapter>>,
        transport: &Transport,
        started: Option<OutboundItem>,
    ) -> WriterEnd {
        let mut queue = self.lock();
        queue.phase = PathPhase::Replaced;
        let items = std::mem::take(&mut queue.items);
        transport.hold(started.into_iter().chain(items).map(QueueItem::from));
        drop(queue);
        // The sentinel is sent after all items are held, because it releases them.
        match socket.emit(SENTINEL, &()) {
            Ok(()) => WriterEnd::Replaced,
            Err(error) => WriterEnd::failed(&error),
        }
    }
}

fn emit_event(socket: &Socket<LocalAdapter>, event: &BrowserEvent, cursor: &str) -> Result<(), WriterEnd> {
    let payload: &RawValue =
        serde_json::from_str(&event.payload).map_err(|error| WriterEnd::failed(&error))?;
    socket
        .emit(event.name, &(payload, cursor))
        .map_err(|error| WriterEnd::failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(bytes: usize) -> OutboundItem {
        let event = BrowserEvent {
            name: "session-updated",
            payload: "x".repeat(bytes).into(),
        };
        OutboundItem::Event(Arc::new(event), "".into())
    }

    #[test]
    fn i7_a_full_queue_accepts_no_item_and_an_empty_one_accepts_any() {
        let push =
            |path: &SocketioxidePath, bytes| path.push(event(bytes)).map(|returned| returned.is_none());
        let path = SocketioxidePath::new(1_000);
        assert_eq!(push(&path, 5_000), Ok(true));
        assert_eq!(push(&path, 1), Err(Full));
        let path = SocketioxidePath::new(1_000);
        assert_eq!(push(&path, 436), Ok(true));
        assert_eq!(push(&path, 436), Ok(true));
        assert_eq!(push(&path, 1), Err(Full));
    }
}
