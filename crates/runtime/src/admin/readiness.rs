//! Whether the process is ready to do its work.
//!
//! A check never probes anything: each part of the process updates its gate when its state changes.

use std::collections::BTreeMap;
use std::fmt;

use tokio::sync::watch;

use crate::escape::one_line;
use crate::lifecycle::Shutdown;

/// The gates of one process. Clones share them.
///
/// The process is ready if every gate is open and it does not drain. Each part must register its gate before the admin
/// endpoints are served.
#[derive(Debug, Clone)]
pub struct Readiness {
    shutdown: Shutdown,
    /// The reasons of the closed gates, by the gate's name.
    closed: watch::Sender<BTreeMap<&'static str, String>>,
}

impl Readiness {
    /// Creates a readiness without gates. The drain of `shutdown` makes the process not ready.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            closed: watch::Sender::default(),
        }
    }

    /// Registers a gate, which is closed with the reason `starting`. Each gate needs its own name.
    pub fn register(&self, name: &'static str) -> Gate {
        let gate = Gate {
            name,
            closed: self.closed.clone(),
        };
        gate.close("starting");
        gate
    }

    /// Whether the process is ready.
    ///
    /// # Errors
    /// The reasons why it is not ready.
    pub fn check(&self) -> Result<(), NotReady> {
        if self.shutdown.is_draining() {
            return Err(NotReady::Draining);
        }
        let closed = self.closed.borrow();
        if closed.is_empty() {
            Ok(())
        } else {
            Err(NotReady::Closed(closed.clone()))
        }
    }

    /// Waits until every gate is open.
    pub async fn ready(&self) {
        let _ = self.closed.subscribe().wait_for(BTreeMap::is_empty).await; // Cannot fail: `self` keeps the sender.
    }

    /// Waits until the result of [`Self::check`] differs from `previous`, and returns it. Never returns if `previous` is
    /// [`NotReady::Draining`], which is final.
    pub async fn changed(&self, previous: &Result<(), NotReady>) -> Result<(), NotReady> {
        let mut closed = self.closed.subscribe();
        loop {
            let current = self.check();
            if current != *previous {
                return current;
            }
            if self.shutdown.is_draining() {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                () = self.shutdown.draining() => {}
                _ = closed.changed() => {}
            }
        }
    }
}

/// Why the process is not ready. Its text has one line for each reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReady {
    /// The process is draining.
    Draining,
    /// The reasons of the closed gates, by the gate's name.
    Closed(BTreeMap<&'static str, String>),
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draining => writeln!(f, "draining"),
            Self::Closed(gates) => gates
                .iter()
                .try_for_each(|(name, reason)| writeln!(f, "{name}: {}", one_line(reason))),
        }
    }
}

/// Whether one part of the process is ready. Dropping the gate closes it with the reason `ended`.
#[derive(Debug)]
pub struct Gate {
    name: &'static str,
    closed: watch::Sender<BTreeMap<&'static str, String>>,
}

impl Gate {
    /// Marks the part as ready. Cheap if it already is.
    pub fn open(&self) {
        self.closed
            .send_if_modified(|closed| closed.remove(self.name).is_some());
    }

    /// Marks the part as not ready. `reason` is shown to operators and must not contain a secret.
    pub fn close(&self, reason: &str) {
        self.closed.send_if_modified(|closed| {
            let changed = closed.get(self.name).is_none_or(|current| current != reason);
            if changed {
                closed.insert(self.name, reason.to_owned());
            }
            changed
        });
    }

    /// Calls [`Self::open`] or [`Self::close`].
    pub fn set(&self, open: bool, reason: &str) {
        if open { self.open() } else { self.close(reason) }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close("ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_for_readiness_ends_when_the_last_gate_opens() {
        let readiness = Readiness::new(Shutdown::new());
        let (link, store) = (readiness.register("link"), readiness.register("store"));
        let waiting = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.ready().await }
        });
        link.open();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        store.open();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn changes_are_reported_until_the_drain() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let gate = readiness.register("store");
        let starting = readiness.check();
        gate.open();
        let ready = readiness.changed(&starting).await;
        assert_eq!(ready, Ok(()));
        shutdown.begin("test");
        assert_eq!(readiness.changed(&ready).await, Err(NotReady::Draining));
    }

    #[test]
    fn a_dropped_gate_is_closed() {
        let readiness = Readiness::new(Shutdown::new());
        let gate = readiness.register("link");
        gate.open();
        drop(gate);
        assert_eq!(readiness.check().unwrap_err().to_string(), "link: ended\n");
    }
}
