//! Waits until replicas have a write, if that is configured. Concurrent writes share one `WAIT`.
//!
//! `WAIT` is about the writes of its own connection, so write and `WAIT` must use the same connection.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::{codec::typed, reconnecting::ReconnectingConnection};
use crate::store::StoreError;

/// How long a `WAIT` may take, in milliseconds. It delays the other commands of the connection as well.
const WAIT_TIMEOUT: u64 = 500;

/// Makes writes wait for a number of replicas.
pub(super) struct Durability {
    /// How many replicas must have a write; 0: none.
    replicas: u32,
    started: AtomicU64,
    /// The last `WAIT` that ended: its number, and how many replicas had every earlier write.
    ended: Mutex<(u64, Result<u32, StoreError>)>,
}

impl Durability {
    pub(super) fn new(replicas: u32) -> Self {
        Self {
            replicas,
            started: AtomicU64::new(0),
            ended: Mutex::new((0, Ok(0))),
        }
    }

    /// Waits for the writes that used the connection of this generation.
    ///
    /// # Errors
    /// Too few replicas have them: they may be lost with the primary. A retry with the same request id is safe.
    pub(super) async fn wait(
        &self,
        connection: &ReconnectingConnection,
        generation: Option<u64>,
    ) -> Result<(), StoreError> {
        if self.replicas == 0 {
            return Ok(());
        }
        let seen = self.started.load(Ordering::SeqCst);
        let mut ended = self.ended.lock().await;
        if ended.0 <= seen {
            // No `WAIT` has begun and ended since `seen` was read. This one serves every caller that waits for the lock.
            let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            *ended = (number, self.replicas_in_sync(connection).await);
        }
        let replicas = ended.1.clone()?;
        if connection.generation() != generation {
            return Err(StoreError::Unavailable(
                "the connection was lost before the replicas confirmed the write".into(),
            ));
        }
        if replicas < self.replicas {
            let required = self.replicas;
            return Err(StoreError::Unavailable(format!(
                "only {replicas} of {required} replicas have the write"
            )));
        }
        Ok(())
    }

    async fn replicas_in_sync(&self, connection: &ReconnectingConnection) -> Result<u32, StoreError> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.replicas).arg(WAIT_TIMEOUT);
        typed(connection.query(&wait).await?)
    }
}
