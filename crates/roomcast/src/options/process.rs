//! Options of every long-running command.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use roomcast_runtime::config::values;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub(crate) struct ProcessOptions {
    /// A TOML file with options: the flags' names without the dashes; unset: none
    #[arg(long, env = "ROOMCAST_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is logged: error, warn, info, debug or trace, also by module (info,roomcast_edge=debug). On a terminal
    /// for people, else as JSON; always on standard error
    #[arg(long, env = "ROOMCAST_LOG", value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
    /// How long an orderly end may take after SIGTERM or SIGINT; then what is left is cut off
    #[arg(long, env = "ROOMCAST_DRAIN_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) drain_timeout: Duration,
    /// Takes addresses that other machines can reach although the dev secret is used, or although calls need neither
    /// service tokens nor client certificates, and lets the page of `dev` call there; unset: such addresses are
    /// refused, and such calls
    #[arg(long, env = "ROOMCAST_INSECURE")]
    pub(crate) insecure: bool,
}
