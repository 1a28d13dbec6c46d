//! The hub's reads of the store: each is a task, a limited number run at once, and a failed read is repeated until the
//! store responds.

use std::sync::Arc;

use roomcast_core::{
    Backoff, Position, RoomId,
    hub::Input,
    limits::{COMPARE_INTERVAL, READ_ENTRIES},
};
use roomcast_store::{Store, StoreError};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Duration, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    limits::{CONCURRENT_READS, READ_BACKOFF_BASE, READ_BACKOFF_MAX},
    metrics::Metrics,
};

/// Owns the tasks of all reads; when it is dropped, they are aborted.
pub(crate) struct StoreReads {
    store: Arc<dyn Store>,
    metrics: Metrics,
    /// At most `CONCURRENT_READS` reads hold a permit; the others wait. A read keeps its permit between attempts, so that
    /// a store that becomes reachable again does not get all reads at once.
    permits: Arc<Semaphore>,
    /// A task returns an input for the hub, or `None` if it was cancelled or failed. The hub requests each read, so the
    /// number of tasks is bounded by the rooms of interest and the rooms in which followers catch up.
    tasks: JoinSet<Option<Input>>,
}

impl StoreReads {
    pub(crate) fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        Self {
            store,
            metrics,
            permits: Arc::new(Semaphore::new(CONCURRENT_READS)),
            tasks: JoinSet::new(),
        }
    }

    /// The next result; `None` if no read is in progress. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        loop {
            match self.tasks.join_next().await? {
                Ok(Some(result)) => return Some(result),
                Ok(None) => {} // cancelled, or a comparison that failed
                Err(error) => error!(%error, "a read of the store panicked"),
            }
        }
    }

    /// Reads a room, and repeats the read until the store responds or the read is cancelled.
    pub(crate) fn read_room(&mut self, read: RoomRead, cancellation: CancellationToken) {
        let (store, metrics, permits) = (self.store.clone(), self.metrics.clone(), self.permits.clone());
        self.tasks.spawn(async move {
            let result = async {
                let _permit = permits.acquire().await.ok()?;
                Some(read.with_retries(&*store, &metrics).await)
            };
            cancellation.run_until_cancelled(result).await?
        });
    }

    /// Reads the tails of rooms once. A failed read is not repeated, because the hub compares tails regularly.
    pub(crate) fn read_tails(&mut self, requested: Vec<(RoomId, Position)>) {
        let (store, metrics, permits) = (self.store.clone(), self.metrics.clone(), self.permits.clone());
        self.tasks.spawn(async move {
            let rooms: Vec<RoomId> = requested.iter().map(|(room, _)| room.clone()).collect();
            let read = async {
                let _permit = permits.acquire().await.ok()?;
                store.tails(&rooms).await.ok()
            };
            let interval = Duration::from_millis(COMPARE_INTERVAL.unsigned_abs());
            let tails = timeout(interval, read).await.ok().flatten();
            metrics.read_ended("tails", tails.is_some());
            let compared = requested
                .into_iter()
                .zip(tails?)
                .map(|((room, position), tail)| (room, position, tail));
            Some(Input::Tails(compared.collect()))
        });
    }
}

/// A read of one room.
#[derive(Debug)]
pub(crate) enum RoomRead {
    /// The room's state.
    Snapshot(RoomId),
    /// The room's log after a position.
    Log(RoomId, Position),
}

impl RoomRead {
    async fn with_retries(&self, store: &dyn Store, metrics: &Metrics) -> Input {
        let mut backoff = Backoff::new(READ_BACKOFF_BASE, READ_BACKOFF_MAX);
        loop {
            let result = self.once(store).await;
            metrics.read_ended(self.kind(), result.is_ok());
            match result {
                Ok(input) => return input,
                // The health check logs once that the store is unreachable.
                Err(StoreError::Unavailable(reason)) => {
                    debug!(kind = self.kind(), reason, "could not read the store: retrying");
                }
                Err(error @ (StoreError::Corrupt(_) | StoreError::Denied(_))) => {
                    error!(kind = self.kind(), %error, "could not read the store: retrying");
                }
            }
            // Full jitter may give a wait of almost zero, which would be a busy loop if the store fails at once.
            sleep(READ_BACKOFF_BASE / 2 + backoff.next(rand::random::<f64>)).await;
        }
    }

    async fn once(&self, store: &dyn Store) -> Result<Input, StoreError> {
        match self {
            Self::Snapshot(room) => Ok(Input::Snapshot(room.clone(), store.snapshot(room).await?)),
            Self::Log(room, after) => {
                let slice = store.read(room, after.offset, READ_ENTRIES).await?;
                Ok(Input::ReadResult {
                    room: room.clone(),
                    after: *after,
                    slice,
                })
            }
        }
    }

    /// The read's label in metrics and logs.
    fn kind(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Log(..) => "log",
        }
    }
}
