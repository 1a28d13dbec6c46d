//! What carries one socket: a WebSocket, or a sequence of polling requests, or first the one and then the other.
//! Here it can be killed, and here it is known how far the browser has taken what was sent.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Whether a WebSocket took the place of polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    /// None was tried.
    Never,
    /// One is being tried.
    Tried,
    /// One was taken, or failed.
    Done,
}

/// How long a kill waits for an upgrade.
const UPGRADE_GRACE: Duration = Duration::from_secs(2);

/// The transport of one Engine.IO connection.
#[derive(Debug)]
pub(crate) struct Transport {
    number: u64,
    registry: Transports,
    sid: OnceLock<String>,
    /// What CONNECT is to carry, once that is known.
    pid: OnceLock<String>,
    /// Whether CONNECT has left with it.
    connected: AtomicBool,
    kill: CancellationToken,
    upgrade: watch::Sender<Upgrade>,
    /// Events and acknowledgements that were handed to the kernel, or to the answer of a poll.
    taken: AtomicU64,
    progress: Notify,
}

impl Transport {
    /// Closes it without a word, so that stock clients reconnect by themselves. For good: it cannot be undone.
    ///
    /// Not in the middle of an upgrade, though: a stock client whose WebSocket closes while it pauses its polling
    /// stays there until its ping timeout.
    pub(crate) fn kill(&self) {
        if *self.upgrade.borrow() != Upgrade::Tried {
            return self.kill.cancel();
        }
        let (kill, mut upgrade) = (self.kill.clone(), self.upgrade.subscribe());
        tokio::spawn(async move {
            let ended = upgrade.wait_for(|upgrade| *upgrade != Upgrade::Tried);
            let _ended_or_not = tokio::time::timeout(UPGRADE_GRACE, ended).await;
            kill.cancel();
        });
    }

    /// As [`Self::kill`], for a connection that may not be answered before it is closed.
    pub(crate) async fn kill_first(&self) {
        self.kill();
        self.kill.cancelled().await;
    }

    /// A WebSocket is tried in place of polling; `false` where one was before.
    pub(crate) fn try_upgrade(&self) -> bool {
        self.upgrade.send_if_modified(|upgrade| {
            let is_first = *upgrade == Upgrade::Never;
            if is_first {
                *upgrade = Upgrade::Tried;
            }
            is_first
        })
    }

    /// The browser took the WebSocket.
    pub(crate) fn upgraded(&self) {
        self.upgrade.send_replace(Upgrade::Done);
    }

    /// The WebSocket was not taken. That leaves the crate's polling session unusable: its browser comes back with a new
    /// one.
    pub(crate) fn upgrade_failed(&self) {
        self.upgrade.send_replace(Upgrade::Done);
        self.kill();
    }

    /// Ends when it is killed.
    pub(crate) fn killed(&self) -> &CancellationToken {
        &self.kill
    }

    /// Says what CONNECT is to carry, before it leaves. A transport has one CONNECT.
    pub(crate) fn set_pid(&self, pid: String) {
        // A second CONNECT on a transport is ignored by the crate.
        let _ = self.pid.set(pid);
    }

    /// What CONNECT is to carry, while it has not left.
    pub(crate) fn pending_pid(&self) -> Option<&str> {
        if self.connected.load(Ordering::Acquire) {
            return None;
        }
        self.pid.get().map(String::as_str)
    }

    /// Whether CONNECT has left.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// CONNECT has left.
    pub(crate) fn connected(&self) {
        self.connected.store(true, Ordering::Release);
    }

    /// More events were taken.
    pub(crate) fn took(&self, events: u64) {
        if events > 0 {
            self.taken.fetch_add(events, Ordering::Release);
            self.progress.notify_waiters();
        }
    }

    /// Waits until no more than `window` of the `sent` events are on their way.
    pub(crate) async fn window(&self, sent: u64, window: u64) {
        loop {
            let progress = self.progress.notified();
            if sent.saturating_sub(self.taken.load(Ordering::Acquire)) <= window {
                return;
            }
            progress.await;
        }
    }

    /// Makes the transport known by its Engine.IO id, so that later requests find it.
    pub(crate) fn name(self: &Arc<Self>, sid: String) {
        let mut known = self.registry.lock();
        if self.sid.set(sid.clone()).is_ok() {
            known.by_sid.insert(sid, Arc::downgrade(self));
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let mut known = self.registry.lock();
        known.all.remove(&self.number);
        self.registry.count.dec();
        if let Some(sid) = self.sid.get() {
            known.by_sid.remove(sid);
        }
    }
}

/// All transports of the edge, for as long as they live.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transports {
    known: Arc<Mutex<Known>>,
    /// How many there are.
    count: Gauge,
}

#[derive(Debug, Default)]
struct Known {
    next: u64,
    all: HashMap<u64, Weak<Transport>>,
    by_sid: HashMap<String, Weak<Transport>>,
}

impl Transports {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None yet; `count` says how many there are.
    pub(crate) fn new(count: Gauge) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }

    /// A new transport.
    pub(crate) fn open(&self) -> Arc<Transport> {
        let mut known = self.lock();
        let number = known.next;
        known.next += 1;
        let transport = Arc::new(Transport {
            number,
            registry: self.clone(),
            sid: OnceLock::new(),
            pid: OnceLock::new(),
            connected: AtomicBool::new(false),
            kill: CancellationToken::new(),
            upgrade: watch::Sender::new(Upgrade::Never),
            taken: AtomicU64::new(0),
            progress: Notify::new(),
        });
        known.all.insert(number, Arc::downgrade(&transport));
        self.count.inc();
        transport
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_window_opens_with_what_was_taken() {
        let transport = Transports::default().open();
        transport.window(4, 4).await;
        let waiting = transport.window(6, 4);
        tokio::pin!(waiting);
        assert!(futures(&mut waiting).await.is_none());
        transport.took(1);
        assert!(futures(&mut waiting).await.is_none());
        transport.took(1);
        waiting.await;
    }

    async fn futures(waiting: &mut std::pin::Pin<&mut impl Future<Output = ()>>) -> Option<()> {
        std::future::poll_fn(|cx| match waiting.as_mut().poll(cx) {
            std::task::Poll::Ready(()) => std::task::Poll::Ready(Some(())),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }

    #[test]
    fn a_transport_is_known_for_as_long_as_it_lives() {
        let transports = Transports::default();
        let transport = transports.open();
        transport.name("sid".into());
        assert!(transports.find("sid").is_some());
        drop(transport);
        assert!(transports.find("sid").is_none());
        assert!(transports.all().is_empty());
    }
}
