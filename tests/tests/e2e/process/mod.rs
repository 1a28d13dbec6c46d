//! The binary as a process: command line, start, readiness, drain, exit, logs and resources.

mod command_line;
mod lifecycle;
mod logging;
mod resource_leaks;
mod start_and_stop;
