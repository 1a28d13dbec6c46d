//! Servers for comparison that this program contains. Each runs as a process of its own.
//!
//! A server prints one line, `listening HTTP CONTROL`, with the address for sockets and the address for records of
//! events. It ends when its standard input ends.

mod raw;
mod socketioxide;

use std::{io::Read, net::SocketAddr, thread};

use clap::ValueEnum;

use crate::error::BenchResult;

/// A server that runs in a process of this program.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Server {
    Raw,
    Socketioxide,
}

impl Server {
    /// Serves until standard input ends, which ends the process.
    pub(crate) fn run(self) -> BenchResult<()> {
        thread::spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut vec![]); // an error is an end too
            std::process::exit(0);
        });
        match self {
            Self::Raw => raw::run(),
            Self::Socketioxide => socketioxide::run(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the parent process reads this line")]
fn print_addrs(http: SocketAddr, control: SocketAddr) {
    println!("listening {http} {control}");
}
