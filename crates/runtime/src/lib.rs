//! What every Roomcast process needs around its work: configuration, logs, metrics, admin endpoints, an orderly end.
//!
//! It must never know what the process is for: it depends on no other crate of this workspace.

pub mod admin;
pub mod config;
pub mod lifecycle;
pub mod metrics;
pub mod net;
pub mod telemetry;

/// The program's name, as it begins every line printed before the logs are set up.
pub const PROGRAM: &str = "roomcast";
