//! Whether the control plane can do its work: the gate `store`, `grpc.health.v1` and what edges are told, from one look
//! at the store.

use std::sync::Arc;

use roomcast_proto::v1::{edge_service_server, session_service_server};
use roomcast_runtime::{admin::Gate, lifecycle::Shutdown};
use roomcast_store::Store;
use tokio::{
    sync::watch,
    time::{Duration, timeout},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::limits::PING_INTERVAL;

/// How long the store may take to answer; its own calls give up sooner.
const PING_DEADLINE: Duration = Duration::from_secs(3);
/// The overall health and that of each service.
const SERVICES: [&str; 3] = [
    "",
    session_service_server::SERVICE_NAME,
    edge_service_server::SERVICE_NAME,
];

/// Looks at the store again and again until the drain, and tells what it sees. Ends when the drain is told.
pub(crate) async fn watch(
    store: Arc<dyn Store>,
    gate: Gate,
    health: HealthReporter,
    told: watch::Sender<bool>,
    shutdown: Shutdown,
) {
    let mut reachable = None;
    loop {
        let seen = tokio::select! {
            biased; // draining is not serving, whatever the store says
            () = shutdown.draining() => break,
            seen = timeout(PING_DEADLINE, store.ping()) => match seen {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the store does not answer".to_owned()),
            },
        };
        if reachable != Some(seen.is_ok()) {
            reachable = Some(seen.is_ok());
            told.send_replace(seen.is_ok());
            match &seen {
                Ok(()) => info!("the store is reachable"),
                Err(reason) => warn!(reason, "the store is out of reach"),
            }
            tell(
                &health,
                if seen.is_ok() {
                    ServingStatus::Serving
                } else {
                    ServingStatus::NotServing
                },
            )
            .await;
        }
        match seen {
            Ok(()) => gate.open(),
            Err(_) => gate.close("the store is out of reach"),
        }
        tokio::select! {
            () = shutdown.draining() => break,
            () = tokio::time::sleep(PING_INTERVAL) => {}
        }
    }
    tell(&health, ServingStatus::NotServing).await;
}

pub(crate) async fn tell(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}
