//! Node's socket.io.

use std::{net::SocketAddr, process::Command};

use super::{Deployment, Ground, SOCKET_IO, built_in::listening, redis};
use crate::{
    cpus::Role,
    error::Outcome,
    payload::FILL_BYTES,
    child::Process,
    publishers::{Publisher, records::Records},
};

pub(super) fn start(ground: &Ground) -> Outcome<Deployment> {
    let mut process = node(ground, Role::FanOut, None)?;
    let (http, control) = listening(&mut process)?;
    deployment(vec![process], http, control)
}

/// Events are published at one process, and the sockets are at another.
pub(super) fn start_with_redis(ground: &Ground) -> Outcome<Deployment> {
    let (redis, addr) = redis::start(ground)?;
    let mut published = node(ground, Role::Behind, Some(addr))?;
    let mut holding = node(ground, Role::FanOut, Some(addr))?;
    let (_, control) = listening(&mut published)?;
    let (http, _) = listening(&mut holding)?;
    deployment(vec![holding, published, redis], http, control)
}

fn deployment(processes: Vec<Process>, http: SocketAddr, control: SocketAddr) -> Outcome<Deployment> {
    Ok(Deployment {
        processes,
        targets: vec![http],
        dialect: SOCKET_IO,
        publisher: Publisher::Records(Records::connect(control)?),
        tokens: vec![],
        store: None,
    })
}

fn node(ground: &Ground, role: Role, redis: Option<SocketAddr>) -> Outcome<Process> {
    let mut command = Command::new("node");
    command
        .arg(ground.node.join("server.mjs"))
        .arg(FILL_BYTES.to_string())
        .args(redis.map(|addr| format!("redis://{addr}")));
    let name = if role == Role::Behind {
        "node-published"
    } else {
        "node"
    };
    Process::start(role, name, &mut command, &ground.logs())
}
