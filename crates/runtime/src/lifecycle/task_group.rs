//! Short-lived tasks of one owner, such as one task for each connection.

use std::fmt;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::error;

/// Tasks of one kind that end with their owner: when the group is dropped, each of its tasks is dropped at its next
/// await.
///
/// A panic is logged with the group's name and ends only its own task. Tasks that the process cannot do without belong
/// to [`Tasks`](super::Tasks).
pub struct TaskGroup {
    name: &'static str,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl TaskGroup {
    /// Creates an empty group; `name` is the name of each of its tasks in the log.
    pub fn new(name: &'static str) -> Self {
        let stop = CancellationToken::new();
        Self {
            name,
            tasks: TaskTracker::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Spawns a task. The cost is that of `tokio::spawn` and two reference counts.
    ///
    /// The task must not own the group: it would keep the group, and so itself, alive.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let log_panic = LogPanic { task: self.name };
        self.tasks.spawn(async move {
            let _log_panic = log_panic;
            let _ = stop.run_until_cancelled_owned(task).await; // `None`: the group was dropped.
        });
    }

    /// Waits until no task runs.
    pub async fn wait(&self) {
        self.tasks.close(); // A closed tracker still accepts tasks; `wait` ends only on a closed one.
        self.tasks.wait().await;
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("name", &self.name)
            .field("running", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

struct LogPanic {
    task: &'static str,
}

impl Drop for LogPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(task.name = self.task, "task panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_owner_can_wait_for_its_tasks() {
        let group = TaskGroup::new("connection");
        group.wait().await;
        let (finish, finished) = oneshot::channel::<()>();
        group.spawn(async move { finished.await.unwrap() });
        let mut waiting = Box::pin(group.wait());
        assert!(poll_once(&mut waiting).await.is_none());
        finish.send(()).unwrap();
        waiting.await;
    }

    #[tokio::test]
    async fn tasks_end_when_their_owner_is_dropped() {
        let group = TaskGroup::new("connection");
        let (held, dropped) = oneshot::channel::<()>();
        group.spawn(async move {
            let _held = held;
            pending().await
        });
        drop(group);
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_panic_ends_only_its_own_task() {
        let group = TaskGroup::new("connection");
        let (held, dropped) = oneshot::channel::<()>();
        group.spawn(async move {
            let _held = held;
            panic!("expected by the test")
        });
        dropped.await.unwrap_err();
        group.wait().await;
        group.spawn(async {});
        group.wait().await;
    }

    /// `None` if the future is still pending after one poll.
    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
