//! Starts Socket.IO on Node.js: one process alone, or two processes with the Redis adapter.

use std::{net::SocketAddr, process::Command};

use super::{built_in::read_addrs, deployment::Deployment, environment::Environment, redis};
use crate::{
    child::ChildProcess,
    cpu_pinning::ProcessRole,
    error::BenchResult,
    generator::protocol::PLAIN_SOCKET_IO,
    payload::FILL_BYTES,
    publishers::{Publisher, records::RecordPublisher},
};

pub(super) fn start(environment: &Environment) -> BenchResult<Deployment> {
    let mut process = start_process(environment, ProcessRole::FanOut, "node", None)?;
    let (http, control) = read_addrs(&mut process)?;
    deployment(vec![process], http, control)
}

/// Starts two processes: events are published at one, and sockets connect to the other.
pub(super) fn start_with_redis(environment: &Environment) -> BenchResult<Deployment> {
    let (redis, redis_addr) = redis::start(environment)?;
    let start = |role, name| start_process(environment, role, name, Some(redis_addr));
    let mut publishing = start(ProcessRole::Supporting, "node-publishing")?;
    let mut serving = start(ProcessRole::FanOut, "node")?;
    let (_, control) = read_addrs(&mut publishing)?;
    let (http, _) = read_addrs(&mut serving)?;
    deployment(vec![serving, publishing, redis], http, control)
}

fn start_process(
    environment: &Environment,
    role: ProcessRole,
    name: &str,
    redis: Option<SocketAddr>,
) -> BenchResult<ChildProcess> {
    let mut command = Command::new("node");
    command
        .arg(environment.node.join("server.mjs"))
        .arg(FILL_BYTES.to_string())
        .args(redis.map(|addr| format!("redis://{addr}")));
    ChildProcess::start(role, name, &mut command, &environment.logs())
}

fn deployment(
    processes: Vec<ChildProcess>,
    http: SocketAddr,
    control: SocketAddr,
) -> BenchResult<Deployment> {
    Ok(Deployment {
        processes,
        socket_addrs: vec![http],
        protocol: PLAIN_SOCKET_IO,
        publisher: Publisher::Records(RecordPublisher::connect(control)?),
        tokens: vec![],
        redis: None,
    })
}
