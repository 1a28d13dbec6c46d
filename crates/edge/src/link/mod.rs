//! The link: one control plane at a time feeds the edge. If that control plane fails, is slow or silent, the edge attaches
//! to another one and renews its interests with its positions; sockets are not affected.

mod attach;
mod calls;
mod dial;
mod end;
mod joins;
mod open;
mod outage;
mod reads;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use roomcast_core::{
    Position, RoomId, SessionId, UserId,
    rooms::{SocketId, SocketRequestId},
};
use roomcast_proto::{join::Join, link::FromEdge};
use roomcast_runtime::admin::Gate;
use tokio::sync::{Notify, mpsc, watch};

use crate::{
    config::EdgeId,
    inbox::{AttachmentId, Inbox, LinkInput},
    metrics::Metrics,
};

pub(crate) use attach::Attacher;
pub use dial::{ControlPlaneChannel, Credentials, DialError, Dialer};
pub(crate) use joins::JoinAuthorizer;
pub(crate) use reads::LogReader;

use calls::CurrentControlPlane;
use joins::JoinRequest;
use open::Opener;
use reads::ReadRequest;

/// The most interests that wait for the link. Beyond it, the link attaches again, which renews all interests.
pub(crate) const INTERESTS_LIMIT: usize = 1_048_576;
/// The most joins that wait for a call. Beyond it, joins are denied as `unavailable`.
const JOINS_LIMIT: usize = 16_384;
/// The most reads that wait for a call. Beyond it, reads fail, and their joins are denied as `unavailable`.
const READS_LIMIT: usize = 16_384;
/// The most inputs that wait for the rooms task. Beyond it, the link waits.
const INPUTS_LIMIT: usize = 1_024;

/// How the edge finds control planes.
pub(crate) struct LinkConfig {
    pub(crate) edge_id: EdgeId,
    pub(crate) control_planes: Vec<http::Uri>,
    pub(crate) dialer: Dialer,
    /// How often, on average, the edge looks for a control plane with fewer edges.
    pub(crate) rebalance: Duration,
    /// The most interests that wait for the link.
    pub(crate) interests_limit: usize,
}

/// The parts of a link, which the caller runs as tasks.
pub(crate) struct Link {
    pub(crate) handle: LinkHandle,
    pub(crate) inputs: mpsc::Receiver<LinkInput>,
    pub(crate) attacher: Attacher,
    pub(crate) joins: JoinAuthorizer,
    pub(crate) reads: LogReader,
}

/// A queue of the link is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LinkFull;

/// The rooms task's side of the link.
pub(crate) struct LinkHandle {
    interests: mpsc::Sender<(AttachmentId, FromEdge)>,
    /// Notified when an interest did not fit, so that the link attaches again.
    overrun: Arc<Notify>,
    joins: mpsc::Sender<JoinRequest>,
    reads: mpsc::Sender<ReadRequest>,
}

/// Creates a link. The results of calls go to `inbox`; `gate` is open while the edge is attached.
pub(crate) fn link(config: LinkConfig, inbox: Inbox, gate: Gate, metrics: Metrics) -> Link {
    let (interests, interest_queue) = mpsc::channel(config.interests_limit);
    let (joins, join_queue) = mpsc::channel(JOINS_LIMIT);
    let (reads, read_queue) = mpsc::channel(READS_LIMIT);
    let (input_sender, inputs) = mpsc::channel(INPUTS_LIMIT);
    let (channel_sender, channel) = watch::channel(None);
    let overrun = Arc::new(Notify::new());
    let control_plane = CurrentControlPlane::new(channel);
    let opener = Opener {
        edge_id: config.edge_id,
        control_planes: config.control_planes,
        dialer: config.dialer,
    };
    Link {
        handle: LinkHandle {
            interests,
            overrun: overrun.clone(),
            joins,
            reads,
        },
        inputs,
        attacher: Attacher {
            opener: Arc::new(opener),
            rebalance: config.rebalance,
            interests: interest_queue,
            inputs: input_sender,
            channel: channel_sender,
            overrun,
            gate,
            metrics,
        },
        joins: JoinAuthorizer {
            queue: join_queue,
            control_plane: control_plane.clone(),
            inbox: inbox.clone(),
        },
        reads: LogReader {
            queue: read_queue,
            control_plane,
            inbox,
        },
    }
}

impl LinkHandle {
    /// Requests a room's entries after a position, or its snapshot first. An interest of an earlier attachment has no
    /// effect.
    pub(crate) fn interest(&self, attachment: AttachmentId, room: RoomId, after: Option<Position>) {
        self.send(attachment, FromEdge::Interest { room, after });
    }

    /// Ends an interest.
    pub(crate) fn end_interest(&self, attachment: AttachmentId, room: RoomId) {
        self.send(attachment, FromEdge::EndInterest { room });
    }

    fn send(&self, attachment: AttachmentId, item: FromEdge) {
        if self.interests.try_send((attachment, item)).is_err() {
            self.overrun.notify_one();
        }
    }

    /// Requests whether a user may join a session. The result arrives as
    /// [`Input::Authorized`](roomcast_core::rooms::Input::Authorized).
    pub(crate) fn authorize(
        &self,
        socket: SocketId,
        session: SessionId,
        user: UserId,
        request: SocketRequestId,
    ) -> Result<(), LinkFull> {
        let request = JoinRequest {
            socket,
            join: Join { session, user },
            request,
        };
        self.joins.try_send(request).map_err(|_| LinkFull)
    }

    /// Requests a room's log after a position. The result arrives as
    /// [`Input::ReadResult`](roomcast_core::rooms::Input::ReadResult).
    pub(crate) fn read(&self, room: RoomId, after: Position) -> Result<(), LinkFull> {
        self.reads
            .try_send(ReadRequest { room, after })
            .map_err(|_| LinkFull)
    }
}
