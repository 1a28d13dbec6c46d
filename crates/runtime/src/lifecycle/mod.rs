//! How a process ends: it drains (accepts nothing new, loses nothing that it accepted) within a time limit.
//!
//! This module never decides what draining means for a task. It signals the drain, waits, and reports which tasks did
//! not end in time.

mod shutdown;
mod task_group;
mod tasks;

pub use shutdown::Shutdown;
pub use task_group::{Spawner, TaskGroup};
pub use tasks::{DrainReport, Tasks};
