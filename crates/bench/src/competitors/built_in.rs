//! The servers that are part of this program (`servers/`), each as a process of its own.

use std::{net::SocketAddr, process::Command};

use super::{deployment::Deployment, environment::Environment};
use crate::{
    child::ChildProcess,
    cpu_pinning::ProcessRole,
    error::BenchResult,
    generator::protocol::PLAIN_SOCKET_IO,
    publishers::{Publisher, records::RecordPublisher},
};

pub(super) fn start(environment: &Environment, name: &str) -> BenchResult<Deployment> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", name]);
    let mut process = ChildProcess::start(ProcessRole::FanOut, name, &mut command, &environment.logs())?;
    let (http, control) = read_addrs(&mut process)?;
    Ok(Deployment {
        processes: vec![process],
        socket_addrs: vec![http],
        protocol: PLAIN_SOCKET_IO,
        publisher: Publisher::Records(RecordPublisher::connect(control)?),
        tokens: vec![],
        redis: None,
    })
}

/// Reads the line `listening HTTP CONTROL` from a server's standard output.
pub(super) fn read_addrs(process: &mut ChildProcess) -> BenchResult<(SocketAddr, SocketAddr)> {
    let line = process.line_after("listening ")?;
    let (http, control) = line.split_once(' ').ok_or("expected two addresses")?;
    Ok((http.parse()?, control.parse()?))
}
