//! The tasks that a process cannot do without.
//!
//! The end of such a task must never go unnoticed: it begins the drain. Short-lived tasks belong to a
//! [`TaskGroup`](super::TaskGroup).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::Shutdown;

/// Spawns named tasks and waits for them when the process drains. Clones share the tasks.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    /// The tasks that the drain waits for.
    drained: TaskTracker,
    /// Cancelled at the end of the drain; the tasks that still run are then dropped.
    stop: CancellationToken,
    /// How many of the tasks that the drain waits for run, by name.
    running: Mutex<BTreeMap<&'static str, usize>>,
}

/// When a task is expected to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    /// It ends by itself while the process drains, and the drain waits for it.
    UntilDrain,
    /// It never ends by itself; it is dropped at the end of the drain.
    ThroughDrain,
}

impl Tasks {
    /// Creates an empty set of tasks. A task that fails begins the drain of `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            drained: TaskTracker::new(),
            stop: CancellationToken::new(),
            running: Mutex::default(),
        }))
    }

    /// Spawns a task that runs until the process drains (it watches [`Shutdown::draining`]) and then ends by itself.
    /// If it panics, or ends before the drain, this is logged and the process ends with status 1.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0
            .drained
            .spawn(self.supervised(name, Lifetime::UntilDrain, task));
    }

    /// Spawns a task that runs through the drain, such as the admin endpoints, and is dropped at its end. If it
    /// panics, or ends before, this is logged and the process ends with status 1.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn_through_drain(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(self.supervised(name, Lifetime::ThroughDrain, task)));
    }

    /// Waits for the drain to begin and then, for at most `timeout`, for the tasks to end. Tasks that have not ended
    /// by then are dropped at their next await.
    pub async fn wait_for_drain(&self, timeout: Duration) -> DrainReport {
        self.0.shutdown.draining().await;
        self.0.drained.close();
        let overdue = match tokio::time::timeout(timeout, self.0.drained.wait()).await {
            Ok(()) => Vec::new(),
            Err(_) => self.0.running().keys().copied().collect(),
        };
        self.0.stop.cancel();
        if overdue.is_empty() {
            info!("drained");
        } else {
            warn!(tasks = ?overdue, ?timeout, "aborted tasks that did not end within the drain timeout");
        }
        DrainReport {
            overdue,
            failed: self.0.shutdown.has_failed(),
        }
    }

    fn supervised(
        &self,
        name: &'static str,
        lifetime: Lifetime,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut running = RunningTask::new(self.0.clone(), name, lifetime);
        let stop = self.0.stop.clone();
        async move {
            let completed = stop.run_until_cancelled_owned(task).await.is_some();
            running.end(if completed {
                Ending::Completed
            } else {
                Ending::Stopped
            });
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.0.running)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a drain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DrainReport {
    /// The names of the tasks that were dropped at the timeout, sorted.
    pub overdue: Vec<&'static str>,
    /// Whether a task failed, or a failure began the drain.
    pub failed: bool,
}

impl DrainReport {
    /// The exit status of the process: 0 after a clean drain, 1 if a task failed or was dropped at the timeout.
    pub fn exit_status(&self) -> u8 {
        u8::from(self.failed || !self.overdue.is_empty())
    }
}

/// How a task ended.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// It was dropped at the end of the drain.
    Stopped,
    /// It completed.
    Completed,
}

/// Exists as long as its task. Its drop detects every way in which the task can end, also a panic.
struct RunningTask {
    tasks: Arc<Inner>,
    name: &'static str,
    lifetime: Lifetime,
    /// Unset while the task runs. If it is still unset at the drop, the task panicked or the runtime shut down.
    ending: Option<Ending>,
}

