//! The program `roomcast` with its commands `dev`, `control-plane`, `edge` and `token`.

#![cfg_attr(
    doc,
    expect(
        rustdoc::bare_urls,
        rustdoc::broken_intra_doc_links,
        reason = "the doc comment of an option is its help text on a terminal"
    )
)]

mod cli;
mod control_plane;
mod dev;
mod edge;
mod options;
mod process;
mod token;

use std::process::ExitCode;

use roomcast_runtime::config::{self, EarlyExit};

use cli::{Cli, Command};

fn main() -> ExitCode {
    match config::parse_process::<Cli>().and_then(run) {
        Ok(code) => code,
        Err(exit) => exit.print(),
    }
}

fn run(cli: Cli) -> Result<ExitCode, EarlyExit> {
    match cli.command {
        Command::Dev(options) => {
            process::run(&options.process.clone(), |process| dev::start(*options, process))
        }
        Command::ControlPlane(options) => process::run(&options.process.clone(), |process| {
            control_plane::start(*options, process)
        }),
        Command::Edge(options) => {
            process::run(&options.process.clone(), |process| edge::start(*options, process))
        }
        Command::Token(options) => token::print(&options),
    }
}
