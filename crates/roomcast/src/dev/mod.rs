//! The command `roomcast dev`: a control plane and an edge in one process, connected by a real link.

mod bridge;
mod edges;
mod grpcurl;
mod local_addr;
mod options;
mod playground;
mod ready_text;

use std::{net::SocketAddr, time::Duration};

use roomcast_edge::{Config, Dialer, EdgeId, Origins};
use roomcast_runtime::{
    config::EarlyExit,
    lifecycle::{Shutdown, Tasks},
};

pub(crate) use options::Options;

use bridge::{Bridge, Caller};
use edges::Edges;
use ready_text::ReadyText;

use crate::{
    control_plane, edge,
    process::{Process, Started, listen, listen_admin},
};

/// How long the printed text waits until the edge is attached.
const READY_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the printed tokens are valid.
const TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);

pub(crate) async fn start(
    mut options: Options,
    edge_id: EdgeId,
    mut process: Process,
) -> Result<Started, EarlyExit> {
    options.users.default_to_dev_secret();
    options.check()?;
    let timeout = options.process.drain_timeout;
    let mut control_plane_config = options.grpc.config(&options.process)?;
    control_plane_config.drain_grace = timeout / 4;
    let mut edge_config = edge_config(&options, edge_id)?;
    let store = options.store().await?;

    let (grpc_listener, grpc) = listen("--grpc-addr", options.grpc.grpc_addr).await?;
    let (http_listener, http) = listen("--http-addr", options.http.http_addr).await?;
    let (admin_listener, admin) = listen_admin(options.admin_addr).await?;
    edge_config.control_planes = vec![options.control_plane(grpc)?];

    let (edge_tasks, control_plane_drain) = (Tasks::new(process.shutdown.clone()), Shutdown::new());
    let edges = Edges::new(
        http,
        edge_config.clone(),
        edge_tasks.clone(),
        process.shutdown.clone(),
    );
    let bridge = bridge(&options, &edge_config, edges, grpc, http)?;
    edge_config.page = Some(playground::router().merge(bridge.router()));
    let plane_drain = control_plane_drain.clone();
    control_plane::serve(
        control_plane_config,
        store,
        grpc_listener,
        plane_drain,
        &mut process,
    );
    edge::serve(edge_config, http_listener, &edge_tasks, &mut process);
    let draining = drain_in_order(
        edge_tasks,
        timeout / 2,
        control_plane_drain,
        process.shutdown.clone(),
    );
    process.tasks.spawn("edge", draining);
    let readiness = process.readiness.clone();
    process.serve_admin(admin_listener);

    let _ = tokio::time::timeout(READY_TIMEOUT, readiness.ready()).await; // The text is also correct before.
    let ready = ReadyText {
        grpc,
        http,
        admin,
        in_redis: options.redis_url.is_some(),
        token: options
            .minter()
            .map(|minter| minter.user_token("alice", TOKEN_TTL)),
        grpcurl: options.grpcurl(grpc, &options.service_token(TOKEN_TTL).unwrap_or_default()),
    };
    Ok(Started { text: ready.render() })
}

/// The configuration of the edge, without its control plane and its page.
fn edge_config(options: &Options, edge_id: EdgeId) -> Result<Config, EarlyExit> {
    Ok(Config {
        edge_id,
        control_planes: Vec::new(),
        rebalance: options.link.rebalance_interval,
        api_token: options.api_token()?,
        tls: options.link.tls()?,
        origins: options.http.origins(Origins::Any),
        verifier: options.users.verifier()?,
        page: None,
        limits: options.http.limits(),
        drain: options.http.drain(options.process.drain_timeout / 2),
    })
}

/// The bridge of the playground page, which calls the control plane as the edge does.
fn bridge(
    options: &Options,
    edge: &Config,
    edges: Edges,
    grpc: SocketAddr,
    http: SocketAddr,
) -> Result<Bridge, EarlyExit> {
    let dialer = Dialer::new(edge.api_token.clone(), edge.tls.clone());
    Ok(Bridge {
        caller: Caller::new(dialer, options.control_plane(grpc)?),
        edges,
        minter: options.playground_minter(),
        grpcurl: options.grpcurl(grpc, "$API_TOKEN"),
        in_redis: options.redis_url.is_some(),
        http_addr: http,
        insecure: options.process.insecure,
        max_body: options.grpc.max_request,
    })
}

/// Drains the edge first, while the control plane still serves it, and then the control plane.
async fn drain_in_order(edge: Tasks, edge_timeout: Duration, control_plane: Shutdown, process: Shutdown) {
    if edge.wait_for_drain(edge_timeout).await.exit_status() != 0 {
        process.fail("the edge did not drain");
    }
    control_plane.begin("the edge has drained");
}
