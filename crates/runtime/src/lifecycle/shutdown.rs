//! The one switch from serving to draining, and the signals that operate it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Whether the process serves or drains. Clones share one state; a drain cannot be undone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<State>);

#[derive(Debug, Default)]
struct State {
    drain: CancellationToken,
    failed: AtomicBool,
}

impl Shutdown {
    /// Creates the state of a process that serves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts to catch SIGTERM and SIGINT and returns the task that handles them, for
    /// [`Tasks::spawn_through_drain`](super::Tasks::spawn_through_drain).
    ///
    /// The first signal begins the drain. A second one ends the process immediately, with the status that shells use
    /// for a killed program: 143 or 130.
    ///
    /// # Errors
    /// The operating system does not let the process catch the signals.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn signal_handler(&self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(self.clone().handle_signals(terminate, interrupt))
    }

    async fn handle_signals(self, mut terminate: Signal, mut interrupt: Signal) {
        loop {
            let (name, number) = tokio::select! {
                Some(()) = terminate.recv() => ("SIGTERM", 15),
                Some(()) = interrupt.recv() => ("SIGINT", 2),
                else => return,
            };
            if self.is_draining() {
                warn!(signal = name, "second signal; exiting immediately");
                std::process::exit(128 + number);
            }
            self.begin(name);
        }
    }

    /// Begins the drain and logs `reason`. Has no effect while draining.
    pub fn begin(&self, reason: &str) {
        if !self.is_draining() {
            info!(reason, "draining");
            self.0.drain.cancel();
        }
    }

    /// Begins the drain of a process that cannot continue; its exit status will be 1.
    pub fn fail(&self, reason: &str) {
        self.0.failed.store(true, Ordering::Release);
        self.begin(reason);
    }

    /// Waits until the drain begins.
    pub async fn draining(&self) {
        self.0.drain.cancelled().await;
    }

    /// Like [`Self::draining`], as a future that borrows nothing.
    pub fn into_draining(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.drain.clone().cancelled_owned()
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.0.drain.is_cancelled()
    }

    /// Whether [`Self::fail`] was called, before or during the drain.
    pub(super) fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }
}
