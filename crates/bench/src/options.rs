//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    error::{Outcome, failed},
    competitors::Peer,
    catalogue::Group,
    servers::Server,
};

/// Measures Roomcast beside what it is compared with, and writes docs/performance.md
#[derive(Debug, Parser)]
#[command(name = "roomcast-bench")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Under three minutes in all: one round of short windows
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these scenarios; repeatable
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) only: Vec<Group>,
    /// Only these peers; repeatable
    #[arg(long, value_name = "PEER")]
    pub(crate) peer: Vec<Peer>,
    /// How often each is measured; unset: 5, with --quick 1
    #[arg(long, value_name = "COUNT")]
    pub(crate) rounds: Option<usize>,
    /// The program to measure; unset: the one beside this one
    #[arg(long, value_name = "FILE")]
    roomcast: Option<PathBuf>,
    /// The program centrifugo; unset: the one in PATH
    #[arg(long, env = "CENTRIFUGO", value_name = "FILE", default_value = "centrifugo")]
    pub(crate) centrifugo: PathBuf,
    /// The folder of the Node server, with its packages installed
    #[arg(long, value_name = "FOLDER", default_value = "crates/bench/competitors/node")]
    pub(crate) node: PathBuf,
    /// Where results, logs and configuration files go
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
    /// The report; its pictures go into a folder of the same name beside it
    #[arg(long, value_name = "FILE", default_value = "docs/performance.md")]
    pub(crate) report: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the report of the last run's results once more
    Report,
    /// One of the servers that are measured
    #[command(hide = true)]
    Serve { server: Server },
}

impl Options {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    pub(crate) fn roomcast(&self) -> Outcome<PathBuf> {
        let beside = || Ok::<_, std::io::Error>(std::env::current_exe()?.with_file_name("roomcast"));
        let path = self.roomcast.clone().map_or_else(beside, Ok)?;
        if path.exists() {
            return Ok(path);
        }
        let path = path.display();
        Err(failed(format!("{path} is missing: cargo build --release")))
    }
}
