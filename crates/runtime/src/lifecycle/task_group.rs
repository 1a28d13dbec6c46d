//! Short-lived tasks, such as one for each connection: each has a name and an owner, and ends with its owner at the
//! latest.

use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::error;

/// Owns short-lived tasks. When the group is dropped, its tasks are dropped.
///
/// Tasks that the process cannot do without belong to [`Tasks`](super::Tasks).
#[derive(Debug)]
pub struct TaskGroup {
    spawner: Spawner,
    _stop: DropGuard,
}

/// Spawns tasks into a [`TaskGroup`]. It does not keep the group alive, so the tasks of the group may own one.
#[derive(Debug, Clone)]
pub struct Spawner(CancellationToken);

impl TaskGroup {
    /// Creates an empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// The spawner of this group.
    pub fn spawner(&self) -> &Spawner {
        &self.spawner
    }
}

impl Default for TaskGroup {
    fn default() -> Self {
        let stop = CancellationToken::new();
        Self {
            spawner: Spawner(stop.clone()),
            _stop: stop.drop_guard(),
        }
    }
}

impl Spawner {
    /// Spawns a task. A panic is logged with the task's name and ends only this task. If the group was dropped, the task
    /// is dropped at its first await.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        // Boxed, because the select would otherwise need the memory of the task twice.
        let (stop, task) = (self.0.clone(), Box::pin(task));
        drop(tokio::spawn(async move {
            let _log_panic = LogPanic(name);
            tokio::select! {
                biased;
                () = task => {}
                () = stop.cancelled_owned() => {}
            }
        }));
    }
}

/// Logs the panic of the task that owns it.
struct LogPanic(&'static str);

impl Drop for LogPanic {
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
    async fn a_panic_ends_only_its_own_task() {
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
