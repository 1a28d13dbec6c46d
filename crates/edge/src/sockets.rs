//! Sockets: their token at the door, their questions in order, their end.
//!
//! Handlers are registered in the connect middleware and take the order of events in their synchronous part: the
//! crate runs each event in a task of its own, and CONNECT goes out before the connect handler runs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use roomcast_auth::{Clock, TokenError, Verifier};
use roomcast_core::{
    Cursor, UserId,
    payload::rfc3339,
    rooms::{Resumed, SocketId},
};
use serde_json::{json, value::RawValue};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
    socket::DisconnectReason,
};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    config::Limits,
    incoming::{self, Arguments, Asked, Auth, BadRequest},
    metrics::Metrics,
    outbound::{Item, Outbound},
    pid,
    rate::RateLimit,
    switch::{Peer, Reply, Switch, Told},
    transport::Transport,
};

/// How long CONNECT waits for the user's room. Later the socket is let in all the same, and the room follows.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(1);

/// What a browser is told that asks too fast.
const TOO_MANY: &str = "too many events at once: slow down";

/// What all sockets share.
pub(crate) struct Sockets {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Clock,
    pub(crate) switch: Switch,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) next: AtomicU64,
}

/// A refused connection: the message is the code.
#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One socket, from its middleware to its end.
struct Live {
    sockets: Arc<Sockets>,
    peer: Arc<Peer>,
    rate: RateLimit,
    /// When its token's time is over: seconds since the Unix epoch.
    expires_at: AtomicI64,
    prolonged: Notify,
    gone: CancellationToken,
}

/// For those that end before they run.
impl Drop for Live {
    fn drop(&mut self) {
        self.sockets.switch.tell(Told::Disconnected(self.peer.id));
    }
}

/// Serves the one namespace `/`.
pub(crate) fn serve(io: &SocketIo, sockets: Arc<Sockets>) {
    let middleware = move |socket: SocketRef, auth: Auth| {
        let sockets = sockets.clone();
        async move { sockets.connect(socket, auth).await }
    };
    let connected = async |socket: SocketRef| {
        if let Some(live) = socket.extensions.get::<Arc<Live>>() {
            live.run(socket).await;
        }
    };
    io.ns("/", connected.with(middleware));
}

impl Sockets {
    async fn connect(self: Arc<Self>, socket: SocketRef, auth: Auth) -> Result<(), Refused> {
        let request = socket.req_parts();
        let Some(transport) = request.extensions.get::<Arc<Transport>>().cloned() else {
            error!("a connection without its transport");
            return Err(Refused("unavailable"));
        };
        let identity = match self.verifier.verify(&auth.token(&request.headers)).await {
            Ok(identity) => identity,
            Err(error) => return Err(self.refuse(error, &transport).await),
        };
        let Ok(user) = identity.subject.parse::<UserId>() else {
            return Err(self.refuse_code("token_invalid"));
        };
        let id = SocketId(self.next.fetch_add(1, Ordering::Relaxed));
        let outbound = Outbound::new(self.limits.outbound_bytes);
        let peer = Arc::new(Peer {
            id,
            user,
            outbound,
            transport,
        });
        let live = Arc::new(Live {
            rate: RateLimit::new(self.limits.event_rate, self.limits.event_burst, Instant::now()),
            sockets: self.clone(),
            peer: peer.clone(),
            expires_at: AtomicI64::new(identity.expires_at),
            prolonged: Notify::new(),
            gone: CancellationToken::new(),
        });
        live.register(&socket);
        socket.extensions.insert(live);
        let (welcome, welcomed) = oneshot::channel();
        // Told before the questions, which come after CONNECT.
        let connected = Told::Connected {
            peer: peer.clone(),
            welcome,
        };
        let _ending = self.switch.0.send(connected).await;
        let pid = match auth.resume() {
            Some((pid, cursor)) if pid::is_of(pid, &peer.user) => match self.resume(id, cursor).await {
                Resumed::Continued => Some(pid.to_owned()),
                Resumed::Fresh => None,
                Resumed::Unavailable => {
                    // It comes back with the same cursor; a CONNECT_ERROR would stop it.
                    peer.transport.kill_first().await;
                    return Err(Refused("unavailable"));
                }
            },
            Some(_) | None => None,
        };
        let pid = pid.unwrap_or_else(|| pid::mint(&peer.user, rand::random()));
        peer.transport.set_pid(pid);
        let _late = tokio::time::timeout(WELCOME_TIMEOUT, welcomed).await;
        Ok(())
    }

