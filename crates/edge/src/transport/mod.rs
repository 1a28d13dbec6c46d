//! The transport of one Engine.IO connection: a WebSocket, a sequence of polling requests, or polling that a WebSocket
//! replaces. A transport can be killed, and it counts the events that were sent through socketioxide.

mod direct_path;
mod registry;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Uri;
use tokio::sync::Notify;

use crate::direct::Wire;

pub(crate) use registry::Transports;
pub(crate) use stream::SocketStream;

/// How long a kill waits for an upgrade to end.
const UPGRADE_GRACE: Duration = Duration::from_secs(2);

/// How long a browser has to close its transport after a DISCONNECT, its own or the server's.
const DISCONNECT_GRACE: Duration = Duration::from_secs(1);

/// Precedes the number of the transport in the query of a tagged URI; see [`Transport::tagged_uri`].
const TAG: &str = "&number=";

/// The one CONNECT packet of a transport.
#[derive(Debug, Default)]
enum Connect {
    #[default]
    PidUnknown,
    Pid(Box<str>),
    Sent,
}

/// The upgrade from polling to a WebSocket. A transport has one upgrade at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum UpgradeState {
    NotStarted,
    InProgress,
    /// It succeeded, or it failed.
    Ended,
}

/// How a transport began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitialTransport {
    WebSocket,
    Polling,
}

/// The transport of one Engine.IO connection.
#[derive(Debug)]
pub(crate) struct Transport {
    number: u64,
    initial: InitialTransport,
    registry: Transports,
    sid: OnceLock<Box<str>>,
    connect: Mutex<Connect>,
    killed: AtomicBool,
    /// An [`UpgradeState`].
    upgrade: AtomicU8,
    /// Events and acknowledgements from socketioxide that the kernel accepted, or that a poll's response contains.
    sent: AtomicU64,
    /// Notifies when one of the above has changed.
    changed: Notify,
    /// The WebSocket, once there is one.
    wire: OnceLock<Wire<Transport>>,
}

impl Transport {
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Closes the transport without a DISCONNECT, so that stock clients reconnect by themselves.
    ///
    /// During an upgrade, it waits until the upgrade has ended: a stock client whose WebSocket closes while it pauses its
    /// polling does not notice before its ping timeout.
    pub(crate) fn kill(self: &Arc<Self>) {
        if self.upgrade_state() != UpgradeState::InProgress {
            return self.kill_now();
        }
        let transport = self.clone();
        self.registry.spawn("kill after upgrade", async move {
            let ended = transport.until(|it| it.upgrade_state() != UpgradeState::InProgress);
            let _ = tokio::time::timeout(UPGRADE_GRACE, ended).await; // It is killed in both cases.
            transport.kill_now();
        });
    }

    fn kill_now(&self) {
        self.killed.store(true, Ordering::Release);
        self.changed.notify_waiters();
        if let Some(wire) = self.wire.get() {
            wire.shut_down();
        }
    }

    /// Kills the transport after a grace period in which the browser may close it.
    pub(crate) fn kill_after_grace(self: &Arc<Self>) {
        let transport = Arc::downgrade(self);
        self.registry.spawn("kill after disconnect", async move {
            tokio::time::sleep(DISCONNECT_GRACE).await;
            if let Some(transport) = transport.upgrade() {
                transport.kill();
            }
        });
    }

    /// Kills the transport and waits until it is killed, for a connection that must not get a response first.
    pub(crate) async fn kill_and_wait(self: &Arc<Self>) {
        self.kill();
        self.killed().await;
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Waits until the transport is killed.
    pub(crate) async fn killed(&self) {
        self.until(Self::is_killed).await;
    }

    fn upgrade_state(&self) -> UpgradeState {
        match self.upgrade.load(Ordering::Acquire) {
            0 => UpgradeState::NotStarted,
            1 => UpgradeState::InProgress,
            _ => UpgradeState::Ended,
        }
    }

    /// Begins the upgrade; `false` if there was one before.
    pub(crate) fn begin_upgrade(&self) -> bool {
        let (before, after) = (UpgradeState::NotStarted as u8, UpgradeState::InProgress as u8);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.upgrade
            .compare_exchange(before, after, success, failure)
            .is_ok()
    }

    /// The browser uses the WebSocket from here on.
    pub(crate) fn complete_upgrade(&self) {
        self.upgrade.store(UpgradeState::Ended as u8, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// The browser did not use the WebSocket. socketioxide's polling session is unusable after that: the browser has to
    /// open a new one.
    pub(crate) fn fail_upgrade(&self) {
        self.complete_upgrade();
        self.kill_now();
    }

    /// Sets the pid that CONNECT will carry. A transport has one CONNECT.
    pub(crate) fn set_pid(&self, pid: String) {
        let mut connect = self.lock_connect();
        // socketioxide ignores a second CONNECT on a transport.
        if matches!(*connect, Connect::PidUnknown) {
            *connect = Connect::Pid(pid.into());
        }
    }

    /// Calls `insert` with the pid and returns its result. Does nothing if there is no pid, or if an earlier call has
    /// inserted it into CONNECT.
    pub(crate) fn insert_pid<T>(&self, insert: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut connect = self.lock_connect();
        let Connect::Pid(pid) = &*connect else {
            return None;
        };
        let changed = insert(pid)?;
        *connect = Connect::Sent;
        Some(changed)
    }

    fn lock_connect(&self) -> MutexGuard<'_, Connect> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts events and acknowledgements of socketioxide that have been sent.
    pub(crate) fn add_sent(&self, events: u64) {
        if events > 0 {
            self.sent.fetch_add(events, Ordering::Release);
            self.changed.notify_waiters();
        }
    }

    /// Waits until at most `limit` of the `emitted` events have not been sent yet.
    pub(crate) async fn in_flight_at_most(&self, limit: u64, emitted: u64) {
        self.until(|it| emitted.saturating_sub(it.sent.load(Ordering::Acquire)) <= limit)
            .await;
    }

    /// The URI of the request that opens a WebSocket, as socketioxide keeps it while the connection lives: the original
    /// query with the transport's number at the end, by which [`Transports::find_by_request`] finds the transport. It
    /// needs 200 bytes less than an extension of the request.
    pub(crate) fn tagged_uri(&self, uri: &Uri) -> Uri {
        let query = uri.query().unwrap_or_default();
        let tagged = format!("/?{query}{TAG}{}", self.number);
        // The tag and digits are valid in every URI. A boxed string has no spare capacity.
        Uri::from_maybe_shared(Bytes::from(tagged.into_boxed_str().into_boxed_bytes())).unwrap_or_default()
    }

    /// Sets the Engine.IO id, by which [`Transports::find_by_sid`] finds the transport.
    pub(crate) fn set_sid(self: &Arc<Self>, sid: String) {
        let mut open = self.registry.lock();
        if self.sid.set(sid.as_str().into()).is_ok() {
            open.by_sid.insert(sid, Arc::downgrade(self));
        }
    }
}
