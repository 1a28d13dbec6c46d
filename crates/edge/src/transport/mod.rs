//! What carries one socket: a WebSocket, or a sequence of polling requests, or first the one and then the other.
//! Here it can be killed, and here it is known how far the browser has taken what was sent through the crate.

pub(crate) mod stream;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Uri, request::Parts};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{net::tcp::OwnedWriteHalf, sync::Notify};
use tracing::debug;

use crate::{
    config::Limits,
    direct::{
        Flushers, Full, Next, When, Wire,
        frame::Frame,
        frame_splitter::{Cut, Kind},
        queue::Part,
    },
    packet::connect,
};

/// How long a kill waits for an upgrade.
const UPGRADE_GRACE: Duration = Duration::from_secs(2);

/// How long a browser has to close its transport after a DISCONNECT, its own or ours.
const DISCONNECT_GRACE: Duration = Duration::from_secs(1);

/// What comes before the number of its transport in the URI of a request.
const SIGNATURE: &str = "&number=";

/// The one CONNECT of a transport.
#[derive(Debug, Default)]
enum Connect {
    /// What it is to carry is not known yet.
    #[default]
    Unknown,
    /// It is to carry this pid.
    Carries(Box<str>),
    /// It has left.
    Left,
}

/// Whether a WebSocket took the place of polling.
mod upgrade {
    /// None was tried.
    pub(super) const NEVER: u8 = 0;
    /// One is being tried.
    pub(super) const TRIED: u8 = 1;
    /// One was taken, or failed.
    pub(super) const DONE: u8 = 2;
}

/// What a transport began as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    WebSocket,
    Polling,
}

/// The transport of one Engine.IO connection.
#[derive(Debug)]
pub(crate) struct Transport {
    number: u64,
    origin: Origin,
    registry: Transports,
    sid: OnceLock<Box<str>>,
    connect: Mutex<Connect>,
    killed: AtomicBool,
    upgrade: AtomicU8,
    /// Events and acknowledgements that were handed to the kernel, or to the answer of a poll, by way of the crate.
    taken: AtomicU64,
    /// Any of the above changed.
    changed: Notify,
    /// Where it is a WebSocket.
    wire: OnceLock<Wire>,
}

impl Transport {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Closes it without a word, so that stock clients reconnect by themselves. For good: it cannot be undone.
    ///
    /// Not in the middle of an upgrade, though: a stock client whose WebSocket closes while it pauses its polling
    /// stays there until its ping timeout.
    pub(crate) fn kill(self: &Arc<Self>) {
        if self.upgrade.load(Ordering::Acquire) != upgrade::TRIED {
            return self.kill_now();
        }
        let transport = self.clone();
        tokio::spawn(async move {
            let ended = transport.until(|it| it.upgrade.load(Ordering::Acquire) != upgrade::TRIED);
            let _ended_or_not = tokio::time::timeout(UPGRADE_GRACE, ended).await;
            transport.kill_now();
        });
    }

    fn kill_now(&self) {
        self.killed.store(true, Ordering::Release);
        self.changed.notify_waiters();
        if let Some(wire) = self.wire.get() {
            wire.shut();
        }
    }

