//! SIGINT and SIGTERM: every loop of the benchmark fails after one of them, so that all child processes end on the way
//! out.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::error::BenchResult;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Fails if the process has received SIGINT or SIGTERM.
pub(crate) fn check() -> BenchResult<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err("interrupted".into());
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM, and records it for [`check`].
pub(crate) async fn watch() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    INTERRUPTED.store(true, Ordering::Relaxed);
}
