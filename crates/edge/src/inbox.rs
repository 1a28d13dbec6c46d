//! The inputs of the rooms task, and the queue that they wait in.
//!
//! Nothing here waits in a task of its own. A request that does not fit into the queue is returned to its sender. A
//! disconnected socket takes no space in the queue: its id is kept in a list, once for each socket.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use roomcast_core::{
    ErrorCode, Position, SessionId,
    rooms::{self, ResumeOutcome, SocketId},
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::outbound::SocketHandle;

/// The most inputs that wait for the rooms task. Beyond it, requests of sockets are denied as `rate_limited`; new
/// connections, resumes, refreshed tokens and the results of calls wait.
pub(crate) const INBOX_LIMIT: usize = 16_384;

/// Numbers the attachments of the link, for as long as the process runs. An interest of one attachment has no meaning for the
/// next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct AttachmentId(pub(crate) u64);

/// The id of the acknowledgement that the browser requested; `None` if it requested none. A denial without an
/// acknowledgement is sent as `session-error`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AckId(pub(crate) Option<i64>);

/// A denied request of a browser.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    /// The session id as the browser sent it, if it could be read.
    pub(crate) session: Option<String>,
    pub(crate) code: ErrorCode,
    /// The reason, and how to correct it, for developers.
    pub(crate) message: String,
}

/// An input from the link.
#[derive(Debug)]
pub(crate) enum LinkInput {
    /// The edge is attached to a control plane.
    Attached(AttachmentId),
    Rooms(rooms::Input),
}

/// An input from a socket, or the result of a call to the control plane.
pub(crate) enum RoomsInput {
    Connected {
        socket: Arc<SocketHandle>,
        /// When the token expires, in seconds since the Unix epoch.
        expires_at: i64,
        /// Notified when the socket is in its user's room.
        user_room_joined: oneshot::Sender<()>,
    },
    TokenRefreshed {
        socket: SocketId,
        /// When the new token expires, in seconds since the Unix epoch.
        expires_at: i64,
    },
    /// The socket reconnects with a cursor.
    Resume {
        socket: SocketId,
        positions: BTreeMap<SessionId, Position>,
        outcome: oneshot::Sender<ResumeOutcome>,
    },
    Join {
        socket: SocketId,
        session: SessionId,
        after: Option<Position>,
        ack: AckId,
    },
    Leave {
        socket: SocketId,
        session: SessionId,
        ack: AckId,
    },
    /// A request was denied before it reached the rooms task, which sends the denial.
    Deny {
        socket: SocketId,
        denial: Denial,
        ack: AckId,
    },
    Rooms(rooms::Input),
}

/// Creates the inbox of the rooms task.
pub(crate) fn channel() -> (Inbox, InboxReceiver) {
    let (sender, queue) = mpsc::channel(INBOX_LIMIT);
    let disconnected = Arc::new(Disconnected::default());
    let inbox = Inbox {
        queue: sender,
        disconnected: disconnected.clone(),
    };
    (inbox, InboxReceiver { queue, disconnected })
}

/// The senders' side.
#[derive(Clone)]
pub(crate) struct Inbox {
    queue: mpsc::Sender<RoomsInput>,
    disconnected: Arc<Disconnected>,
}

/// The disconnected sockets that the rooms task has not removed yet. A socket gets into the list once, and only after
/// its [`RoomsInput::Connected`] was queued, so that the list is never longer than the queue's limit and the number of
/// sockets in the rooms task together.
#[derive(Default)]
struct Disconnected {
    sockets: Mutex<Vec<SocketId>>,
    changed: Notify,
}

impl Inbox {
    /// Waits for a free slot in the queue. `None` if the rooms task has ended.
    pub(crate) async fn reserve(&self) -> Option<mpsc::Permit<'_, RoomsInput>> {
        self.queue.reserve().await.ok()
    }

    /// Queues an input, after waiting for a free slot. The input is dropped if the rooms task has ended, because the edge
    /// ends then.
    pub(crate) async fn send(&self, input: RoomsInput) {
        let _ = self.queue.send(input).await;
    }

    /// Queues an input without waiting. Returns it if the queue is full.
    pub(crate) fn try_send(&self, input: RoomsInput) -> Result<(), RoomsInput> {
        self.queue
            .try_send(input)
            .map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Removes a socket from the rooms task. Its [`RoomsInput::Connected`] was queued before. Later calls for the same
    /// socket have no effect.
    pub(crate) fn disconnect(&self, socket: &SocketHandle) {
        if socket.mark_disconnected() {
            self.disconnected.lock().push(socket.id);
            self.disconnected.changed.notify_one();
        }
    }
}

impl Disconnected {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SocketId>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rooms task's side.
pub(crate) struct InboxReceiver {
    queue: mpsc::Receiver<RoomsInput>,
    disconnected: Arc<Disconnected>,
}

/// What the rooms task receives.
pub(crate) enum Received {
    Input(RoomsInput),
    /// Sockets that have disconnected. The rooms task ignores those that it does not hold: their
    /// [`RoomsInput::Connected`] is still queued, and it ignores that, too.
    Disconnected(Vec<SocketId>),
}

impl InboxReceiver {
    /// The next input; disconnected sockets come first. `None` once there is no sender. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Option<Received> {
        tokio::select! {
            biased;
            () = self.disconnected.changed.notified() => {
                Some(Received::Disconnected(std::mem::take(&mut *self.disconnected.lock())))
            }
            input = self.queue.recv() => input.map(Received::Input),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Limits,
        transport::{InitialTransport, Transports},
    };

    fn socket(id: u64) -> SocketHandle {
        let transports = Transports::new(Default::default(), Limits::DEFAULT);
        let transport = transports.open(InitialTransport::WebSocket);
        SocketHandle::new(SocketId(id), "alice".parse().unwrap(), transport, None)
    }

    fn leave(id: u64) -> RoomsInput {
        RoomsInput::Leave {
            socket: SocketId(id),
            session: "s1".parse().unwrap(),
            ack: AckId(None),
        }
    }

    #[tokio::test]
    async fn i7_a_full_queue_returns_requests_and_still_takes_disconnects() {
        let (inbox, mut receiver) = channel();
        for _ in 0..INBOX_LIMIT {
            assert!(inbox.try_send(leave(1)).is_ok());
        }
        assert!(inbox.try_send(leave(1)).is_err());
        inbox.disconnect(&socket(7));
        let Some(Received::Disconnected(sockets)) = receiver.recv().await else {
            panic!("disconnects come before the queue")
        };
        assert_eq!(sockets, [SocketId(7)]);
        assert!(matches!(receiver.recv().await, Some(Received::Input(_))));
    }

    #[tokio::test]
    async fn a_socket_is_disconnected_once() {
        let (inbox, mut receiver) = channel();
        let socket = socket(7);
        for _ in 0..3 {
            inbox.disconnect(&socket);
        }
        let Some(Received::Disconnected(sockets)) = receiver.recv().await else {
            panic!("a socket was disconnected")
        };
        assert_eq!(sockets, [SocketId(7)]);
        inbox.disconnect(&socket);
        drop(inbox);
        assert!(receiver.recv().await.is_none());
    }
}
