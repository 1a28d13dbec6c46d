//! Centrifugo: tokens are verified as Roomcast does it, channels keep no history, and the buffers of its connections
//! are the small ones that it offers.

use std::{fs, net::SocketAddr, process::Command};

use serde_json::json;

use super::{Deployment, Dialect, Ground, redis};
use crate::{
    cpus::Role,
    error::Outcome,
    child::{self, Process},
    publishers::{Publisher, centrifugo},
    shape::Shape,
    tokens,
};

pub(super) fn start(ground: &Ground, shape: &Shape, with_redis: bool) -> Outcome<Deployment> {
    let port = child::free_port()?;
    let mut processes = vec![];
    let mut engine = json!({ "type": "memory" });
    if with_redis {
        let (redis, addr) = redis::start(ground)?;
        processes.push(redis);
        engine = json!({ "type": "redis", "redis": { "address": [format!("redis://{addr}")] } });
    }
    let config = json!({
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
    });
    fs::create_dir_all(&ground.folder)?;
    let file = ground.folder.join("centrifugo.json");
    fs::write(&file, config.to_string())?;
    let mut command = Command::new(&ground.centrifugo);
    command.arg("--config").arg(file);
    processes.push(Process::start(
        Role::FanOut,
        "centrifugo",
        &mut command,
        &ground.logs(),
    )?);
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    child::eventually("Centrifugo", || child::listens(addr))?;
    Ok(Deployment {
        processes,
        targets: vec![addr],
        dialect: Dialect::Centrifugo,
        publisher: Publisher::Calls(centrifugo::open(&ground.runtime, addr)?),
        tokens: tokens::of(&shape.users()),
        store: None,
    })
}
