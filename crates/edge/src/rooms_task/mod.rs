//! The one task that drives [`Rooms`]. It passes the inputs of sockets and of the link to it, in order, and executes its
//! actions: responses, deliveries and requests to the link. It decides nothing itself, and it never waits for a socket or
//! for the link.

mod pending;
mod replies;
mod socket_map;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use roomcast_auth::Clock;
use roomcast_core::{
    Millis,
    browser_event::BrowserEvent,
    rooms::{Action, Input, JoinDenial, Rooms, SocketId, SocketRequestId},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tracing::debug;

use crate::{
    direct::{Full, WriteMode, frame::Frame},
    inbox::{AckId, AttachmentId, InboxReceiver, LinkInput, Received, RoomsInput},
    link::LinkHandle,
    metrics::Metrics,
    outbound::{Delivery, OutboundItem, SocketHandle},
};
use pending::Pending;
use socket_map::{SocketEntry, SocketMap};

/// Fan-outs of up to this many sockets are written inline; larger ones go through the flushers.
const INLINE_SOCKETS: usize = 32;
/// This limit applies instead if no other input is queued and there is only one flusher: the flusher would not write
/// faster than this task.
const INLINE_SOCKETS_IDLE: usize = 1_024;
/// How often expired tokens are swept. The expiry of a token is in whole seconds.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(250);

/// The state of the rooms task.
pub(crate) struct RoomsTask {
    rooms: Rooms,
    sockets: SocketMap,
    clock: Clock,
    link: LinkHandle,
    attachment: AttachmentId,
    metrics: Metrics,
    last_request: u64,
    started: Instant,
    flushers: usize,
    /// The largest fan-out that is written inline.
    inline_sockets: usize,
    /// The last event whose cursors differed, and the bytes of its packet before the cursor.
    prefix: Option<(Arc<BrowserEvent>, Bytes)>,
}

impl RoomsTask {
    /// `sessions_per_socket` is the limit for each socket; `flushers` is the number of flusher tasks.
    pub(crate) fn new(
        sessions_per_socket: usize,
        clock: Clock,
        flushers: usize,
        link: LinkHandle,
        metrics: Metrics,
    ) -> Self {
        Self {
            rooms: Rooms::new(sessions_per_socket),
            sockets: SocketMap::default(),
            clock,
            link,
            attachment: AttachmentId::default(),
            metrics,
            last_request: 0,
            started: Instant::now(),
            flushers,
            inline_sockets: INLINE_SOCKETS,
            prefix: None,
        }
    }

    /// Runs until the inbox has no sender.
    pub(crate) async fn run(mut self, mut inbox: InboxReceiver, mut link: mpsc::Receiver<LinkInput>) {
        let mut expiries = interval(EXPIRY_INTERVAL);
        expiries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.rooms.next_deadline();
            tokio::select! {
                // The link has priority, so that responses reflect the newest state.
                biased;
                Some(input) = link.recv() => {
                    let is_idle = self.flushers == 1 && link.is_empty() && inbox.is_empty();
                    self.inline_sockets = if is_idle { INLINE_SOCKETS_IDLE } else { INLINE_SOCKETS };
                    self.handle_link(input);
                }
                received = inbox.recv() => match received {
                    Some(Received::Input(input)) => self.handle_input(input),
                    Some(Received::Disconnected(sockets)) => self.handle_disconnected(&sockets),
                    None => return,
                },
                () = until(self.started, deadline) => {
                    let now = self.now();
                    self.rooms.handle_deadline(now);
                }
                _ = expiries.tick() => self.kill_expired(),
            }
            self.act();
        }
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.started.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    /// Closes the transports of sockets whose token has expired. A stock client reconnects and gets `token_expired`.
    fn kill_expired(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self.sockets.pop_expired(now) {
            debug!(
                socket.id = entry.handle.id.0,
                "closing a transport: its token has expired"
            );
            entry.handle.transport.kill();
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        self.rooms.handle(input, now);
    }

    fn handle_link(&mut self, input: LinkInput) {
        match input {
            LinkInput::Attached(attachment) => {
                self.attachment = attachment;
                self.handle(Input::Attached);
            }
            LinkInput::Rooms(input) => self.handle(input),
        }
    }

    fn handle_disconnected(&mut self, sockets: &[SocketId]) {
        for socket in sockets {
            if self.sockets.remove(*socket) {
                self.handle(Input::Disconnected(*socket));
            }
        }
    }

    fn handle_input(&mut self, input: RoomsInput) {
        match input {
            // It has disconnected before this input was read.
            RoomsInput::Connected { socket, .. } if socket.is_disconnected() => {}
            RoomsInput::Connected {
                socket,
                expires_at,
                user_room_joined,
            } => {
                let (id, user) = (socket.id, socket.user.clone());
                let pending = Pending {
                    user_room_joined: Some(user_room_joined),
                    ..Pending::default()
                };
                self.sockets.insert(socket, expires_at, pending);
                self.handle(Input::Connected { socket: id, user });
            }
            RoomsInput::TokenRefreshed { socket, expires_at } => self.sockets.set_expiry(socket, expires_at),
            RoomsInput::Resume {
                socket,
                positions,
                outcome,
            } => {
                if let Some(entry) = self.sockets.get_mut(socket) {
                    entry.pending_mut().resume = Some(outcome);
                }
                let request = self.next_request();
                self.handle(Input::Resume {
                    socket,
                    positions,
                    request,
                });
            }
            RoomsInput::Join {
                socket,
                session,
                after,
                ack,
            } => {
                let request = self.begin_request(socket, ack);
                self.handle(Input::Join {
                    socket,
                    session,
                    after,
                    request,
                });
            }
            RoomsInput::Leave { socket, session, ack } => {
                let request = self.begin_request(socket, ack);
                self.handle(Input::Leave {
                    socket,
                    session,
                    request,
                });
            }
            RoomsInput::Deny { socket, denial, ack } => self.deny(socket, ack, &denial),
            RoomsInput::Rooms(input) => self.handle(input),
        }
    }

    fn next_request(&mut self) -> SocketRequestId {
        self.last_request += 1;
        SocketRequestId(self.last_request)
    }

    fn begin_request(&mut self, socket: SocketId, ack: AckId) -> SocketRequestId {
        let request = self.next_request();
        if let Some(entry) = self.sockets.get_mut(socket) {
            entry.pending_mut().requests.push((request, ack));
        }
        request
    }

    fn act(&mut self) {
        while let Some(action) = self.rooms.next_action() {
            match action {
                Action::Authorize {
                    socket,
                    session,
                    user,
                    request,
                } => {
                    if self
                        .link
                        .authorize(socket, session.clone(), user, request)
                        .is_err()
                    {
                        self.handle(Input::Authorized {
                            socket,
                            session,
                            request,
                            result: Err(JoinDenial::Unavailable),
                        });
                    }
                }
                Action::Interest { room, after } => self.link.interest(self.attachment, room, after),
                Action::EndInterest(room) => self.link.end_interest(self.attachment, room),
                Action::Read { room, after } => {
                    if self.link.read(room.clone(), after).is_err() {
                        self.handle(Input::ReadResult {
                            room,
                            after,
                            slice: None,
                        });
                    }
                }
                Action::Respond {
                    socket,
                    request,
                    response,
                } => self.respond(socket, request, response),
                Action::Deliver {
                    sockets,
                    event,
                    cursor,
                } => self.deliver(&sockets, event, cursor),
                Action::Replay { socket, replay } => self.send(socket, OutboundItem::Replay(replay)),
                Action::Resumed { socket, outcome } => {
                    let waiting = self.sockets.take_pending(socket, |pending| pending.resume.take());
                    let _ = waiting.map(|waiting| waiting.send(outcome)); // The connection may be closed.
                }
                Action::Close(socket) => {
                    if let Some(entry) = self.sockets.get(socket) {
                        entry.handle.transport.kill();
                    }
                }
                Action::UserRoomJoined(socket) => {
                    let waiting = self
                        .sockets
                        .take_pending(socket, |pending| pending.user_room_joined.take());
                    let _ = waiting.map(|waiting| waiting.send(())); // CONNECT may have timed out.
                }
                Action::Disconnect(socket) => self.with_socket(socket, |entry| entry.handle.disconnect()),
            }
        }
        self.update_gauges();
    }

    fn update_gauges(&self) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.sockets.set(gauge(self.rooms.sockets()));
        self.metrics.rooms.set(gauge(self.rooms.rooms()));
    }

    fn deliver(&mut self, sockets: &[SocketId], event: Arc<BrowserEvent>, cursor: Arc<str>) {
        self.metrics.deliveries.inc_by(sockets.len() as u64);
        let mut delivery = Delivery::new(event.clone(), cursor);
        if sockets.len() == 1 {
            delivery = delivery.with_prefix(self.event_prefix(event));
        }
        let mode = if sockets.len() <= self.inline_sockets {
            WriteMode::Inline
        } else {
            WriteMode::Flusher
        };
        for socket in sockets {
            self.with_socket(*socket, |entry| match &entry.direct {
                Some(transport) => transport.send(delivery.queue_item(), mode),
                None => entry.handle.deliver(&delivery, mode),
            });
        }
    }

    /// The bytes of an event's packet before the cursor. The latest result is cached, because an event is delivered once
    /// for each different cursor of the room's members.
    fn event_prefix(&mut self, event: Arc<BrowserEvent>) -> Bytes {
        match &self.prefix {
            Some((last, prefix)) if Arc::ptr_eq(last, &event) => prefix.clone(),
            Some(_) | None => {
                let prefix = Bytes::from(Frame::event_prefix(&event));
                self.prefix = Some((event, prefix.clone()));
                prefix
            }
        }
    }

    fn send(&self, socket: SocketId, item: OutboundItem) {
        self.with_socket(socket, |entry| entry.handle.send(item));
    }

    /// Sends to a socket. If its queue is full, its transport is killed.
    fn with_socket(&self, socket: SocketId, send: impl FnOnce(&SocketEntry) -> Result<(), Full>) {
        let Some(entry) = self.sockets.get(socket) else {
            return;
        };
        if send(entry).is_err() {
            self.kill_slow(&entry.handle);
        }
    }

    fn kill_slow(&self, handle: &SocketHandle) {
        self.metrics.slow_sockets.inc();
        debug!(socket.id = handle.id.0, "killing the transport of a slow socket");
        handle.transport.kill();
    }
}

async fn until(started: Instant, deadline: Option<Millis>) {
    match deadline {
        None => std::future::pending().await,
        Some(at) => sleep_until(started + Duration::from_millis(u64::try_from(at).unwrap_or(0))).await,
    }
}
