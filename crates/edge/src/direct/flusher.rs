//! The tasks that write for sockets of which many have something to take at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::Notify;

use crate::transport::Transport;

/// Sockets that are written for before other tasks have their turn.
const TURN: usize = 128;

/// All flushers of an edge: one for each thread that may run. A transport has always the same one.
#[derive(Debug, Clone)]
pub(crate) struct Flushers(Arc<[Flusher]>);

/// One flusher's list: each transport is on it twice at most (once since something waits, once since it became
/// writable).
#[derive(Debug, Default)]
struct Flusher {
    list: Mutex<Vec<Arc<Transport>>>,
    wake: Notify,
}

impl Default for Flushers {
    fn default() -> Self {
        let count = thread::available_parallelism().map_or(1, usize::from);
        Self((0..count).map(|_| Flusher::default()).collect())
    }
}

impl Flushers {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Puts a transport on its flusher's list.
    pub(crate) fn list(&self, transport: Arc<Transport>) {
        let at = usize::try_from(transport.number()).unwrap_or_default() % self.0.len();
        let flusher = &self.0[at];
        let mut list = flusher.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(transport);
        if list.len() == 1 {
            flusher.wake.notify_one();
        }
    }

    /// What each of them runs, for as long as it is polled.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = impl Future<Output = ()> + use<>> + use<'_> {
        (0..self.0.len()).map(|at| {
            let flushers = self.0.clone();
            async move { flushers[at].run().await }
        })
    }
}

impl Flusher {
    async fn run(&self) {
        let mut listed = Vec::new();
        loop {
            self.wake.notified().await;
            std::mem::swap(
                &mut listed,
                &mut *self.list.lock().unwrap_or_else(PoisonError::into_inner),
            );
            for (at, transport) in listed.drain(..).enumerate() {
                transport.flush();
                if at % TURN == TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}
