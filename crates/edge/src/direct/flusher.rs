//! The tasks that write for wires with queued frames.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::Notify;

use super::WireOwner;

/// Wires that are flushed before other tasks may run.
const WIRES_BEFORE_YIELD: usize = 128;

/// All flushers of an edge: one for each available core.
pub(crate) struct Flushers<O>(Arc<[Arc<Flusher<O>>]>);

/// One flusher's list. A wire has always the same flusher, and is on its list at most twice: once because frames are
/// queued, and once because the kernel's buffer has space again.
pub(super) struct Flusher<O> {
    list: Mutex<Vec<Arc<O>>>,
    wake: Notify,
}

impl<O> Default for Flushers<O> {
    fn default() -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from);
        Self((0..count).map(|_| Arc::default()).collect())
    }
}

impl<O> Default for Flusher<O> {
    fn default() -> Self {
        Self {
            list: Mutex::default(),
            wake: Notify::new(),
        }
    }
}

impl<O> fmt::Debug for Flushers<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Flushers").field(&self.0.len()).finish()
    }
}

impl<O: WireOwner> Flushers<O> {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The flusher of the wire with this number.
    pub(super) fn of(&self, number: u64) -> Arc<Flusher<O>> {
        let at = usize::try_from(number).unwrap_or_default() % self.0.len();
        self.0[at].clone()
    }

    /// One endless task for each flusher.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = impl Future<Output = ()> + use<O>> + use<'_, O> {
        self.0
            .iter()
            .cloned()
            .map(|flusher| async move { flusher.run().await })
    }
}

impl<O: WireOwner> Flusher<O> {
    /// Puts a wire on the list, by its owner.
    pub(super) fn register(&self, owner: Arc<O>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(owner);
        if list.len() == 1 {
            self.wake.notify_one();
        }
    }

    async fn run(&self) {
        let mut registered = Vec::new();
        loop {
            self.wake.notified().await;
            std::mem::swap(
                &mut registered,
                &mut *self.list.lock().unwrap_or_else(PoisonError::into_inner),
            );
            for (at, owner) in registered.drain(..).enumerate() {
                owner.flush();
                if at % WIRES_BEFORE_YIELD == WIRES_BEFORE_YIELD - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}
