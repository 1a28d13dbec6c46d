//! Sockets: their token at the door, their questions in order, their end.
//!
//! Handlers are registered in the connect middleware and take the order of events in their synchronous part: the
//! crate runs each event in a task of its own, and CONNECT goes out before the connect handler runs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use roomcast_auth::{TokenError, Verifier};
use roomcast_core::{
    Cursor, UserId,
    browser_event::rfc3339,
    rooms::{ResumeOutcome, SocketId},
};
use serde_json::{json, value::RawValue};
use socketioxide::{
    SocketIo,
    adapter::LocalAdapter,
    extract::SocketRef,
    handler::{ConnectHandler, MessageHandler},
    socket::{DisconnectReason, Socket},
};
use socketioxide_core::Value as Packet;
use tokio::sync::oneshot;
use tracing::{debug, error};

use crate::{
    config::Limits,
    incoming::{self, Auth, BadRequest, Itself, Question},
    metrics::Metrics,
    outbound::{Ended, Outbound},
    peer::{Item, Peer},
    pid,
    rate::RateLimit,
    switch::{Reply, Switch, Told},
    transport::{Transport, Transports},
};

/// How long CONNECT waits for the user's room. Later the socket is let in all the same, and the room follows.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(1);

/// What a browser is told that asks too fast.
const TOO_MANY: &str = "too many events at once: slow down";

/// What all sockets share.
pub(crate) struct Sockets {
    pub(crate) verifier: Verifier,
    pub(crate) switch: Switch,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) transports: Transports,
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
    let connected = async |socket: SocketRef, Itself(it): Itself| {
        if let Some(live) = socket.extensions.get::<Arc<Live>>()
            && let Some(outbound) = &live.peer.outbound
        {
            live.run(it, outbound).await;
        }
    };
    io.ns("/", connected.with(middleware));
}

impl Sockets {
    async fn connect(self: Arc<Self>, socket: SocketRef, auth: Auth) -> Result<(), Refused> {
        let request = socket.req_parts();
        let Some(transport) = self.transports.of(request) else {
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
        let outbound = (!transport.is_direct()).then(|| Box::new(Outbound::new(self.limits.outbound_bytes)));
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
        });
        live.register(&socket);
        if peer.outbound.is_some() {
            socket.extensions.insert(live);
        }
        let (welcome, welcomed) = oneshot::channel();
        // Told before the questions, which come after CONNECT.
        let connected = Told::Connected {
            peer: peer.clone(),
            expires_at: identity.expires_at,
            welcome,
        };
        let _ending = self.switch.0.send(connected).await;
        let pid = match auth.resume() {
            Some((pid, cursor)) if pid::is_of(pid, &peer.user) => match self.resume(id, cursor).await {
                ResumeOutcome::Continued => Some(pid.to_owned()),
                ResumeOutcome::Fresh => None,
                ResumeOutcome::Unavailable => {
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

    async fn resume(&self, socket: SocketId, cursor: Cursor) -> ResumeOutcome {
        if cursor.0.is_empty() {
            return ResumeOutcome::Continued;
        }
        let (decided, decision) = oneshot::channel();
        let resume = Told::Resume {
            socket,
            positions: cursor.0,
            decided,
        };
        let _ending = self.switch.0.send(resume).await;
        decision.await.unwrap_or(ResumeOutcome::Unavailable)
    }

    async fn refuse(&self, error: TokenError, transport: &Arc<Transport>) -> Refused {
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
        socket.on_fallback(Questions(self.clone()));
        let live = self.clone();
        socket.on_disconnect(move |reason: DisconnectReason| {
            live.left(reason);
            async {}
        });
    }

    /// The browser is gone, or says that it goes.
    fn left(&self, reason: DisconnectReason) {
        // Our own DISCONNECT is still on its way to the browser.
        if reason == DisconnectReason::ServerNSDisconnect {
            return;
        }
        self.sockets.switch.tell(Told::Disconnected(self.peer.id));
        if reason == DisconnectReason::ClientNSDisconnect && self.peer.outbound.is_some() {
            // It closes its transport next, and the poll under way has to be answered.
            self.peer.transport.kill_later();
        } else {
            self.peer.transport.kill();
        }
    }

    /// Takes what the browser sent.
    fn take(self: &Arc<Self>, question: Question, reply: Reply) {
        let socket = self.peer.id;
        match question.name.as_str() {
            "join-session" => match incoming::join(&question) {
                Ok((session, after)) => self.ask(Told::Join {
                    socket,
                    session,
                    after,
                    reply,
                }),
                Err(bad) => self.bad_request(bad, reply),
            },
            "leave-session" => match incoming::leave(&question) {
                Ok(session) => self.ask(Told::Leave {
                    socket,
                    session,
                    reply,
                }),
                Err(bad) => self.bad_request(bad, reply),
            },
            "refresh-token" => {
                let live = self.clone();
                tokio::spawn(async move { live.refresh(reply, &question).await });
            }
            _ => {
                let text = "there is no such event: join-session, leave-session and refresh-token are known";
                let bad = BadRequest {
                    session: None,
                    text: text.to_owned(),
                };
                self.bad_request(bad, reply);
            }
        }
    }

    /// Passes a question on, in order; too many at once are refused.
    fn ask(&self, told: Told) {
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
    async fn refresh(&self, reply: Reply, question: &Question) {
        let token = match incoming::token(question) {
            Ok(token) if self.rate.take(Instant::now()) => token,
            Ok(_) => return self.refuse(reply, None, "rate_limited", TOO_MANY.to_owned()),
            Err(bad) => return self.bad_request(bad, reply),
        };
        let (code, text) = match self.sockets.verifier.verify(&token).await {
            Ok(identity) if identity.subject == self.peer.user.as_str() => {
                let prolonged = Told::Prolonged {
                    socket: self.peer.id,
                    expires_at: identity.expires_at,
                };
                let _ending = self.sockets.switch.0.send(prolonged).await;
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
        if reply.0.is_some() {
            self.acknowledge(
                reply,
                &json!({ "ok": false, "error": { "code": code, "message": text } }),
            );
        } else {
            self.refuse(reply, None, code, text);
        }
    }

    fn acknowledge(&self, reply: Reply, answer: &serde_json::Value) {
        if let (Some(number), Ok(json)) = (reply.0, RawValue::from_string(answer.to_string()))
            && self.peer.push(Item::Ack(number, json)).is_err()
        {
            self.peer.transport.kill();
        }
    }

    /// Sends what goes the ordinary path, until the direct one takes over or the socket is gone.
    async fn run(&self, socket: Arc<Socket<LocalAdapter>>, outbound: &Outbound) {
        let transport = &self.peer.transport;
        let ended = tokio::select! {
            biased;
            () = transport.killed() => Ended::Gone,
            ended = outbound.write(&socket, transport) => ended,
        };
        if ended == Ended::Moved {
            return;
        }
        self.sockets.switch.tell(Told::Disconnected(self.peer.id));
        transport.kill();
        outbound.close();
        // A polling transport has no stream whose end would tell the crate; an error means that it knows.
        let _ = socket.disconnect();
    }
}

/// Takes the browser's events one after the other, in order.
struct Questions(Arc<Live>);

impl MessageHandler<LocalAdapter, ()> for Questions {
    fn call(&self, _: Arc<Socket<LocalAdapter>>, packet: Packet, ack: Option<i64>) {
        self.0.take(Question::read(&packet), Reply(ack));
    }
}
