//! The frame of every Roomcast process: configuration, logs, metrics, admin endpoints, shutdown.
//!
//! It is independent of the purpose of the process: it must never depend on another crate of this workspace.

pub mod admin;
pub mod config;
mod escape;
pub mod lifecycle;
pub mod metrics;
pub mod net;
pub mod telemetry;

/// The program's name, which begins every line that is printed before the logs are initialised.
const PROGRAM: &str = "roomcast";
