//! Builds the parts of an edge and spawns their tasks.

use std::{sync::Arc, time::Duration};

use roomcast_auth::REFRESH_INTERVAL;
use roomcast_runtime::{
    admin::Readiness,
    lifecycle::{Shutdown, Tasks},
    metrics::Registry,
};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, time::Instant};
use tracing::info;

use crate::{
    config::Config,
    drain::drain,
    http::{self, HttpService},
    inbox,
    link::{self, Dialer, INTERESTS_LIMIT, LinkConfig},
    metrics::Metrics,
    packet::MAX_PACKET_BYTES,
    rate_limit::RateLimit,
    rooms_task::RoomsTask,
    sockets::{self, Sockets},
    transport::Transports,
};

/// The read buffer of each WebSocket, in bytes. It is large enough for the usual message, a join with a position.
const READ_BUFFER_BYTES: usize = 128;
/// How long a browser may take to connect to the namespace with a valid token, after it opened a transport.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The process that the edge belongs to.
pub struct Process<'a> {
    /// The tasks of the process.
    pub tasks: &'a Tasks,
    /// Begins the drain.
    pub shutdown: &'a Shutdown,
    /// Gets the gate `link`, which is open while the edge is attached to a control plane.
    pub readiness: &'a Readiness,
    /// Gets the edge's metrics.
    pub registry: &'a mut Registry,
}

/// Starts an edge: its tasks run until the process drains.
///
/// # Panics
/// If the configuration contains no control plane.
pub fn serve(config: Config, listener: TcpListener, process: Process<'_>) {
    assert!(!config.control_planes.is_empty(), "an edge needs a control plane");
    info!(edge.id = %config.edge_id, "starting an edge");
    let (tasks, shutdown, limits) = (process.tasks, process.shutdown, config.limits);
    let metrics = Metrics::register(process.registry);
    let transports = Transports::new(metrics.transports.clone(), limits);
    for flusher in transports.flushers().tasks() {
        tasks.spawn_through_drain("flusher", flusher);
    }

    let (inbox, inputs) = inbox::channel();
    let link_config = LinkConfig {
        edge_id: config.edge_id,
        control_planes: config.control_planes,
        dialer: Dialer::new(config.api_token, config.tls),
        rebalance: config.rebalance,
        interests_limit: INTERESTS_LIMIT,
    };
    let gate = process.readiness.register("link");
    let link = link::link(link_config, inbox.clone(), gate, metrics.clone());
    tasks.spawn_through_drain("link", link.attacher.run(shutdown.clone()));
    tasks.spawn_through_drain("joins", link.joins.run());
    tasks.spawn_through_drain("reads", link.reads.run());
    let rooms = RoomsTask::new(
        limits.sessions_per_socket,
        config.verifier.clock().clone(),
        transports.flushers().count(),
        link.handle,
        metrics.clone(),
    );
    tasks.spawn_through_drain("rooms", rooms.run(inputs, link.inputs));

    let keys = config.verifier.clone();
    tasks.spawn_through_drain("keys", async move { keys.keep_fresh(REFRESH_INTERVAL).await });
    let page = config.page.unwrap_or_default();
    let (socket_io, io) = SocketIo::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .ping_interval(limits.ping_interval)
        .ping_timeout(limits.ping_timeout)
        .max_payload(MAX_PACKET_BYTES as u64)
        .ws_max_message_size(MAX_PACKET_BYTES)
        .ws_max_frame_size(MAX_PACKET_BYTES)
        .ws_read_buffer_size(READ_BUFFER_BYTES)
        .build_with_inner_svc(page.clone());
    let sockets = Sockets::new(
        config.verifier,
        inbox,
        limits,
        metrics.clone(),
        transports.clone(),
    );
    sockets::serve(&io, sockets);
    let (rate, burst) = (limits.connect_rate, limits.connect_rate);
    let http = HttpService {
        socket_io,
        page,
        transports: transports.clone(),
        origins: Arc::new(config.origins),
        connect_rate: Arc::new(RateLimit::new(rate, burst, Instant::now())),
        metrics,
    };
    tasks.spawn_through_drain("http", http::serve(http, listener, shutdown.clone()));
    tasks.spawn("drain", drain(transports, config.drain, shutdown.clone()));
}
