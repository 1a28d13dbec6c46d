//! The options of every long-running command.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use roomcast_runtime::config::values;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub(crate) struct ProcessOptions {
    /// TOML file with options; each key is the name of a flag without the leading dashes. Unset: no file
    #[arg(long, env = "ROOMCAST_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log level: off, error, warn, info, debug or trace, optionally for each module (info,roomcast_edge=debug). Logs go to
    /// standard error, in a readable format on a terminal, otherwise as JSON
    #[arg(long, env = "ROOMCAST_LOG", value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
    /// Maximum duration of a graceful shutdown after SIGTERM or SIGINT; then the remaining work is aborted
    #[arg(long, env = "ROOMCAST_DRAIN_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(crate) drain_timeout: Duration,
    /// Allows addresses that other machines can reach even if the dev secret is used, or if callers need neither service
    /// tokens nor client certificates; also allows the playground of `dev` on such an address to make calls. Unset: only
    /// loopback addresses are allowed in these cases
    #[arg(long, env = "ROOMCAST_INSECURE")]
    pub(crate) insecure: bool,
}
