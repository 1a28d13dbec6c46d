//! The servers that are written here.

use std::{net::SocketAddr, process::Command};

use super::{Deployment, Ground, SOCKET_IO};
use crate::{
    cpus::Role,
    error::{Outcome, failed},
    child::Process,
    publishers::{Publisher, records::Records},
};

pub(super) fn start(ground: &Ground, name: &str) -> Outcome<Deployment> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", name]);
    let mut process = Process::start(Role::FanOut, name, &mut command, &ground.logs())?;
    let (http, control) = listening(&mut process)?;
    Ok(Deployment {
        processes: vec![process],
        targets: vec![http],
        dialect: SOCKET_IO,
        publisher: Publisher::Records(Records::connect(control)?),
        tokens: vec![],
        store: None,
    })
}

/// Reads the line in which a server says where it listens.
pub(super) fn listening(process: &mut Process) -> Outcome<(SocketAddr, SocketAddr)> {
    let line = process.line_after("listening ")?;
    let (http, control) = line.split_once(' ').ok_or_else(|| failed("no two addresses"))?;
    Ok((http.parse()?, control.parse()?))
}
