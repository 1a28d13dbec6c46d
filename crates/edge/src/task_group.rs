//! Short-lived tasks. Each has a name, an owner, and ends with its owner at the latest.

use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::error;

/// Owns short-lived tasks. When the group is dropped, its tasks are dropped.
#[derive(Debug)]
pub(crate) struct TaskGroup {
    spawner: Spawner,
    _end: DropGuard,
}

/// Spawns tasks into a [`TaskGroup`]. A spawner does not keep the group alive, so that the group's tasks may hold one.
#[derive(Debug, Clone)]
pub(crate) struct Spawner(CancellationToken);

impl TaskGroup {
    pub(crate) fn new() -> Self {
        let end = CancellationToken::new();
        Self {
            spawner: Spawner(end.clone()),
            _end: end.drop_guard(),
        }
    }

    pub(crate) fn spawner(&self) -> &Spawner {
        &self.spawner
    }
}

impl Spawner {
    /// Spawns a task. A panic ends this task alone; it is logged under the task's name.
    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        // In a box, so that the select below does not need memory for the task twice.
        let (end, task) = (self.0.clone(), Box::pin(task));
        drop(tokio::spawn(async move {
            let _logs_panics = PanicLog(name);
            tokio::select! {
                biased;
                () = task => {}
                () = end.cancelled_owned() => {}
            }
        }));
    }
}

struct PanicLog(&'static str);

impl Drop for PanicLog {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(task.name = self.0, "task panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_ends_with_its_group() {
        let group = TaskGroup::new();
        let (held, dropped) = oneshot::channel::<()>();
        let spawner = group.spawner().clone();
        group.spawner().spawn("test", async move {
            let _held = (held, spawner);
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        drop(group);
        dropped.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_alone() {
        let group = TaskGroup::new();
        group
            .spawner()
            .spawn("test", async { panic!("expected by the test") });
        let (done, finished) = oneshot::channel();
        group
            .spawner()
            .spawn("test", async move { done.send(()).unwrap() });
        finished.await.unwrap();
    }
}
