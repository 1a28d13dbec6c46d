//! What Roomcast is compared with and that is written here: servers that this binary runs as processes of their own.
//!
//! Each prints one line, `listening HTTP CONTROL`: where sockets connect, and where records of events come in. Each
//! ends when its standard input does.

pub(crate) mod raw;
pub(crate) mod socketioxide;

use std::{io::Read, net::SocketAddr, thread};

use clap::ValueEnum;

use crate::error::Outcome;

/// Which of them.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Server {
    Raw,
    Socketioxide,
}

impl Server {
    pub(crate) fn run(self) -> Outcome<()> {
        thread::spawn(|| {
            let mut nothing = vec![];
            let _ended = std::io::stdin().read_to_end(&mut nothing);
            std::process::exit(0);
        });
        match self {
            Self::Raw => raw::run(),
            Self::Socketioxide => socketioxide::run(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it reads this line")]
fn say_where(http: SocketAddr, control: SocketAddr) {
    println!("listening {http} {control}");
}
