//! The metrics of an edge. No user, room or socket is a label.

use std::sync::Arc;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use roomcast_runtime::metrics::Registry;

/// The metric families of an edge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Arc<Families>);

#[derive(Debug, Default)]
pub(crate) struct Families {
    pub(crate) sockets: Gauge,
    pub(crate) transports: Gauge,
    pub(crate) rooms: Gauge,
    pub(crate) attached: Gauge,
    pub(crate) deliveries: Counter,
    pub(crate) denied_connections: Counter,
    pub(crate) rate_limited_connections: Counter,
    pub(crate) denied_requests: Counter,
    pub(crate) slow_sockets: Counter,
    pub(crate) attachments: Counter,
}

impl std::ops::Deref for Metrics {
    type Target = Families;
    fn deref(&self) -> &Families {
        &self.0
    }
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let it = Self::default();
        let edge = registry.sub_registry_with_prefix("edge");
        edge.register("sockets", "Connected sockets", it.sockets.clone());
        edge.register(
            "transports",
            "WebSocket and polling transports that are open or not timed out yet",
            it.transports.clone(),
        );
        edge.register("rooms", "Rooms with at least one socket", it.rooms.clone());
        edge.register(
            "attached",
            "1 while the edge is attached to a control plane, otherwise 0",
            it.attached.clone(),
        );
        edge.register(
            "deliveries",
            "Events that were queued for or written to a socket",
            it.deliveries.clone(),
        );
        edge.register(
            "denied_connections",
            "Connections denied because of their token",
            it.denied_connections.clone(),
        );
        edge.register(
            "rate_limited_connections",
            "New connections rejected by --connect-rate",
            it.rate_limited_connections.clone(),
        );
        edge.register(
            "denied_requests",
            "Joins and other requests of sockets that were denied",
            it.denied_requests.clone(),
        );
        edge.register(
            "slow_sockets",
            "Transports closed because their outbound queue was full",
            it.slow_sockets.clone(),
        );
        edge.register(
            "attachments",
            "Attachments to a control plane since the start of the process",
            it.attachments.clone(),
        );
        it
    }
}