    /// As [`Self::kill`], unless the browser closes it first.
    pub(crate) fn kill_later(self: &Arc<Self>) {
        let transport = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(DISCONNECT_GRACE).await;
            if let Some(transport) = transport.upgrade() {
                transport.kill();
            }
        });
    }

    /// As [`Self::kill`], for a connection that may not be answered before it is closed.
    pub(crate) async fn kill_first(self: &Arc<Self>) {
        self.kill();
        self.killed().await;
    }

    /// Whether it is killed.
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Ends when it is killed.
    pub(crate) async fn killed(&self) {
        self.until(Self::is_killed).await;
    }

    /// A WebSocket is tried in place of polling; `false` where one was before.
    pub(crate) fn try_upgrade(&self) -> bool {
        let (never, tried) = (upgrade::NEVER, upgrade::TRIED);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.upgrade
            .compare_exchange(never, tried, success, failure)
            .is_ok()
    }

    /// The browser took the WebSocket.
    pub(crate) fn upgraded(&self) {
        self.upgrade.store(upgrade::DONE, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// The WebSocket was not taken. That leaves the crate's polling session unusable: its browser comes back with a new
    /// one.
    pub(crate) fn upgrade_failed(&self) {
        self.upgraded();
        self.kill_now();
    }

    /// Says what CONNECT is to carry, before it leaves. A transport has one CONNECT.
    pub(crate) fn set_pid(&self, pid: String) {
        let mut connect = self.lock_connect();
        // A second CONNECT on a transport is ignored by the crate.
        if matches!(*connect, Connect::Unknown) {
            *connect = Connect::Carries(pid.into());
        }
    }

    /// What CONNECT becomes with what it is to carry, where `put` finds that this is CONNECT; it leaves with that.
    pub(crate) fn connect<T>(&self, put: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut connect = self.lock_connect();
        let Connect::Carries(pid) = &*connect else {
            return None;
        };
        let changed = put(pid)?;
        *connect = Connect::Left;
        Some(changed)
    }

    fn lock_connect(&self) -> MutexGuard<'_, Connect> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More events were taken.
    pub(crate) fn took(&self, events: u64) {
        if events > 0 {
            self.taken.fetch_add(events, Ordering::Release);
            self.changed.notify_waiters();
        }
    }

    /// Waits until no more than `window` of the `sent` events are on their way.
    pub(crate) async fn window(&self, sent: u64, window: u64) {
        self.until(|it| sent.saturating_sub(it.taken.load(Ordering::Acquire)) <= window)
            .await;
    }

    /// The URI of the request that opens a WebSocket, as the crate keeps it for the connection's life: what was asked
    /// for, with the transport's number at the end, by which [`Transports::of`] finds it, for 200 bytes less than an
    /// extension.
    pub(crate) fn signed(&self, uri: &Uri) -> Uri {
        let query = uri.query().unwrap_or_default();
        let signed = format!("/?{query}{SIGNATURE}{}", self.number);
        // Digits and what is in the signature are allowed in every URI. Boxed, it takes no more than it needs.
        Uri::from_maybe_shared(Bytes::from(signed.into_boxed_str().into_boxed_bytes())).unwrap_or_default()
    }

    /// Makes the transport known by its Engine.IO id, so that later requests find it.
    pub(crate) fn name(self: &Arc<Self>, sid: String) {
        let mut known = self.registry.lock();
        if self.sid.set(sid.as_str().into()).is_ok() {
            known.by_sid.insert(sid, Arc::downgrade(self));
        }
    }
}

/// The direct path of a WebSocket.
impl Transport {
    /// Whether what is for the browser goes the direct path from the beginning on.
    pub(crate) fn is_direct(&self) -> bool {
        self.origin == Origin::WebSocket && self.registry.shared.limits.direct_path
    }

    /// Ends when the direct path took over from polling; never where it does not.
    pub(crate) async fn turned_direct(&self) {
        let direct = self.registry.shared.limits.direct_path;
        self.until(|it| {
            direct && it.wire.get().is_some() && it.upgrade.load(Ordering::Acquire) == upgrade::DONE
        })
        .await;
    }

    /// It is a WebSocket from here on.
    pub(crate) fn attach(self: &Arc<Self>, tcp: OwnedWriteHalf, greeting: Bytes) {
        let cap = self.registry.shared.limits.outbound_bytes;
        let wire = Wire::new(tcp, Arc::downgrade(self), greeting, cap);
        // One WebSocket is all that a transport gets.
        let _ = self.wire.set(wire);
        if self.is_killed() {
            self.kill_now();
        }
    }

    /// Sends what is for the browser.
    pub(crate) fn send(self: &Arc<Self>, part: Part, when: When) -> Result<(), Full> {
        if let Some(wire) = self.wire.get() {
            let next = wire.send(part, when)?;
            self.go_on(next.map(|next| (next, 0)));
        }
        Ok(())
    }

    /// Sends what was for the browser before the direct path took over, once the crate has sent what it has.
    pub(crate) fn hold(&self, parts: impl Iterator<Item = Part>) {
        if let Some(wire) = self.wire.get() {
            wire.hold(parts);
        }
    }

    /// Whether the crate may write; where it may not yet, it is woken.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.wire.get() {
            Some(wire) => wire.poll_room(cx),
            None => Poll::Ready(()),
        }
    }

    /// Takes a whole frame of the crate; [`Self::list`] follows.
    pub(crate) fn enter(&self, cut: &Cut<'_>) -> io::Result<()> {
        let Some(wire) = self.wire.get() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let whole = |awaited| Frame::whole(cut.bytes.to_vec().into(), awaited);
        match cut.kind {
            Kind::Connect => {
                let payload = &cut.bytes[cut.payload_at..];
                let changed = self.connect(|pid| connect::with_pid(payload, pid));
                let is_ours = changed.is_some();
                wire.enter(changed.map_or_else(|| whole(0), Frame::text))?;
                if is_ours && self.is_direct() {
                    wire.release();
                }
            }
            Kind::Sentinel => wire.release(),
            Kind::Event => wire.enter(whole(1))?,
            Kind::Close => {
                wire.enter(whole(0))?;
                wire.end();
            }
            Kind::Other => wire.enter(whole(0))?,
        }
        Ok(())
    }

    /// Has what the crate entered written, by a flusher: mostly more follows at once, and leaves in the same write.
    pub(crate) fn list(self: &Arc<Self>) {
        if let Some(wire) = self.wire.get() {
            self.go_on(Ok((wire.list(), 0)));
        }
    }

    /// The kernel takes something again: a flusher comes to write.
    pub(crate) fn writable(self: Arc<Self>) {
        self.registry.shared.flushers.clone().list(self);
    }

    /// Writes what waits; what a flusher does with each transport on its list.
    pub(crate) fn flush(self: &Arc<Self>) {
        if let Some(wire) = self.wire.get() {
            self.go_on(wire.flush());
        }
    }

    /// Does what a write has left to do.
    fn go_on(self: &Arc<Self>, next: io::Result<(Next, u64)>) {
        match next {
            Ok((next, taken)) => {
                self.took(taken);
                match next {
                    Next::Rest => {}
                    Next::List => self.registry.shared.flushers.list(self.clone()),
                    Next::Watch => {
                        let stall = self.registry.shared.limits.write_stall;
                        tokio::spawn(watch(Arc::downgrade(self), stall));
                    }
                }
            }
            Err(error) => {
                debug!(%error, "could not write");
                self.kill();
            }
        }
    }

    /// The crate gave the WebSocket up.
    pub(crate) fn stream_ended(&self) {
        if let Some(wire) = self.wire.get() {
            // Its last words; an error is a connection that has ended.
            let _ = wire.flush();
            wire.shut();
        }
    }
}