impl RunningTask {
    fn new(tasks: Arc<Inner>, name: &'static str, lifetime: Lifetime) -> Self {
        if lifetime == Lifetime::UntilDrain {
            *tasks.running().entry(name).or_default() += 1;
        }
        Self {
            tasks,
            name,
            lifetime,
            ending: None,
        }
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    fn unregister(&self) {
        if self.lifetime == Lifetime::ThroughDrain {
            return;
        }
        let mut running = self.tasks.running();
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.unregister();
        let shutdown = &self.tasks.shutdown;
        let ended_early = match (self.ending, self.lifetime) {
            (None, _) if std::thread::panicking() => {
                error!(task.name = self.name, "task panicked; ending the process");
                shutdown.fail("a task panicked");
                return;
            }
            (Some(Ending::Completed), Lifetime::UntilDrain) => !shutdown.is_draining(),
            // When the set stops, a task may complete because another one, on which it waits, was dropped.
            (Some(Ending::Completed), Lifetime::ThroughDrain) => !self.tasks.stop.is_cancelled(),
            (None | Some(Ending::Stopped), _) => false,
        };
        if ended_early {
            error!(
                task.name = self.name,
                "task ended unexpectedly; ending the process"
            );
            shutdown.fail("a task ended unexpectedly");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn shutdown_and_tasks() -> (Shutdown, Tasks) {
        let shutdown = Shutdown::new();
        (shutdown.clone(), Tasks::new(shutdown))
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_waits_for_every_task_and_exits_with_0() {
        let (shutdown, tasks) = shutdown_and_tasks();
        let (finish, finished) = oneshot::channel::<()>();
        let draining = shutdown.clone();
        tasks.spawn("link", async move { draining.draining().await });
        tasks.spawn("hub", async move { finished.await.unwrap() });
        tasks.spawn_through_drain("admin", pending());
        shutdown.begin("test");
        let waiting = tokio::spawn({
            let tasks = tasks.clone();
            async move { tasks.wait_for_drain(TIMEOUT).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        finish.send(()).unwrap();
        let drained = waiting.await.unwrap();
        assert_eq!(
            drained,
            DrainReport {
                overdue: vec![],
                failed: false
            }
        );
        assert_eq!(drained.exit_status(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_exceed_the_timeout_are_dropped_and_named() {
        let (shutdown, tasks) = shutdown_and_tasks();
        let (held, dropped) = oneshot::channel::<()>();
        tasks.spawn("hub", async move {
            let _held = held;
            pending().await
        });
        tasks.spawn_through_drain("admin", pending());
        shutdown.begin("test");
        let drained = tasks.wait_for_drain(TIMEOUT).await;
        assert_eq!(drained.overdue, ["hub"]);
        assert_eq!(drained.exit_status(), 1);
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_task_that_panics_begins_the_drain_and_fails_the_process() {
        let (_shutdown, tasks) = shutdown_and_tasks();
        tasks.spawn("link", async { panic!("expected by the test") });
        assert_eq!(
            tasks.wait_for_drain(TIMEOUT).await,
            DrainReport {
                overdue: vec![],
                failed: true
            }
        );
    }

    #[tokio::test]
    async fn a_task_that_ends_before_the_drain_fails_the_process() {
        let (_shutdown, tasks) = shutdown_and_tasks();
        tasks.spawn("link", async {});
        assert_eq!(tasks.wait_for_drain(TIMEOUT).await.exit_status(), 1);
    }

    #[tokio::test]
    async fn a_task_that_runs_through_the_drain_must_not_end_by_itself() {
        let (_shutdown, tasks) = shutdown_and_tasks();
        tasks.spawn_through_drain("admin", async {});
        assert_eq!(tasks.wait_for_drain(TIMEOUT).await.exit_status(), 1);
    }

    #[tokio::test]
    async fn a_task_may_complete_because_another_one_was_dropped_at_the_end_of_the_drain() {
        let (shutdown, tasks) = shutdown_and_tasks();
        let (held, dropped) = oneshot::channel::<()>();
        let (seen, completed) = oneshot::channel();
        tasks.spawn_through_drain("rooms", async move {
            let _held = held;
            pending().await
        });
        tasks.spawn_through_drain("reads", async move {
            let _ = dropped.await; // an error, because the sender is dropped
            let _ = seen.send(()); // the test may have failed
        });
        // Both tasks wait before the drain.
        tokio::task::yield_now().await;
        shutdown.begin("test");
        assert_eq!(tasks.wait_for_drain(TIMEOUT).await.exit_status(), 0);
        completed.await.unwrap();
        tokio::task::yield_now().await;
        assert!(!shutdown.has_failed());
    }
}
