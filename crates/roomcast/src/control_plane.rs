//! The command `roomcast control-plane`.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use roomcast_control_plane::{Config, ControlPlane};
use roomcast_runtime::{
    config::{EarlyExit, values},
    lifecycle::Shutdown,
};
use roomcast_store::{RedisStore, RedisUrl, Store};
use tokio::net::TcpListener;
use tracing::error;

use crate::{
    options::{grpc::GrpcOptions, process::ProcessOptions, store::StoreOptions},
    process::{Process, Started, listen, listen_admin},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    grpc: GrpcOptions,
    /// URL of Redis 7 or newer: redis://[USER:PASSWORD@]HOST[:PORT], rediss:// for TLS, redis+sentinel://HOST,HOST/NAME or
    /// redis+cluster://HOST,HOST
    #[arg(
        long,
        env = "ROOMCAST_REDIS_URL",
        value_name = "URL",
        help_heading = "Store",
        hide_env_values = true
    )]
    redis_url: RedisUrl,
    #[command(flatten)]
    store: StoreOptions,
    /// Address of the admin endpoints /livez, /readyz and /metrics
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:9100", value_parser = values::socket_addr, help_heading = "Process")]
    admin_addr: SocketAddr,
}

pub(crate) async fn start(options: Options, mut process: Process) -> Result<Started, EarlyExit> {
    let config = options.grpc.config(&options.process)?;
    let redis = options.store.redis(options.redis_url)?;
    let (listener, grpc) = listen("--grpc-addr", options.grpc.grpc_addr).await?;
    let (admin_listener, admin) = listen_admin(options.admin_addr).await?;
    let store = Arc::new(RedisStore::connect(redis).await);
    let drain = process.shutdown.clone();
    serve(config, store, listener, drain, &mut process);
    process.serve_admin(admin_listener);
    Ok(Started {
        text: format!("grpc    {grpc}\nadmin   {admin}\n"),
    })
}

/// Starts a control plane. `drain` begins its drain, which must not begin before the drain of the process.
pub(crate) fn serve(
    config: Config,
    store: Arc<dyn Store>,
    listener: TcpListener,
    drain: Shutdown,
    process: &mut Process,
) {
    let shutdown = process.shutdown.clone();
    let control_plane = ControlPlane::new(config, store, drain, &process.readiness, &mut process.registry);
    process.tasks.spawn("control-plane", async move {
        if let Err(error) = control_plane.serve(listener).await {
            error!(%error, "the control plane failed");
            shutdown.fail("the control plane failed");
        }
    });
}
