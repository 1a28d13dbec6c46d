//! The direct path of a transport: what `direct/` does for its WebSocket.

use std::{
    io,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::net::tcp::OwnedWriteHalf;
use tracing::debug;

use super::{InitialTransport, Transport, UpgradeState};
use crate::{
    direct::{
        FollowUp, Full, Wire, WireOwner, WriteMode,
        frame::Frame,
        frame_splitter::{FrameKind, RawFrame},
        queue::QueueItem,
    },
    packet::connect,
};

impl WireOwner for Transport {
    fn flush(self: &Arc<Self>) {
        if let Some(wire) = self.wire.get() {
            self.follow_up(wire, wire.flush(self));
        }
    }
}

impl Transport {
    /// Whether events take the direct path from the beginning.
    pub(crate) fn is_direct(&self) -> bool {
        self.initial == InitialTransport::WebSocket && self.registry.shared.limits.direct_path
    }

    /// Waits until the direct path can replace polling. It never returns where the direct path is switched off.
    pub(crate) async fn direct_path_ready(&self) {
        let enabled = self.registry.shared.limits.direct_path;
        self.until(|it| enabled && it.wire.get().is_some() && it.upgrade_state() == UpgradeState::Ended)
            .await;
    }

    /// Attaches the WebSocket. `greeting` is sent before everything else.
    pub(super) fn attach(&self, tcp: OwnedWriteHalf, greeting: Bytes) {
        let shared = &self.registry.shared;
        let wire = Wire::new(
            tcp,
            &shared.flushers,
            self.number,
            greeting,
            shared.limits.outbound_bytes,
        );
        let _ = self.wire.set(wire); // A transport gets one WebSocket only.
        if self.is_killed() {
            self.kill_now();
        }
    }

    /// Sends an item on the direct path. Without a WebSocket the item is dropped.
    pub(crate) fn send(self: &Arc<Self>, item: QueueItem, mode: WriteMode) -> Result<(), Full> {
        if let Some(wire) = self.wire.get() {
            let result = wire.send(self, item, mode)?;
            self.follow_up(wire, result.map(|follow_up| (follow_up, 0)));
        }
        Ok(())
    }

    /// Takes over the items of socketioxide's path. They are sent after the sentinel.
    pub(crate) fn hold(&self, items: impl Iterator<Item = QueueItem>) {
        if let Some(wire) = self.wire.get() {
            wire.hold(items);
        }
    }

    /// Whether socketioxide may write. If not, its task is woken when the queue has space.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.wire.get() {
            Some(wire) => wire.poll_ready(cx),
            None => Poll::Ready(()),
        }
    }

    /// Queues a complete frame of socketioxide. The caller then calls [`Self::request_flush`].
    pub(super) fn enqueue(&self, raw: &RawFrame<'_>) -> io::Result<()> {
        let Some(wire) = self.wire.get() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let encoded = |tracked_events| Frame::encoded(raw.bytes.to_vec().into(), tracked_events);
        match raw.kind {
            FrameKind::Connect => {
                let payload = &raw.bytes[raw.payload_at..];
                let with_pid = self.insert_pid(|pid| connect::with_pid(payload, pid));
                let is_connect = with_pid.is_some();
                wire.enqueue(with_pid.map_or_else(|| encoded(0), Frame::text))?;
                if is_connect && self.is_direct() {
                    wire.release();
                }
            }
            FrameKind::Sentinel => wire.release(),
            FrameKind::Event => wire.enqueue(encoded(1))?,
            FrameKind::Close => {
                wire.enqueue(encoded(0))?;
                wire.end_direct();
            }
            FrameKind::Other => wire.enqueue(encoded(0))?,
        }
        Ok(())
    }

    /// Requests that the flusher writes what socketioxide queued. Usually more frames follow at once, and are written
    /// together with it.
    pub(crate) fn request_flush(self: &Arc<Self>) {
        if let Some(wire) = self.wire.get() {
            self.follow_up(wire, Ok((wire.request_flush(), 0)));
        }
    }

    /// Does what remains to be done after a write, and counts the events that were written.
    fn follow_up(self: &Arc<Self>, wire: &Wire<Self>, result: io::Result<(FollowUp, u64)>) {
        match result {
            Ok((follow_up, sent)) => {
                self.add_sent(sent);
                match follow_up {
                    FollowUp::Nothing => {}
                    FollowUp::Register => wire.register(self),
                    FollowUp::WatchStall => {
                        let stall = self.registry.shared.limits.write_stall;
                        self.registry
                            .spawn("write stall", watch_stall(Arc::downgrade(self), stall));
                    }
                }
            }
            Err(error) => {
                debug!(%error, "could not write to a browser");
                self.kill();
            }
        }
    }

    /// socketioxide has dropped the WebSocket.
    pub(super) fn close_wire(self: &Arc<Self>) {
        if let Some(wire) = self.wire.get() {
            let _ = wire.flush(self); // Writes the last frames; an error means that the connection is closed already.
            wire.shut_down();
        }
    }
}

/// Kills a transport from which the browser reads nothing for this long.
async fn watch_stall(transport: Weak<Transport>, stall: Duration) {
    let written = || transport.upgrade().and_then(|it| it.wire.get()?.check_stall());
    while let Some(before) = written() {
        tokio::time::sleep(stall).await;
        if written() == Some(before)
            && let Some(transport) = transport.upgrade()
        {
            debug!("killing the transport of a browser that reads nothing");
            return transport.kill();
        }
    }
}