    async fn resume(&self, socket: SocketId, cursor: Cursor) -> Resumed {
        if cursor.0.is_empty() {
            return Resumed::Continued;
        }
        let (decided, decision) = oneshot::channel();
        let resume = Told::Resume {
            socket,
            positions: cursor.0,
            decided,
        };
        let _ending = self.switch.0.send(resume).await;
        decision.await.unwrap_or(Resumed::Unavailable)
    }

    async fn refuse(&self, error: TokenError, transport: &Transport) -> Refused {
        debug!(reason = %error, "refused a connection");
        match error.code() {
            Some(code) => self.refuse_code(code),
            None => {
                // No verdict on the token: the browser has to come back, and a CONNECT_ERROR would stop it.
                transport.kill_first().await;
                Refused("unavailable")
            }
        }
    }

    fn refuse_code(&self, code: &'static str) -> Refused {
        self.metrics.refused_connections.inc();
        Refused(code)
    }
}

impl Live {
    fn register(self: &Arc<Self>, socket: &SocketRef) {
        let live = self.clone();
        socket.on(
            "join-session",
            move |ack: AckSender, asked: Asked, arguments: Arguments| {
                let reply = Reply { ack, asked: asked.0 };
                match incoming::join(arguments) {
                    Ok((session, after)) => {
                        live.ask(
                            |socket, reply| Told::Join {
                                socket,
                                session,
                                after,
                                reply,
                            },
                            reply,
                        );
                    }
                    Err(bad) => live.bad_request(bad, reply),
                }
                async {}
            },
        );
        let live = self.clone();
        socket.on(
            "leave-session",
            move |ack: AckSender, asked: Asked, arguments: Arguments| {
                let reply = Reply { ack, asked: asked.0 };
                match incoming::leave(arguments) {
                    Ok(session) => live.ask(
                        |socket, reply| Told::Leave {
                            socket,
                            session,
                            reply,
                        },
                        reply,
                    ),
                    Err(bad) => live.bad_request(bad, reply),
                }
                async {}
            },
        );
        let live = self.clone();
        socket.on(
            "refresh-token",
            move |ack: AckSender, asked: Asked, arguments: Arguments| {
                let live = live.clone();
                async move { live.refresh(Reply { ack, asked: asked.0 }, arguments).await }
            },
        );
        let live = self.clone();
        socket.on_fallback(move |ack: AckSender, asked: Asked| {
            let text = "there is no such event: join-session, leave-session and refresh-token are known";
            let bad = BadRequest {
                session: None,
                text: text.to_owned(),
            };
            live.bad_request(bad, Reply { ack, asked: asked.0 });
            async {}
        });
        let gone = self.gone.clone();
        socket.on_disconnect(move |reason: DisconnectReason| {
            // Our own DISCONNECT is still on its way to the browser.
            if reason != DisconnectReason::ServerNSDisconnect {
                gone.cancel();
            }
            async {}
        });
    }

    /// Passes a question on, in order; too many at once are refused.
    fn ask(&self, told: impl FnOnce(SocketId, Reply) -> Told, reply: Reply) {
        let told = told(self.peer.id, reply);
        let back = if self.rate.take(Instant::now()) {
            self.sockets.switch.ask(told)
        } else {
            Err(told)
        };
        if let Err(Told::Join { session, reply, .. } | Told::Leave { session, reply, .. }) = back {
            self.refuse(
                reply,
                Some(session.to_string()),
                "rate_limited",
                TOO_MANY.to_owned(),
            );
        }
    }

