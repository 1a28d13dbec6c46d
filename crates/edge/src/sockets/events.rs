//! The events of one connected socket: the browser's requests, in order, and the end of the connection.

use std::sync::Arc;

use roomcast_auth::TokenError;
use roomcast_core::{ErrorCode, browser_event::rfc3339};
use socketioxide::{
    adapter::LocalAdapter,
    extract::SocketRef,
    handler::MessageHandler,
    socket::{DisconnectReason, Socket},
};
use socketioxide_core::Value as Packet;
use tokio::time::Instant;

use super::{
    Sockets, code_of,
    request::{self, BadRequest, BrowserRequest},
};
use crate::{
    inbox::{AckId, Denial, RoomsInput},
    outbound::{OutboundItem, SocketHandle, WriterEnd},
    packet::acknowledgement::Acknowledgement,
    rate_limit::RateLimit,
};

const TOO_MANY_EVENTS: &str = "too many events at once: slow down";
const UNKNOWN_EVENT: &str = "there is no such event: use join-session, leave-session or refresh-token";
const OTHER_USER: &str = "the token belongs to another user: connect again with it";

/// One connected socket.
pub(super) struct ConnectedSocket {
    sockets: Arc<Sockets>,
    handle: Arc<SocketHandle>,
    /// Limits the browser's events.
    rate: RateLimit,
}

/// For sockets whose connection ends before socketioxide calls the disconnect handler.
impl Drop for ConnectedSocket {
    fn drop(&mut self) {
        self.sockets.inbox.disconnect(&self.handle);
    }
}

impl ConnectedSocket {
    /// Registers the handlers of a socket.
    pub(super) fn register(sockets: &Arc<Sockets>, handle: Arc<SocketHandle>, socket: &SocketRef) {
        let limits = &sockets.limits;
        let uses_socketioxide = handle.socketioxide_path.is_some();
        let connected = Arc::new(Self {
            rate: RateLimit::new(limits.event_rate, limits.event_burst, Instant::now()),
            sockets: sockets.clone(),
            handle,
        });
        socket.on_fallback(RequestHandler(connected.clone()));
        let disconnecting = connected.clone();
        socket.on_disconnect(move |reason: DisconnectReason| {
            disconnecting.handle_disconnect(reason);
            async {}
        });
        if uses_socketioxide {
            socket.extensions.insert(connected);
        }
    }

    /// The browser has disconnected, or is about to.
    fn handle_disconnect(&self, reason: DisconnectReason) {
        // The server's DISCONNECT is still on its way to the browser.
        if reason == DisconnectReason::ServerNSDisconnect {
            return;
        }
        self.sockets.inbox.disconnect(&self.handle);
        if reason == DisconnectReason::ClientNSDisconnect && self.handle.socketioxide_path.is_some() {
            // The browser closes its transport next, and the current poll needs a response.
            self.handle.transport.kill_after_grace();
        } else {
            self.handle.transport.kill();
        }
    }

    fn handle_request(self: &Arc<Self>, request: &BrowserRequest, ack: AckId) {
        let socket = self.handle.id;
        match request.name.as_str() {
            "join-session" => match request::join(request) {
                Ok((session, after)) => self.forward(RoomsInput::Join {
                    socket,
                    session,
                    after,
                    ack,
                }),
                Err(bad) => self.deny_bad_request(bad, ack),
            },
            "leave-session" => match request::leave(request) {
                Ok(session) => self.forward(RoomsInput::Leave { socket, session, ack }),
                Err(bad) => self.deny_bad_request(bad, ack),
            },
            "refresh-token" => match request::token(request) {
                Ok(token) if self.rate.take(Instant::now()) => self.spawn_refresh(token, ack),
                Ok(_) => self.deny(None, ErrorCode::RateLimited, TOO_MANY_EVENTS.to_owned(), ack),
                Err(bad) => self.deny_bad_request(bad, ack),
            },
            _ => {
                let bad = BadRequest {
                    session: None,
                    reason: UNKNOWN_EVENT.to_owned(),
                };
                self.deny_bad_request(bad, ack);
            }
        }
    }

