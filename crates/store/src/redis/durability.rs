//! Waits until replicas have what was written, where that is wanted: `WAIT`, one for all who ask at the same time.
//!
//! A write is acknowledged by the connection that it went over, so the connection must be the same for both.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::reconnecting::Supervisor;
use crate::StoreError;

/// How long replicas may take, in milliseconds. Commands on the same connection wait as long.
const REPLICAS_MAY_TAKE: u64 = 500;

/// How many replicas have to have a write before it is done.
pub(super) struct Durability {
    replicas: u32,
    started: AtomicU64,
    /// The last round that has ended, and how many replicas had everything by then.
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

    /// Waits for what was written over the connection of this generation.
    ///
    /// # Errors
    /// Too few replicas have it: it may be lost with its primary, and can be asked for again under its request id.
    pub(super) async fn reached(
        &self,
        supervisor: &Supervisor,
        generation: Option<u64>,
    ) -> Result<(), StoreError> {
        if self.replicas == 0 {
            return Ok(());
        }
        let seen = self.started.load(Ordering::SeqCst);
        let mut ended = self.ended.lock().await;
        if ended.0 <= seen {
            // No round has begun and ended since: this one serves all who wait by now.
            let round = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            *ended = (round, self.round(supervisor).await);
        }
        let replicas = ended.1.clone()?;
        if supervisor.generation() != generation {
            return Err(StoreError::Unavailable(
                "the connection ended before the replicas answered".into(),
            ));
        }
        if replicas < self.replicas {
            let wanted = self.replicas;
            return Err(StoreError::Unavailable(format!(
                "only {replicas} of {wanted} replicas have it"
            )));
        }
        Ok(())
    }

    async fn round(&self, supervisor: &Supervisor) -> Result<u32, StoreError> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(self.replicas).arg(REPLICAS_MAY_TAKE);
        super::typed(supervisor.query(&wait).await?)
    }
}
