//! Sockets: authentication, resume, and the registration of their handlers.
//!
//! Handlers are registered in the connect middleware, because CONNECT is sent before the connect handler runs. Their
//! synchronous part fixes the order of a socket's events, because socketioxide runs each event in a task of its own.

mod events;
mod pid;
mod request;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use roomcast_auth::{TokenError, Verifier};
use roomcast_core::{
    Cursor, ErrorCode, UserId,
    rooms::{ResumeOutcome, SocketId},
};
use roomcast_runtime::lifecycle::TaskGroup;
use socketioxide::{SocketIo, extract::SocketRef, handler::ConnectHandler};
use tokio::sync::oneshot;
use tracing::{debug, error};

use crate::{
    config::Limits,
    inbox::{Inbox, RoomsInput},
    metrics::Metrics,
    outbound::{SocketHandle, SocketioxidePath},
    transport::{Transport, Transports},
};
use events::ConnectedSocket;
use request::{Auth, ExtractSocket};

/// How long CONNECT waits until the socket is in its user's room. After that, CONNECT is sent, and the
/// socket joins the room later.
const USER_ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// What all sockets share.
pub(crate) struct Sockets {
    verifier: Verifier,
    inbox: Inbox,
    limits: Limits,
    metrics: Metrics,
    transports: Transports,
    next_id: AtomicU64,
    /// The tasks of work that takes longer than a handler may take.
    tasks: TaskGroup,
}

/// A denied connection. socketioxide sends the text as the message of `connect_error`.
#[derive(Debug)]
struct ConnectionDenial(ErrorCode);

impl fmt::Display for ConnectionDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Serves the one namespace `/`.
pub(crate) fn serve(io: &SocketIo, sockets: Sockets) {
    let sockets = Arc::new(sockets);
    let middleware = move |socket: SocketRef, auth: Auth| {
        let sockets = sockets.clone();
        async move { sockets.connect(socket, auth).await }
    };
    let connected = async |socket: SocketRef, ExtractSocket(extracted): ExtractSocket| {
        if let Some(connected) = socket.extensions.get::<Arc<ConnectedSocket>>() {
            connected.write_by_socketioxide(extracted).await;
        }
    };
    io.ns("/", connected.with(middleware));
}

impl Sockets {
    pub(crate) fn new(
        verifier: Verifier,
        inbox: Inbox,
        limits: Limits,
        metrics: Metrics,
        transports: Transports,
    ) -> Self {
        Self {
            verifier,
            inbox,
            limits,
            metrics,
            transports,
            next_id: AtomicU64::new(1),
            tasks: TaskGroup::new(),
        }
    }

    /// Runs before CONNECT is sent.
    async fn connect(self: Arc<Self>, socket: SocketRef, auth: Auth) -> Result<(), ConnectionDenial> {
        let parts = socket.req_parts();
        let Some(transport) = self.transports.find_by_request(parts) else {
            error!("denied a connection: its transport is not registered");
            return Err(ConnectionDenial(ErrorCode::Unavailable));
        };
        let identity = match self.verifier.verify(&auth.token(&parts.headers)).await {
            Ok(identity) => identity,
            Err(error) => return Err(self.deny(error, &transport).await),
        };
        let Ok(user) = identity.subject.parse::<UserId>() else {
            return Err(self.count_denial(ErrorCode::TokenInvalid));
        };
        let Some(slot) = self.inbox.reserve().await else {
            // The edge is shutting down.
            transport.kill_and_wait().await;
            return Err(ConnectionDenial(ErrorCode::Unavailable));
        };
        // No await from here until the socket is queued, so that every socket that can disconnect was queued.
        let handle = Arc::new(self.handle(user, transport));
        ConnectedSocket::register(&self, handle.clone(), &socket);
        let (user_room_joined, joined) = oneshot::channel();
        // This input is queued before the socket's requests, because the browser sends requests only after CONNECT.
        slot.send(RoomsInput::Connected {
            socket: handle.clone(),
            expires_at: identity.expires_at,
            user_room_joined,
        });
        let pid = match auth.resume() {
            Some((pid, cursor)) if pid::belongs_to(pid, &handle.user) => {
                match self.resume(handle.id, cursor).await {
                    ResumeOutcome::Continued => Some(pid.to_owned()),
                    ResumeOutcome::Fresh => None,
                    ResumeOutcome::Unavailable => {
                        // The browser reconnects with the same cursor; after a CONNECT_ERROR, it would not.
                        handle.transport.kill_and_wait().await;
                        return Err(ConnectionDenial(ErrorCode::Unavailable));
                    }
                }
            }
            Some(_) | None => None,
        };
        let pid = pid.unwrap_or_else(|| pid::mint(&handle.user, rand::random()));
        handle.transport.set_pid(pid);
        let _ = tokio::time::timeout(USER_ROOM_TIMEOUT, joined).await; // CONNECT leaves in both cases.
        Ok(())
    }

    fn handle(&self, user: UserId, transport: Arc<Transport>) -> SocketHandle {
        let id = SocketId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let path =
            (!transport.is_direct()).then(|| Box::new(SocketioxidePath::new(self.limits.outbound_bytes)));
        SocketHandle::new(id, user, transport, path)
    }

    async fn resume(&self, socket: SocketId, cursor: Cursor) -> ResumeOutcome {
        if cursor.0.is_empty() {
            return ResumeOutcome::Continued;
        }
        let (outcome, decided) = oneshot::channel();
        let resume = RoomsInput::Resume {
            socket,
            positions: cursor.0,
            outcome,
        };
        self.inbox.send(resume).await;
        decided.await.unwrap_or(ResumeOutcome::Unavailable)
    }

    async fn deny(&self, error: TokenError, transport: &Arc<Transport>) -> ConnectionDenial {
        debug!(reason = %error, "denied a connection");
        match error {
            TokenError::Missing | TokenError::Invalid(_) | TokenError::Expired => {
                self.count_denial(code_of(error))
            }
            TokenError::KeysUnavailable => {
                // The token may be valid: the browser has to reconnect, and after a CONNECT_ERROR it would not.
                transport.kill_and_wait().await;
                ConnectionDenial(ErrorCode::Unavailable)
            }
        }
    }

    fn count_denial(&self, code: ErrorCode) -> ConnectionDenial {
        self.metrics.denied_connections.inc();
        ConnectionDenial(code)
    }
}

/// The code of a token that was not accepted.
fn code_of(error: TokenError) -> ErrorCode {
    match error {
        TokenError::Missing => ErrorCode::TokenMissing,
        TokenError::Invalid(_) => ErrorCode::TokenInvalid,
        TokenError::Expired => ErrorCode::TokenExpired,
        TokenError::KeysUnavailable => ErrorCode::Unavailable,
    }
}
