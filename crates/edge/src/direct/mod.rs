//! The direct path: the edge encodes events as WebSocket frames and writes them to the kernel itself, without
//! socketioxide and its tasks. socketioxide still implements the protocol (handshake, pings, the browser's packets), and
//! its frames enter the same queue.
//!
//! In this module, a *direct* frame is one that the edge encoded itself; all others are *socketioxide's*.
//!
//! The invariants of each wire:
//!
//! - D1 Only complete frames enter the queue, so that direct frames and socketioxide's interleave at frame boundaries.
//!   The frames of one writer are written in the order in which they entered.
//! - D2 No direct frame is written before CONNECT. On a wire that replaced polling, none is written before all events
//!   that were sent through socketioxide. Until then, direct frames are held. CONNECT releases them; after polling, the
//!   sentinel does: the last event that is sent through socketioxide. The browser never receives the sentinel.
//! - D3 While the queue is not empty, either the wire is on its flusher's list, or the kernel's buffer is full and the
//!   wire registers itself with the flusher when the buffer has space again.
//! - D4 Held and queued bytes together have a limit. A frame beyond it is returned, and the caller closes the transport:
//!   no frame is omitted between two others. socketioxide waits instead, as it would on a TCP stream.
//! - D5 No direct frame enters after a WebSocket close or a Socket.IO DISCONNECT. No frame at all enters after the
//!   transport was killed.
//! - D6 No write waits. A browser that reads nothing does not delay other sockets, and its transport is closed after the
//!   write-stall timeout.
//!
//! There are two ways to write, chosen for each event: inline, which is best if few sockets get the event; or by a
//! flusher, which writes everything that was queued for a socket meanwhile in one call.

mod flusher;
pub(crate) mod frame;
pub(crate) mod frame_splitter;
#[cfg(test)]
mod model;
pub(crate) mod queue;
mod wire;

use std::sync::Arc;

pub(crate) use flusher::Flushers;
pub(crate) use wire::Wire;

/// The connection that owns a wire, as the direct path needs it.
pub(crate) trait WireOwner: Send + Sync + 'static {
    /// Writes what is queued on the wire. A flusher calls it for each owner on its list.
    fn flush(self: &Arc<Self>);
}

/// When an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteMode {
    /// The caller writes the event at once, if nothing is queued for the socket; otherwise the flusher writes it.
    Inline,
    /// The flusher writes the event, together with everything that is queued for the socket by then.
    Flusher,
}

/// The queue is full. The item is dropped, and the caller closes the transport.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What the owner of a wire has to do after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum FollowUp {
    Nothing,
    /// Register the owner with the wire's flusher.
    Register,
    /// The kernel's buffer is full. The wire registers itself when there is space again; watch it for a stall.
    WatchStall,
}
