//! Centrifugo. It verifies tokens as Roomcast does, its channels keep no history, and its connections use the small
//! buffers that it offers.

use std::{fs, net::SocketAddr, process::Command};

use serde_json::{Value, json};

use super::{deployment::Deployment, environment::Environment, redis};
use crate::{
    child::ChildProcess,
    cpu_pinning::ProcessRole,
    error::BenchResult,
    generator::protocol::ClientProtocol,
    publishers::{Publisher, centrifugo},
    readiness,
    shape::Shape,
    tokens,
};

pub(super) fn start(environment: &Environment, shape: &Shape) -> BenchResult<Deployment> {
    start_with_engine(environment, shape, json!({ "type": "memory" }), vec![])
}

pub(super) fn start_with_redis(environment: &Environment, shape: &Shape) -> BenchResult<Deployment> {
    let (redis, addr) = redis::start(environment)?;
    let engine = json!({ "type": "redis", "redis": { "address": [format!("redis://{addr}")] } });
    start_with_engine(environment, shape, engine, vec![redis])
}

fn start_with_engine(
    environment: &Environment,
    shape: &Shape,
    engine: Value,
    mut processes: Vec<ChildProcess>,
) -> BenchResult<Deployment> {
    let port = readiness::free_port()?;
    fs::create_dir_all(&environment.folder)?;
    let file = environment.folder.join("centrifugo.json");
    fs::write(&file, config(port, engine).to_string())?;
    let mut command = Command::new(&environment.centrifugo);
    command.arg("--config").arg(file);
    processes.push(ChildProcess::start(
        ProcessRole::FanOut,
        "centrifugo",
        &mut command,
        &environment.logs(),
    )?);
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    readiness::wait_until("Centrifugo", || readiness::accepts_connections(addr))?;
    Ok(Deployment {
        processes,
        socket_addrs: vec![addr],
        protocol: ClientProtocol::Centrifugo,
        publisher: Publisher::ApiCalls(centrifugo::connect(&environment.runtime, addr)?),
        tokens: tokens::mint_for(&shape.user_of_each_socket()),
        redis: None,
    })
}

fn config(port: u16, engine: Value) -> Value {
    json!({
        "http_server": { "address": "127.0.0.1", "port": port },
        "http_api": { "key": centrifugo::API_KEY },
        "client": {
            "token": { "hmac_secret_key": roomcast_auth::DEV_SECRET },
            "allowed_origins": ["*"],
        },
        "channel": { "without_namespace": { "allow_subscribe_for_client": true } },
        "websocket": { "use_write_buffer_pool": true },
        "engine": engine,
        "usage_stats": { "disabled": true },
        "log": { "level": "error" },
    })
}
