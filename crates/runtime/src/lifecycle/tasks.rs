//! The process's tasks: each has a name, an owner and an end.
//!
//! A task that the process cannot do without must never die unnoticed: its end begins the drain.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
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
    drained_by: TaskTracker,
    end: CancellationToken,
    running: Mutex<BTreeMap<&'static str, usize>>,
}

/// When a task may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// Only while draining, and the drain waits for it.
    EndInDrain,
    /// Whenever it is done, and the drain waits for it.
    EndAnyTime,
    /// Never by itself: it serves through the drain and is dropped at its end.
    NeverEnd,
}

impl Tasks {
    /// No tasks yet. A task that dies begins the drain of `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            drained_by: TaskTracker::new(),
            end: CancellationToken::new(),
            running: Mutex::default(),
        }))
    }

    /// Spawns a task that lives until the process drains (it watches [`Shutdown::draining`]) and then ends in its
    /// own time. A panic, or an end before the drain, is logged and ends the process with status 1.
    ///
    /// # Panics
    /// Outside a tokio runtime, as the other two.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.drained_by.spawn(self.watched(name, May::EndInDrain, task));
    }

    /// Spawns a task that ends when its work is done. The drain waits for it; a panic ends this task alone.
    pub fn spawn_finite(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.drained_by.spawn(self.watched(name, May::EndAnyTime, task));
    }

    /// Spawns a task that serves through the drain, such as the admin endpoints, and is dropped at its end. A panic,
    /// or an end before, is logged and ends the process with status 1.
    pub fn spawn_through_drain(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(self.watched(name, May::NeverEnd, task)));
    }

    /// Waits for the drain to begin and then, for at most `deadline`, for the tasks to end. Those that are late are
    /// dropped at their next await.
    pub async fn wait_for_drain(&self, deadline: Duration) -> Drained {
        self.0.shutdown.draining().await;
        self.0.drained_by.close();
        let overdue = match tokio::time::timeout(deadline, self.0.drained_by.wait()).await {
            Ok(()) => Vec::new(),
            Err(_) => self.0.late(),
        };
        self.0.end.cancel();
        match overdue.is_empty() {
            true => info!("drained"),
            false => warn!(tasks = ?overdue, ?deadline, "not drained within the deadline"),
        }
        Drained {
            overdue,
            failed: self.0.shutdown.has_failed(),
        }
    }

    fn watched(
        &self,
        name: &'static str,
        may: May,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut running = Running::new(self.0.clone(), name, may);
        let end = self.0.end.clone();
        async move {
            tokio::select! {
                biased;
                () = end.cancelled() => running.end(Ending::Dropped),
                () = task => running.end(Ending::Done),
            }
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
    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> Vec<&'static str> {
        self.running().keys().copied().collect()
    }
}

/// How the drain went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// The names of the tasks that the deadline cut off, in order.
    pub overdue: Vec<&'static str>,
    /// Whether a task died, or the drain was begun by a failure.
    pub failed: bool,
}

impl Drained {
    /// The process's exit status: 0 after a clean drain, 1 where a task died or was cut off.
    pub fn exit_status(&self) -> u8 {
        u8::from(self.failed || !self.overdue.is_empty())
    }
}

enum Ending {
    Running,
    Dropped,
    Done,
}

/// One running task; its drop, whichever way it comes, is where the end is noticed.
struct Running {
    tasks: Arc<Inner>,
    name: &'static str,
    may: May,
    state: Ending,
}

impl Running {
    fn new(tasks: Arc<Inner>, name: &'static str, may: May) -> Self {
        if may != May::NeverEnd {
            *tasks.running().entry(name).or_default() += 1;
        }
        Self {
            tasks,
            name,
            may,
            state: Ending::Running,
        }
    }

    fn end(&mut self, state: Ending) {
        self.state = state;
    }

