//! The benchmark: Roomcast, and what it is compared with, under the same load in the same run.
//!
//! It starts what it measures as processes, connects thousands of sockets to them from one thread, and writes what it
//! found to `target/bench` and `docs/performance.md`. It knows Roomcast only from outside: its program, its API, its
//! sockets.

mod catalogue;
mod child;
mod competitors;
mod cpus;
mod error;
mod generator;
mod interrupt;
mod machine;
mod measure;
mod options;
mod payload;
mod procfs;
mod progress;
mod publishers;
mod report;
mod results;
mod servers;
mod shape;
mod stats;
mod suite;
mod tokens;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match options.command {
        Some(Command::Serve { server }) => server.run().map(|()| true),
        Some(Command::Report) => suite::report(&options).map(|()| true),
        None => suite::run(&options),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress::write(&format!("roomcast-bench: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
