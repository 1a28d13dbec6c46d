//! Roomcast itself.

use std::{net::SocketAddr, process::Command, sync::Arc};

use super::{Deployment, Dialect, Ground, redis};
use crate::{
    cpus::Role,
    error::Outcome,
    child::{self, Process},
    publishers::{Publisher, roomcast},
    shape::Shape,
    tokens,
};

/// Nothing here is about how many may come at once.
const CONNECT_RATE: &str = "1000000";
const ANY: &str = "127.0.0.1:0";

const DIALECT: Dialect = Dialect::SocketIo {
    event: b"42[\"session-updated\"",
    ignored: b"42[\"session-joined\"",
};

/// Control planes over one Redis, and edges.
pub(super) fn start(ground: &Ground, shape: &Shape) -> Outcome<Deployment> {
    let (redis, addr) = redis::start(ground)?;
    let mut processes = vec![redis];
    let mut control_planes = vec![];
    // Where nobody holds sockets, the control plane is what is measured.
    let role = if shape.edges == 0 {
        Role::FanOut
    } else {
        Role::Behind
    };
    for at in 0..shape.control_planes {
        let mut command = command(ground, "control-plane");
        command.args(["--redis-url", &format!("redis://{addr}")]);
        let name = format!("control-plane-{at}");
        let mut process = Process::start(role, &name, &mut command, &ground.logs())?;
        control_planes.push(process.line_after("grpc ")?.parse()?);
        ready(&mut process)?;
        processes.push(process);
    }
    let mut targets = vec![];
    for at in 0..shape.edges {
        let mut command = command(ground, "edge");
        command
            .args(["--jwt-secret", roomcast_auth::DEV_SECRET])
            .args(["--connect-rate", CONNECT_RATE]);
        for turn in 0..control_planes.len() {
            // Each edge prefers another control plane.
            let control_plane = control_planes[(at + turn) % control_planes.len()];
            command.args(["--control-plane", &format!("http://{control_plane}")]);
        }
        let mut process = Process::start(Role::FanOut, &format!("edge-{at}"), &mut command, &ground.logs())?;
        targets.push(process.line_after("http ")?.parse()?);
        ready(&mut process)?;
        processes.push(process);
    }
    let deployment = deployment(ground, shape, processes, targets, &control_planes)?;
    Ok(Deployment {
        store: Some(addr),
        ..deployment
    })
}

/// Everything in one process, without Redis.
pub(super) fn start_memory(ground: &Ground, shape: &Shape) -> Outcome<Deployment> {
    let mut command = command(ground, "dev");
    command.args(["--connect-rate", CONNECT_RATE]);
    let mut process = Process::start(Role::FanOut, "dev", &mut command, &ground.logs())?;
    let http = process.line_after("http ")?.parse()?;
    let grpc = process.line_after("grpc ")?.parse()?;
    ready(&mut process)?;
    deployment(ground, shape, vec![process], vec![http], &[grpc])
}

fn command(ground: &Ground, name: &str) -> Command {
    let mut command = Command::new(&ground.roomcast);
    command.args([name, "--admin-addr", ANY, "--log", "warn"]);
    if name != "edge" {
        command.args(["--grpc-addr", ANY]);
    }
    if name != "control-plane" {
        command.args(["--http-addr", ANY]);
    }
    command
}

fn ready(process: &mut Process) -> Outcome<()> {
    let admin = process.line_after("admin ")?.parse()?;
    child::eventually("readiness", || child::is_ok(admin, "/readyz"))
}

fn deployment(
    ground: &Ground,
    shape: &Shape,
    processes: Vec<Process>,
    targets: Vec<SocketAddr>,
    control_planes: &[SocketAddr],
) -> Outcome<Deployment> {
    let lanes = roomcast::open(
        &ground.runtime,
        control_planes,
        Arc::new(shape.casts()),
        shape.in_bulk,
    )?;
    Ok(Deployment {
        processes,
        targets,
        dialect: DIALECT,
        publisher: Publisher::Calls(lanes),
        tokens: tokens::of(&shape.users()),
        store: None,
    })
}
