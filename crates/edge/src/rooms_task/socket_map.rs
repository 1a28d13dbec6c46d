//! The sockets of the rooms task, and when their tokens expire.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use roomcast_core::rooms::SocketId;

use super::pending::Pending;
use crate::{outbound::SocketHandle, transport::Transport};

/// A connected socket: its handle, when its token expires, and the results that it waits for.
pub(super) struct SocketEntry {
    pub(super) handle: Arc<SocketHandle>,
    /// A copy of the handle's transport, if everything takes the direct path, so that a delivery does not read the
    /// handle.
    pub(super) direct: Option<Arc<Transport>>,
    expires_at: i64,
    /// Boxed, because most sockets have nothing pending.
    pending: Option<Box<Pending>>,
}

impl SocketEntry {
    pub(super) fn pending_mut(&mut self) -> &mut Pending {
        self.pending.get_or_insert_default()
    }
}

/// The sockets by id.
#[derive(Default)]
pub(super) struct SocketMap {
    entries: HashMap<SocketId, SocketEntry, BuildHasherDefault<NumberHasher>>,
    /// The times at which tokens expire, in seconds since the Unix epoch.
    expiries: BTreeSet<(i64, SocketId)>,
}

impl SocketMap {
    /// Adds a socket whose token expires at this time, in seconds since the Unix epoch.
    pub(super) fn insert(&mut self, handle: Arc<SocketHandle>, expires_at: i64, pending: Pending) {
        let id = handle.id;
        let entry = SocketEntry {
            direct: handle
                .socketioxide_path
                .is_none()
                .then(|| handle.transport.clone()),
            handle,
            expires_at,
            pending: Some(Box::new(pending)),
        };
        self.expiries.insert((expires_at, id));
        self.entries.insert(id, entry);
    }

    /// Removes a socket; `false` if it is not there.
    pub(super) fn remove(&mut self, id: SocketId) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        self.expiries.remove(&(entry.expires_at, id));
        true
    }

    pub(super) fn get(&self, id: SocketId) -> Option<&SocketEntry> {
        self.entries.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut SocketEntry> {
        self.entries.get_mut(&id)
    }

    /// Sets when the socket's token expires, in seconds since the Unix epoch.
    pub(super) fn set_expiry(&mut self, id: SocketId, expires_at: i64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            self.expiries.remove(&(entry.expires_at, id));
            self.expiries.insert((expires_at, id));
            entry.expires_at = expires_at;
        }
    }

    /// Returns a socket whose token has expired by `now`, in seconds since the Unix epoch; each expiry once.
    pub(super) fn pop_expired(&mut self, now: i64) -> Option<&SocketEntry> {
        let (_, id) = *self.expiries.first().filter(|(at, _)| *at <= now)?;
        self.expiries.pop_first();
        self.entries.get(&id)
    }

    /// Takes something from a socket's pending results.
    pub(super) fn take_pending<T>(
        &mut self,
        id: SocketId,
        take: impl FnOnce(&mut Pending) -> Option<T>,
    ) -> Option<T> {
        let entry = self.entries.get_mut(&id)?;
        let pending = entry.pending.as_mut()?;
        let taken = take(pending);
        if pending.is_empty() {
            entry.pending = None;
        }
        taken
    }
}

/// Hashes our own socket ids, which are consecutive numbers.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are numbers")
    }

    fn write_u64(&mut self, number: u64) {
        // Knuth's multiplicative hash; the rotation spreads it over both ends of the word.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}
