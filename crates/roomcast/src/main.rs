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

use roomcast_edge::EdgeId;
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
            let edge_id = options.link.edge_id();
            process::run(&options.process.clone(), &[label(&edge_id)], |process| {
                dev::start(*options, edge_id, process)
            })
        }
        Command::ControlPlane(options) => process::run(&options.process.clone(), &[], |process| {
            control_plane::start(*options, process)
        }),
        Command::Edge(options) => {
            let edge_id = options.link.edge_id();
            process::run(&options.process.clone(), &[label(&edge_id)], |process| {
                edge::start(*options, edge_id, process)
            })
        }
        Command::Token(options) => token::print(&options),
    }
}

/// The label of `roomcast_build_info` for an edge.
fn label(edge_id: &EdgeId) -> (&'static str, String) {
    ("edge_id", edge_id.to_string())
}
