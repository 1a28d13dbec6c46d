//! The only two ways in which tests wait.

use std::time::Duration;

/// How long a wait lasts before it fails the test. It only ends a test that hangs: no assertion depends on it, and a busy
/// machine may need half of it to start a process.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// How often `eventually` polls.
const INTERVAL: Duration = Duration::from_millis(20);

/// Waits for a future; `what` names it in the message of a failure.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {DEADLINE:?}"),
    }
}

/// Polls until there is a value.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(value) = poll().await {
                return value;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    })
    .await
}
