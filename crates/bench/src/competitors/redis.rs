//! A Redis for one competitor, which writes nothing to disk.

use std::{net::SocketAddr, process::Command};

use super::environment::Environment;
use crate::{child::ChildProcess, cpu_pinning::ProcessRole, error::BenchResult, readiness};

pub(super) fn start(environment: &Environment) -> BenchResult<(ChildProcess, SocketAddr)> {
    let port = readiness::free_port()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"]);
    let process = ChildProcess::start(ProcessRole::Store, "redis", &mut command, &environment.logs())?;
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    readiness::wait_until("Redis", || readiness::accepts_connections(addr))?;
    Ok((process, addr))
}
