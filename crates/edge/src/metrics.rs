//! What an edge counts. No user, room or socket is a label.

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
    pub(crate) refused_connections: Counter,
    pub(crate) surplus_connections: Counter,
    pub(crate) refused_questions: Counter,
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
        edge.register("sockets", "Sockets that are connected", it.sockets.clone());
        edge.register(
            "transports",
            "WebSocket and polling transports that are open or not yet timed out",
            it.transports.clone(),
        );
        edge.register("rooms", "Rooms that some socket is in", it.rooms.clone());
        edge.register(
            "attached",
            "Whether a control plane feeds the edge: 1 or 0",
            it.attached.clone(),
        );
        edge.register(
            "deliveries",
            "Events handed to sockets' queues",
            it.deliveries.clone(),
        );
        edge.register(
            "refused_connections",
            "Connections refused for their token",
            it.refused_connections.clone(),
        );
        edge.register(
            "surplus_connections",
            "Connections turned away since too many came at once; they come back",
            it.surplus_connections.clone(),
        );
        edge.register(
            "refused_questions",
            "Joins and other questions answered with no",
            it.refused_questions.clone(),
        );
        edge.register(
            "slow_sockets",
            "Transports closed since their queue was full",
            it.slow_sockets.clone(),
        );
        edge.register(
            "attachments",
            "Attachments to a control plane since the start",
            it.attachments.clone(),
        );
        it
    }
}
