//! Whether the process can do its work, as its parts last said.
//!
//! Asking never probes anything: a part that notices a change tells its gate.

use std::collections::BTreeMap;
use std::fmt;

use tokio::sync::watch;

use crate::config::one_line;
use crate::lifecycle::Shutdown;

/// The gates of one process. Clones share them. Ready means that every gate is open and the process is not draining;
/// so each part registers its gate before the endpoints are served.
#[derive(Debug, Clone)]
pub struct Readiness {
    shutdown: Shutdown,
    closed: watch::Sender<BTreeMap<&'static str, String>>,
}

impl Readiness {
    /// No gates yet; the drain of `shutdown` makes the process not ready.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            closed: watch::Sender::default(),
        }
    }

    /// A gate by this name, closed with the reason `starting`. One name has one gate.
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
    /// What it lacks.
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

    /// Waits until every gate is open; never ends otherwise.
    pub async fn ready(&self) {
        // The sender lives as long as self, so the wait cannot fail.
        let _ = self.closed.subscribe().wait_for(BTreeMap::is_empty).await;
    }

    /// Waits until [`Self::check`] has another result than `seen`, and gives it; never ends once `seen` is the drain.
    pub async fn changed(&self, seen: &Result<(), NotReady>) -> Result<(), NotReady> {
        let mut closed = self.closed.subscribe();
        loop {
            let current = self.check();
            if current != *seen {
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
    /// The process drains.
    Draining,
    /// These gates are closed, for these reasons.
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

/// One part's say in the readiness. Dropped, it stays closed: a part that is gone is not ready.
#[derive(Debug)]
pub struct Gate {
    name: &'static str,
    closed: watch::Sender<BTreeMap<&'static str, String>>,
}

impl Gate {
    /// The part can do its work. Cheap when it could before.
    pub fn open(&self) {
        self.closed
            .send_if_modified(|closed| closed.remove(self.name).is_some());
    }

    /// The part cannot do its work; operators read `reason`, so it holds no secret.
    pub fn close(&self, reason: &str) {
        self.closed.send_if_modified(|closed| {
            let changed = closed.get(self.name).is_none_or(|current| current != reason);
            if changed {
                closed.insert(self.name, reason.to_owned());
            }
            changed
        });
    }

    /// [`Self::open`] or [`Self::close`].
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
    async fn waiting_for_ready_ends_when_the_last_gate_opens() {
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
    async fn changes_are_seen_up_to_the_drain() {
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
    fn a_part_that_is_gone_is_not_ready() {
        let readiness = Readiness::new(Shutdown::new());
        let gate = readiness.register("link");
        gate.open();
        drop(gate);
        assert_eq!(readiness.check().unwrap_err().to_string(), "link: ended\n");
    }
}