    fn bad_request(&self, bad: BadRequest, reply: Reply) {
        if self.rate.take(Instant::now()) {
            self.refuse(reply, bad.session, "bad_request", bad.text);
        } else {
            self.refuse(reply, bad.session, "rate_limited", TOO_MANY.to_owned());
        }
    }

    fn refuse(&self, reply: Reply, session: Option<String>, code: &'static str, text: String) {
        let refusal = Told::Refuse {
            socket: self.peer.id,
            session,
            code,
            text,
            reply,
        };
        if self.sockets.switch.ask(refusal).is_err() {
            // Not even a no can be told: the page comes back when there is room.
            self.peer.transport.kill();
        }
    }

    /// Takes a new token of the same user in place of the old one.
    async fn refresh(&self, reply: Reply, arguments: Arguments) {
        let token = match incoming::token(arguments) {
            Ok(token) if self.rate.take(Instant::now()) => token,
            Ok(_) => return self.refuse(reply, None, "rate_limited", TOO_MANY.to_owned()),
            Err(bad) => return self.bad_request(bad, reply),
        };
        let (code, text) = match self.sockets.verifier.verify(&token).await {
            Ok(identity) if identity.subject == self.peer.user.as_str() => {
                self.expires_at.store(identity.expires_at, Ordering::Release);
                self.prolonged.notify_one();
                let expires_at = rfc3339(identity.expires_at.saturating_mul(1_000));
                return self.acknowledge(reply, &json!({ "ok": true, "expiresAt": expires_at }));
            }
            Ok(_) => (
                "token_invalid",
                "the token is another user's: connect anew with it".to_owned(),
            ),
            Err(error) => {
                let code = error.code().unwrap_or("unavailable");
                (
                    code,
                    format!("the token was not taken ({code}); the old one stays until it expires"),
                )
            }
        };
        if reply.asked {
            self.acknowledge(
                reply,
                &json!({ "ok": false, "error": { "code": code, "message": text } }),
            );
        } else {
            self.refuse(reply, None, code, text);
        }
    }

    fn acknowledge(&self, reply: Reply, answer: &serde_json::Value) {
        if let (true, Ok(json)) = (reply.asked, RawValue::from_string(answer.to_string()))
            && self.peer.outbound.push(Item::Ack(reply.ack, json)).is_err()
        {
            self.peer.transport.kill();
        }
    }

    /// Sends what is for the socket until it is gone or its token expires; then the transport is closed, so that a
    /// stock client comes back and is told `token_expired`.
    async fn run(&self, socket: SocketRef) {
        let killed = self.peer.transport.killed();
        tokio::select! {
            biased;
            () = self.gone.cancelled() => {}
            () = killed.cancelled() => {}
            () = self.expired() => debug!(socket = self.peer.id.0, "the token expired"),
            () = self.peer.outbound.write(socket.clone(), &self.peer.transport) => {}
        }
        self.peer.transport.kill();
        self.peer.outbound.close();
        self.sockets.switch.tell(Told::Disconnected(self.peer.id));
        // A polling transport has no stream whose end would tell the crate; an error means that it knows.
        let _ = socket.disconnect();
    }

    async fn expired(&self) {
        loop {
            let left = self.expires_at.load(Ordering::Acquire) - self.sockets.clock.now();
            let Ok(left) = u64::try_from(left) else { return };
            if left == 0 {
                return;
            }
            // The clock has whole seconds, so the last wait is short and looks again; so does a clock that was set.
            let wait = Duration::from_secs(left).min(Duration::from_secs(60));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.prolonged.notified() => {}
            }
        }
    }
}