    fn released(&self) {
        if self.may == May::NeverEnd {
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

impl Drop for Running {
    fn drop(&mut self) {
        self.released();
        let shutdown = &self.tasks.shutdown;
        match (&self.state, self.may) {
            (Ending::Running, May::EndAnyTime) if std::thread::panicking() => {
                error!(task.name = self.name, "task panicked");
            }
            (Ending::Running, May::EndInDrain | May::NeverEnd) if std::thread::panicking() => {
                error!(task.name = self.name, "task panicked: the process ends");
                shutdown.fail("a task panicked");
            }
            (Ending::Done, May::EndInDrain) if !shutdown.is_draining() => {
                error!(task.name = self.name, "task ended unexpectedly: the process ends");
                shutdown.fail("a task ended");
            }
            (Ending::Done, May::NeverEnd) => {
                error!(task.name = self.name, "task ended unexpectedly: the process ends");
                shutdown.fail("a task ended");
            }
            (Ending::Running | Ending::Dropped | Ending::Done, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    fn process() -> (Shutdown, Tasks) {
        let shutdown = Shutdown::new();
        (shutdown.clone(), Tasks::new(shutdown))
    }

    #[tokio::test(start_paused = true)]
    async fn the_drain_waits_for_every_task_and_exits_0() {
        let (shutdown, tasks) = process();
        let (finish, finished) = oneshot::channel::<()>();
        let draining = shutdown.clone();
        tasks.spawn("link", async move { draining.draining().await });
        tasks.spawn_finite("replay", async move { finished.await.unwrap() });
        tasks.spawn_through_drain("admin", pending());
        shutdown.begin("test");
        let waiting = tokio::spawn({
            let tasks = tasks.clone();
            async move { tasks.wait_for_drain(DEADLINE).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        finish.send(()).unwrap();
        let drained = waiting.await.unwrap();
        assert_eq!(
            drained,
            Drained {
                overdue: vec![],
                failed: false
            }
        );
        assert_eq!(drained.exit_status(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_cuts_off_and_names_late_tasks() {
        let (shutdown, tasks) = process();
        let (held, dropped) = oneshot::channel::<()>();
        tasks.spawn("hub", async move {
            let _held = held;
            pending().await
        });
        tasks.spawn_through_drain("admin", pending());
        shutdown.begin("test");
        let drained = tasks.wait_for_drain(DEADLINE).await;
        assert_eq!(drained.overdue, ["hub"]);
        assert_eq!(drained.exit_status(), 1);
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_task_that_panics_begins_the_drain_and_fails_the_process() {
        let (_shutdown, tasks) = process();
        tasks.spawn("link", async { panic!("expected by the test") });
        assert_eq!(
            tasks.wait_for_drain(DEADLINE).await,
            Drained {
                overdue: vec![],
                failed: true
            }
        );
    }

    #[tokio::test]
    async fn a_task_that_ends_before_the_drain_fails_the_process() {
        let (_shutdown, tasks) = process();
        tasks.spawn("link", async {});
        assert_eq!(tasks.wait_for_drain(DEADLINE).await.exit_status(), 1);
    }

    #[tokio::test]
    async fn a_task_that_should_serve_through_the_drain_may_not_end() {
        let (_shutdown, tasks) = process();
        tasks.spawn_through_drain("admin", async {});
        assert_eq!(tasks.wait_for_drain(DEADLINE).await.exit_status(), 1);
    }

    #[tokio::test]
    async fn a_finite_task_may_end_or_panic_alone() {
        let (shutdown, tasks) = process();
        tasks.spawn_finite("request", async {});
        tasks.spawn_finite("request", async { panic!("expected by the test") });
        tasks.0.drained_by.close();
        tasks.0.drained_by.wait().await;
        assert!(!shutdown.is_draining());
        shutdown.begin("test");
        assert_eq!(tasks.wait_for_drain(DEADLINE).await.exit_status(), 0);
    }
}