    /// Forwards a request to the rooms task. Requests beyond the rate limit are denied.
    fn forward(&self, input: RoomsInput) {
        let returned = if self.rate.take(Instant::now()) {
            self.sockets.inbox.try_send(input)
        } else {
            Err(input)
        };
        if let Err(RoomsInput::Join { session, ack, .. } | RoomsInput::Leave { session, ack, .. }) = returned
        {
            let session = Some(session.to_string());
            self.deny(session, ErrorCode::RateLimited, TOO_MANY_EVENTS.to_owned(), ack);
        }
    }

    fn deny_bad_request(&self, bad: BadRequest, ack: AckId) {
        if self.rate.take(Instant::now()) {
            self.deny(bad.session, ErrorCode::BadRequest, bad.reason, ack);
        } else {
            self.deny(
                bad.session,
                ErrorCode::RateLimited,
                TOO_MANY_EVENTS.to_owned(),
                ack,
            );
        }
    }

    fn deny(&self, session: Option<String>, code: ErrorCode, message: String, ack: AckId) {
        let denial = Denial {
            session,
            code,
            message,
        };
        let socket = self.handle.id;
        let deny = RoomsInput::Deny { socket, denial, ack };
        if self.sockets.inbox.try_send(deny).is_err() {
            // The queue is full even for a denial: the page reconnects later.
            self.handle.transport.kill();
        }
    }

    /// Verifies a new token in a task, which ends when the transport is killed.
    fn spawn_refresh(self: &Arc<Self>, token: String, ack: AckId) {
        let connected = self.clone();
        self.sockets.tasks.spawner().spawn("refresh token", async move {
            tokio::select! {
                biased;
                () = connected.handle.transport.killed() => {}
                () = connected.refresh_token(&token, ack) => {}
            }
        });
    }

    /// Replaces the token by a new one of the same user.
    async fn refresh_token(&self, token: &str, ack: AckId) {
        let (code, message) = match self.sockets.verifier.verify(token).await {
            Ok(identity) if identity.subject == self.handle.user.as_str() => {
                let refreshed = RoomsInput::TokenRefreshed {
                    socket: self.handle.id,
                    expires_at: identity.expires_at,
                };
                self.sockets.inbox.send(refreshed).await;
                let expires_at = rfc3339(identity.expires_at.saturating_mul(1_000));
                return self.acknowledge(ack, || Acknowledgement::token_refreshed(&expires_at));
            }
            Ok(_) => (ErrorCode::TokenInvalid, OTHER_USER.to_owned()),
            Err(error) => token_denial(error),
        };
        if ack.0.is_some() {
            self.acknowledge(ack, || Acknowledgement::token_denied(code, &message));
        } else {
            self.deny(None, code, message, ack);
        }
    }

    fn acknowledge(&self, ack: AckId, json: impl FnOnce() -> Acknowledgement) {
        if let Some(id) = ack.0
            && self
                .handle
                .send(OutboundItem::Acknowledgement(id, json()))
                .is_err()
        {
            self.handle.transport.kill();
        }
    }

    /// Sends what takes socketioxide's path, until the direct path replaces it or the socket is closed.
    pub(super) async fn write_by_socketioxide(&self, socket: Arc<Socket<LocalAdapter>>) {
        let transport = &self.handle.transport;
        let Some(path) = &self.handle.socketioxide_path else {
            return;
        };
        let end = tokio::select! {
            biased;
            () = transport.killed() => WriterEnd::Closed,
            end = path.write(&socket, transport) => end,
        };
        if end == WriterEnd::Replaced {
            return;
        }
        self.sockets.inbox.disconnect(&self.handle);
        transport.kill();
        path.close();
        // A polling transport has no stream whose end would notify socketioxide. An error means that socketioxide has
        // closed the socket already.
        let _ = socket.disconnect();
    }
}

fn token_denial(error: TokenError) -> (ErrorCode, String) {
    let code = code_of(error);
    let message = format!("the token was not accepted ({code}); the old one is valid until it expires");
    (code, message)
}

/// Receives the browser's events one after the other, in order.
struct RequestHandler(Arc<ConnectedSocket>);

impl MessageHandler<LocalAdapter, ()> for RequestHandler {
    fn call(&self, _: Arc<Socket<LocalAdapter>>, packet: Packet, ack: Option<i64>) {
        self.0.handle_request(&BrowserRequest::read(&packet), AckId(ack));
    }
}
