//! The hub's reads of the store: tasks, so many at once, tried again while the store is away.

use std::sync::Arc;

use roomcast_core::{
    Position, RoomId,
    hub::Input,
    limits::{COMPARE_INTERVAL, READ_ENTRIES},
};
use roomcast_runtime::backoff::Backoff;
use roomcast_store::{Store, StoreError};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Duration, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    config::{READ_BACKOFF_BASE, READ_BACKOFF_CAP, READS_UNDER_WAY},
    metrics::Metrics,
};

/// The reads under way. Dropped, they end.
pub(crate) struct Reads {
    store: Arc<dyn Store>,
    metrics: Metrics,
    /// A read holds its permit also between attempts: a store that comes back is not met by all at once.
    permits: Arc<Semaphore>,
    under_way: JoinSet<Option<Input>>,
}

impl Reads {
    pub(crate) fn new(store: Arc<dyn Store>, metrics: Metrics) -> Self {
        let permits = Arc::new(Semaphore::new(READS_UNDER_WAY));
        Self {
            store,
            metrics,
            permits,
            under_way: JoinSet::new(),
        }
    }

    /// The next answer; `None` where none is under way. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        loop {
            match self.under_way.join_next().await? {
                Ok(Some(answer)) => return Some(answer),
                Ok(None) => {} // wanted no more
                Err(error) => error!(%error, "a read of the store panicked"),
            }
        }
    }

    /// Reads a room, again and again until the store answers, while it is wanted.
    pub(crate) fn room(&mut self, read: Read, wanted: CancellationToken) {
        let (store, metrics, permits) = (self.store.clone(), self.metrics.clone(), self.permits.clone());
        self.under_way.spawn(async move {
            let answer = async {
                let _permit = permits.acquire().await.ok()?;
                Some(read.until_answered(&*store, &metrics).await)
            };
            wanted.run_until_cancelled(answer).await?
        });
    }

    /// Reads the tails of rooms, once: the hub asks again soon.
    pub(crate) fn tails(&mut self, asked: Vec<(RoomId, Position)>) {
        let (store, metrics, permits) = (self.store.clone(), self.metrics.clone(), self.permits.clone());
        self.under_way.spawn(async move {
            let rooms: Vec<RoomId> = asked.iter().map(|(room, _)| room.clone()).collect();
            let read = async {
                let _permit = permits.acquire().await.ok()?;
                store.tails(&rooms).await.ok()
            };
            let again = Duration::from_millis(COMPARE_INTERVAL.unsigned_abs());
            let tails = timeout(again, read).await.ok().flatten();
            metrics.read("tails", tails.is_some());
            let compared = asked
                .into_iter()
                .zip(tails?)
                .map(|((room, asked), tail)| (room, asked, tail));
            Some(Input::Tails(compared.collect()))
        });
    }
}

/// What to read of a room.
#[derive(Debug)]
pub(crate) enum Read {
    /// Its state.
    Snapshot(RoomId),
    /// Its log after a position.
    Log(RoomId, Position),
}

impl Read {
    async fn until_answered(&self, store: &dyn Store, metrics: &Metrics) -> Input {
        let mut backoff = Backoff::new(READ_BACKOFF_BASE, READ_BACKOFF_CAP);
        loop {
            let answer = self.once(store).await;
            metrics.read(self.kind(), answer.is_ok());
            match answer {
                Ok(answer) => return answer,
                // That the store is away is told once, where its health is looked at.
                Err(StoreError::Unavailable(reason)) => {
                    debug!(kind = self.kind(), reason, "a read is tried again")
                }
                Err(error @ (StoreError::Corrupt(_) | StoreError::Denied(_))) => {
                    error!(kind = self.kind(), %error, "a read failed and is tried again");
                }
            }
            // Full jitter may give almost nothing, and a store that fails at once would be asked in a busy loop.
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

    fn kind(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Log(..) => "log",
        }
    }
}