/// Closes a transport whose browser takes nothing for too long.
async fn watch(transport: Weak<Transport>, stall: Duration) {
    let taken = || transport.upgrade().and_then(|it| it.wire.get()?.watch());
    while let Some(before) = taken() {
        tokio::time::sleep(stall).await;
        if taken() == Some(before)
            && let Some(transport) = transport.upgrade()
        {
            debug!("closing the transport of a browser that takes nothing");
            return transport.kill();
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let mut known = self.registry.lock();
        known.all.remove(&self.number);
        self.registry.shared.count.dec();
        if let Some(sid) = self.sid.get() {
            known.by_sid.remove(&**sid);
        }
    }
}

/// All transports of the edge, for as long as they live.
#[derive(Debug, Clone)]
pub(crate) struct Transports {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    known: Mutex<Known>,
    /// How many there are.
    count: Gauge,
    limits: Limits,
    flushers: Flushers,
}

#[derive(Debug, Default)]
struct Known {
    next: u64,
    all: HashMap<u64, Weak<Transport>>,
    by_sid: HashMap<String, Weak<Transport>>,
}

impl Transports {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None yet; `count` says how many there are.
    pub(crate) fn new(count: Gauge, limits: Limits) -> Self {
        let shared = Shared {
            known: Mutex::default(),
            count,
            limits,
            flushers: Flushers::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// What writes for them.
    pub(crate) fn flushers(&self) -> &Flushers {
        &self.shared.flushers
    }

    /// A new transport.
    pub(crate) fn open(&self, origin: Origin) -> Arc<Transport> {
        let mut known = self.lock();
        let number = known.next;
        known.next += 1;
        let transport = Arc::new(Transport {
            number,
            origin,
            registry: self.clone(),
            sid: OnceLock::new(),
            connect: Mutex::default(),
            killed: AtomicBool::new(false),
            upgrade: AtomicU8::new(upgrade::NEVER),
            taken: AtomicU64::new(0),
            changed: Notify::new(),
            wire: OnceLock::new(),
        });
        known.all.insert(number, Arc::downgrade(&transport));
        self.shared.count.inc();
        transport
    }

    /// The transport that a request opened: the one that polling keeps in it, or that of its [`Transport::signed`] URI.
    pub(crate) fn of(&self, request: &Parts) -> Option<Arc<Transport>> {
        if let Some(polling) = request.extensions.get::<Arc<Transport>>() {
            return Some(polling.clone());
        }
        // The last one is ours, whatever else the browser asked for.
        let (_, number) = request.uri.query()?.rsplit_once(SIGNATURE)?;
        let weak = self.lock().all.get(&number.parse().ok()?).cloned();
        weak?.upgrade()
    }

    /// The transport of an Engine.IO id.
    pub(crate) fn find(&self, sid: &str) -> Option<Arc<Transport>> {
        // The reference is upgraded under the lock but dropped outside of it, since the drop takes the lock.
        let weak = self.lock().by_sid.get(sid).cloned();
        weak?.upgrade()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Weak<Transport>> {
        self.lock().all.values().cloned().collect()
    }
}

#[cfg(test)]
mod registry_tests {
    use std::{future::poll_fn, pin::Pin};

    use super::*;

    fn transports() -> Transports {
        Transports::new(Gauge::default(), Limits::DEFAULT)
    }

    #[tokio::test]
    async fn a_window_opens_with_what_was_taken() {
        let transport = transports().open(Origin::Polling);
        transport.window(4, 4).await;
        let waiting = transport.window(6, 4);
        tokio::pin!(waiting);
        assert!(is_pending(&mut waiting).await);
        transport.took(1);
        assert!(is_pending(&mut waiting).await);
        transport.took(1);
        waiting.await;
    }

    fn request(uri: Uri) -> Parts {
        let mut request = http::Request::new(());
        *request.uri_mut() = uri;
        request.into_parts().0
    }

    #[test]
    fn a_request_finds_its_transport_whatever_it_asks_for() {
        let transports = transports();
        let (one, other) = (
            transports.open(Origin::WebSocket),
            transports.open(Origin::WebSocket),
        );
        let asked = format!("/socket.io/?EIO=4{SIGNATURE}{}", other.number());
        for uri in ["/socket.io/", "http://host/socket.io/?EIO=4&t=%20", &asked] {
            let found = transports.of(&request(one.signed(&uri.parse().unwrap())));
            assert!(Arc::ptr_eq(&found.unwrap(), &one), "{uri}");
        }
        assert!(
            transports
                .of(&request(Uri::from_static("/socket.io/?EIO=4")))
                .is_none()
        );
    }

    async fn is_pending(waiting: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await
    }

    #[test]
    fn a_transport_is_known_for_as_long_as_it_lives() {
        let transports = transports();
        let transport = transports.open(Origin::Polling);
        transport.name("sid".into());
        assert!(transports.find("sid").is_some());
        drop(transport);
        assert!(transports.find("sid").is_none());
        assert!(transports.all().is_empty());
    }
}
