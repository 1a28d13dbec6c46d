//! Waiting for a condition.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// When a test that hangs is ended. It is long enough for any machine: no assertion depends on it.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Repeats the attempt until it returns a value, for conditions that nothing signals.
pub(crate) async fn eventually<T>(condition: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    within_patience(condition, async {
        loop {
            if let Some(value) = attempt().await {
                return value;
            }
            sleep(POLL_INTERVAL).await;
        }
    })
    .await
}

/// Waits for a condition that signals itself, and fails instead of hanging.
pub(crate) async fn within_patience<T>(condition: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{condition}: not within {PATIENCE:?}"))
}
