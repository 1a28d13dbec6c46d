//! Paused time, and the one way to wait for something.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

/// A test that waits longer than this for one condition hangs, and fails.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Keeps paused time from advancing by itself while the runtime waits for a connection. tokio advances paused time when
/// the runtime is idle, but not while a blocking task runs.
pub(crate) struct StoppedTime(Arc<(Mutex<bool>, Condvar)>);

impl StoppedTime {
    /// Stops time until the value is dropped. The test has to run with `start_paused = true`.
    pub(crate) fn begin() -> Self {
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let shared = ended.clone();
        drop(tokio::task::spawn_blocking(move || {
            let (ended, changed) = &*shared;
            let _unused = changed
                .wait_while(ended.lock().unwrap(), |ended| !*ended)
                .unwrap();
        }));
        Self(ended)
    }
}

impl Drop for StoppedTime {
    fn drop(&mut self) {
        let (ended, changed) = &*self.0;
        *ended.lock().unwrap() = true;
        changed.notify_all();
    }
}

/// Waits until `check` returns a value, while the other tasks and the connections make progress. No time passes.
pub(crate) async fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(started.elapsed() < HANGS_AFTER, "still waiting for {what}");
        tokio::task::yield_now().await;
    }
}
