//! The benchmark: Roomcast and its competitors, under the same load in the same run.
//!
//! It starts each competitor as processes, connects thousands of sockets to it from one thread, and writes the results to
//! `target/bench` and `docs/performance.md`. It uses Roomcast only from outside: its program, its gRPC API and its
//! sockets.

mod catalogue;
mod child;
mod competitors;
mod cpu_pinning;
mod error;
mod generator;
mod interrupt;
mod machine;
mod measure;
mod measurement;
mod options;
mod payload;
mod procfs;
mod progress;
mod publishers;
mod readiness;
mod report;
mod results;
mod scenario;
mod servers;
mod shape;
mod sleep;
mod stats;
mod suite;
mod tokens;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let succeeded = match options.command {
        Some(Command::Serve { server }) => server.run().map(|()| true),
        Some(Command::Report) => suite::write_report(&options).map(|()| true),
        None => suite::run(&options),
    };
    match succeeded {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress::print(&format!("roomcast-bench: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
