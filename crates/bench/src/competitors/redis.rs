//! A Redis of a peer's own, which keeps nothing on disk.

use std::{net::SocketAddr, process::Command};

use super::Ground;
use crate::{
    cpus::Role,
    error::Outcome,
    child::{self, Process},
};

pub(crate) fn start(ground: &Ground) -> Outcome<(Process, SocketAddr)> {
    let port = child::free_port()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"]);
    let process = Process::start(Role::Store, "redis", &mut command, &ground.logs())?;
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    child::eventually("Redis", || child::listens(addr))?;
    Ok((process, addr))
}
