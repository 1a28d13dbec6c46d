//! `roomcast dev`: a control plane and an edge in one process, joined by the real link.

mod bridge;
mod edges;
mod options;
mod playground;

use std::time::Duration;

use roomcast_edge::{Config, Dialer, EdgeId, Origins};
use roomcast_runtime::{
    config::Exit,
    lifecycle::{Shutdown, Tasks},
};

pub(crate) use options::Options;

use bridge::{Bridge, Caller};
use edges::Edges;

use crate::{
    control_plane, edge,
    paste::Paste,
    process::{Process, Started, listen, listen_admin},
};

/// How long what is printed waits for the edge to be attached.
const READY_WAIT: Duration = Duration::from_secs(3);
/// How long the printed tokens are good.
const TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);

pub(crate) async fn start(
    mut options: Options,
    edge_id: EdgeId,
    mut process: Process,
) -> Result<Started, Exit> {
    options.users.or_dev_secret();
    options.check()?;
    let timeout = options.process.drain_timeout;
    let mut plane = options.grpc.config(&options.process)?;
    plane.drain_grace = timeout / 4;
    let mut config = Config {
        edge_id,
        control_planes: Vec::new(),
        rebalance: options.link.rebalance_interval,
        api_token: options.api_token()?,
        tls: options.link.tls()?,
        origins: options.http.origins(Origins::Any),
        verifier: options.users.verifier()?,
        page: None,
        limits: options.http.limits(),
        drain: options.http.drain(timeout / 2),
    };
    let store = options.store().await?;

    let (grpc_listener, grpc) = listen("--grpc-addr", options.grpc.grpc_addr).await?;
    let (http_listener, http) = listen("--http-addr", options.http.http_addr).await?;
    let (admin_listener, admin) = listen_admin(options.admin_addr).await?;
    let own = options.own_control_plane(grpc)?;
    config.control_planes = vec![own.clone()];

    let (edge_tasks, plane_drain) = (Tasks::new(process.shutdown.clone()), Shutdown::new());
    let bridge = Bridge {
        caller: Caller::new(Dialer::new(config.api_token.clone(), config.tls.clone()), own),
        edges: Edges::new(http, config.clone(), edge_tasks.clone(), process.shutdown.clone()),
        minting: options.page_minting(),
        grpcurl: options.grpcurl(grpc, "$API_TOKEN"),
        in_redis: options.redis_url.is_some(),
        listening: http,
        insecure: options.process.insecure,
        max_body: options.grpc.max_request,
    };
    config.page = Some(playground::router().merge(bridge.router()));
    control_plane::serve(plane, store, grpc_listener, plane_drain.clone(), &mut process);
    edge::serve(config, http_listener, &edge_tasks, &mut process);
    let draining = drain_in_order(edge_tasks, timeout / 2, plane_drain, process.shutdown.clone());
    process.tasks.spawn("edge", draining);
    let readiness = process.readiness.clone();
    process.serve_admin(admin_listener);

    // Not ready in time, with a Redis that is away for example: what is printed holds all the same.
    let _late = tokio::time::timeout(READY_WAIT, readiness.ready()).await;
    let paste = Paste {
        grpc,
        http,
        admin,
        in_redis: options.redis_url.is_some(),
        token: options.minting().map(|minting| minting.user("alice", TOKEN_TTL)),
        grpcurl: options.grpcurl(grpc, &options.service_token(TOKEN_TTL).unwrap_or_default()),
    };
    Ok(Started { text: paste.text() })
}

/// The edge first, fed to its end; then the control plane.
async fn drain_in_order(edge: Tasks, within: Duration, control_plane: Shutdown, process: Shutdown) {
    if edge.wait_for_drain(within).await.exit_status() != 0 {
        process.fail("the edge did not drain");
    }
    control_plane.begin("the edge is drained");
}
