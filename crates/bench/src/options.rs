//! The options of the benchmark's command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{catalogue::ScenarioGroup, competitors::Competitor, error::BenchResult, servers::Server};

/// Measures Roomcast beside its competitors, and writes docs/performance.md
#[derive(Debug, Parser)]
#[command(name = "roomcast-bench")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Takes less than three minutes: one round with short windows
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measures only these scenarios; repeatable
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) only: Vec<ScenarioGroup>,
    /// Measures only these competitors; repeatable
    #[arg(long = "competitor", visible_alias = "peer", value_name = "COMPETITOR")]
    pub(crate) competitors: Vec<Competitor>,
    /// How often each scenario is measured [default: 5, with --quick 1]
    #[arg(long, value_name = "COUNT")]
    rounds: Option<usize>,
    /// The Roomcast program to measure [default: the program `roomcast` beside this one]
    #[arg(long, value_name = "FILE")]
    roomcast: Option<PathBuf>,
    /// The Centrifugo program
    #[arg(long, env = "CENTRIFUGO", value_name = "FILE", default_value = "centrifugo")]
    pub(crate) centrifugo: PathBuf,
    /// The folder of the Node server, with its packages installed
    #[arg(long, value_name = "FOLDER", default_value = "crates/bench/competitors/node")]
    pub(crate) node: PathBuf,
    /// The folder for results, logs and configuration files
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
    /// The report; its pictures go into a folder of the same name beside it
    #[arg(long, value_name = "FILE", default_value = "docs/performance.md")]
    pub(crate) report: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes the report again from the results of the last run
    Report,
    /// Runs one of the servers that are part of this program
    #[command(hide = true)]
    Serve { server: Server },
}

impl Options {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// The path of the Roomcast program. Fails if there is no such file.
    pub(crate) fn roomcast(&self) -> BenchResult<PathBuf> {
        let path = match &self.roomcast {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("roomcast"),
        };
        if path.exists() {
            return Ok(path);
        }
        let path = path.display();
        Err(format!("{path} is missing: run `cargo build --release -p roomcast`").into())
    }
}
