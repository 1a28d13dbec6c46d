//! Starts Roomcast: control planes, edges and Redis.

use std::{net::SocketAddr, process::Command, sync::Arc};

use super::{deployment::Deployment, environment::Environment, redis};
use crate::{
    child::ChildProcess,
    cpu_pinning::ProcessRole,
    error::BenchResult,
    generator::protocol::ClientProtocol,
    publishers::{Publisher, roomcast},
    readiness,
    shape::Shape,
    tokens,
};

/// A limit that no scenario reaches, because no scenario is about rate limits.
const CONNECT_RATE: &str = "1000000";
const ANY_PORT: &str = "127.0.0.1:0";

const PROTOCOL: ClientProtocol = ClientProtocol::SocketIo {
    event_prefix: b"42[\"session-updated\"",
    ignored_prefix: b"42[\"session-joined\"",
};

/// Starts control planes, which share one Redis, and edges.
pub(super) fn start(environment: &Environment, shape: &Shape) -> BenchResult<Deployment> {
    let (redis, redis_addr) = redis::start(environment)?;
    let mut processes = vec![redis];
    // Without edges, the control plane is the process under test.
    let control_plane_role = if shape.edges == 0 {
        ProcessRole::FanOut
    } else {
        ProcessRole::Supporting
    };
    let mut control_planes = vec![];
    for index in 0..shape.control_planes {
        let (process, grpc) = start_control_plane(environment, control_plane_role, index, redis_addr)?;
        processes.push(process);
        control_planes.push(grpc);
    }
    let mut socket_addrs = vec![];
    for index in 0..shape.edges {
        let (process, http) = start_edge(environment, index, &control_planes)?;
        processes.push(process);
        socket_addrs.push(http);
    }
    Ok(Deployment {
        redis: Some(redis_addr),
        ..deployment(environment, shape, processes, socket_addrs, &control_planes)?
    })
}

/// Starts `roomcast dev`: everything in one process, without Redis.
pub(super) fn start_with_memory_store(environment: &Environment, shape: &Shape) -> BenchResult<Deployment> {
    let mut command = command(environment, "dev");
    command.args(["--connect-rate", CONNECT_RATE]);
    let mut process = ChildProcess::start(ProcessRole::FanOut, "dev", &mut command, &environment.logs())?;
    let http = process.line_after("http ")?.parse()?;
    let grpc = process.line_after("grpc ")?.parse()?;
    wait_until_ready(&mut process)?;
    deployment(environment, shape, vec![process], vec![http], &[grpc])
}

/// Returns the process and its gRPC address.
fn start_control_plane(
    environment: &Environment,
    role: ProcessRole,
    index: usize,
    redis: SocketAddr,
) -> BenchResult<(ChildProcess, SocketAddr)> {
    let mut command = command(environment, "control-plane");
    command.args(["--redis-url", &format!("redis://{redis}")]);
    let name = format!("control-plane-{index}");
    let mut process = ChildProcess::start(role, &name, &mut command, &environment.logs())?;
    let grpc = process.line_after("grpc ")?.parse()?;
    wait_until_ready(&mut process)?;
    Ok((process, grpc))
}

/// Returns the process and its HTTP address.
fn start_edge(
    environment: &Environment,
    index: usize,
    control_planes: &[SocketAddr],
) -> BenchResult<(ChildProcess, SocketAddr)> {
    let mut command = command(environment, "edge");
    command
        .args(["--jwt-secret", roomcast_auth::DEV_SECRET])
        .args(["--connect-rate", CONNECT_RATE]);
    for offset in 0..control_planes.len() {
        // An edge prefers the first control plane of its list, so each edge has another first one.
        let control_plane = control_planes[(index + offset) % control_planes.len()];
        command.args(["--control-plane", &format!("http://{control_plane}")]);
    }
    let name = format!("edge-{index}");
    let mut process = ChildProcess::start(ProcessRole::FanOut, &name, &mut command, &environment.logs())?;
    let http = process.line_after("http ")?.parse()?;
    wait_until_ready(&mut process)?;
    Ok((process, http))
}

fn command(environment: &Environment, subcommand: &str) -> Command {
    let mut command = Command::new(&environment.roomcast);
    command.args([subcommand, "--admin-addr", ANY_PORT, "--log", "warn"]);
    if subcommand != "edge" {
        command.args(["--grpc-addr", ANY_PORT]);
    }
    if subcommand != "control-plane" {
        command.args(["--http-addr", ANY_PORT]);
    }
    command
}

fn wait_until_ready(process: &mut ChildProcess) -> BenchResult<()> {
    let admin = process.line_after("admin ")?.parse()?;
    readiness::wait_until("Roomcast", || readiness::responds_with_200(admin, "/readyz"))
}

fn deployment(
    environment: &Environment,
    shape: &Shape,
    processes: Vec<ChildProcess>,
    socket_addrs: Vec<SocketAddr>,
    control_planes: &[SocketAddr],
) -> BenchResult<Deployment> {
    let users_of_each_room = Arc::new(shape.users_of_each_room());
    let queues = roomcast::connect(
        &environment.runtime,
        control_planes,
        users_of_each_room,
        shape.uses_streams,
    )?;
    Ok(Deployment {
        processes,
        socket_addrs,
        protocol: PROTOCOL,
        publisher: Publisher::ApiCalls(queues),
        tokens: tokens::mint_for(&shape.user_of_each_socket()),
        redis: None,
    })
}
