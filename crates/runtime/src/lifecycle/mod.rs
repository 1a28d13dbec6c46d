//! How a process ends: a drain that takes nothing new and loses nothing accepted, within a deadline.
//!
//! It never decides what draining means for a task: it says when, waits, and reports who was late.

mod shutdown;
mod tasks;

pub use shutdown::Shutdown;
pub use tasks::{Drained, Tasks};
