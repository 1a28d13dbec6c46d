//! The one switch from serving to draining, and the signals that throw it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Says whether the process serves or drains. Clones share one state; there is no way back.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<State>);

#[derive(Debug, Default)]
struct State {
    drain: CancellationToken,
    failed: AtomicBool,
}

impl Shutdown {
    /// A process that serves.
    pub fn new() -> Self {
        Self::default()
    }

    /// SIGTERM or SIGINT begins the drain; one that comes while draining ends the process at once, with the
    /// status that a shell gives to a killed program: 143 or 130.
    ///
    /// # Errors
    /// The operating system refuses to hand over the signals.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn listen(&self) -> io::Result<()> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(self.clone().obey(terminate, interrupt));
        Ok(())
    }

    async fn obey(self, mut terminate: Signal, mut interrupt: Signal) {
        loop {
            let (name, number) = tokio::select! {
                Some(()) = terminate.recv() => ("SIGTERM", 15),
                Some(()) = interrupt.recv() => ("SIGINT", 2),
                else => return,
            };
            if self.is_draining() {
                warn!(signal = name, "signalled while draining: ends at once");
                std::process::exit(128 + number);
            }
            self.begin(name);
        }
    }

    /// Begins the drain; `reason` goes to the log. Without effect while draining.
    pub fn begin(&self, reason: &str) {
        if !self.is_draining() {
            info!(reason, "draining");
            self.0.drain.cancel();
        }
    }

    /// Begins the drain of a process that cannot go on; its exit status will be 1.
    pub fn fail(&self, reason: &str) {
        self.0.failed.store(true, Ordering::Release);
        self.begin(reason);
    }

    /// Waits until the drain begins.
    pub async fn draining(&self) {
        self.0.drain.cancelled().await;
    }

    /// As [`Self::draining`], for servers that keep the future.
    pub fn into_draining(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.drain.clone().cancelled_owned()
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.0.drain.is_cancelled()
    }

    /// Whether the drain was begun by [`Self::fail`], or something failed since.
    pub fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }
}
