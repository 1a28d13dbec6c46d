//! Tasks that live as long as a call of `ControlPlane::serve`: each has a name, and ends with its owner.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

/// The owner of named tasks. When it is dropped, they are aborted.
#[derive(Debug, Default)]
pub(crate) struct NamedTasks {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// How a task ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TaskEnd {
    pub(crate) name: &'static str,
    pub(crate) panicked: bool,
}

impl NamedTasks {
    pub(crate) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Waits until a task ends; `None` when there are no tasks. Cancel-safe.
    pub(crate) async fn next_end(&mut self) -> Option<TaskEnd> {
        let (id, panicked) = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let name = self.names.remove(&id).unwrap_or("unnamed");
        Some(TaskEnd { name, panicked })
    }

    /// Aborts the tasks and waits until they have ended.
    pub(crate) async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_task_names_it() {
        let mut tasks = NamedTasks::default();
        tasks.spawn("finishes", async {});
        let end = tasks.next_end().await;
        assert_eq!(
            end,
            Some(TaskEnd {
                name: "finishes",
                panicked: false
            })
        );
        tasks.spawn("panics", async { panic!("expected by the test") });
        let end = tasks.next_end().await;
        assert_eq!(
            end,
            Some(TaskEnd {
                name: "panics",
                panicked: true
            })
        );
        assert_eq!(tasks.next_end().await, None);
    }
}
