//! Whether the control plane can serve: pings of the store decide the readiness gate `store`, `grpc.health.v1` and the
//! load that edges see.

use std::sync::Arc;

use roomcast_proto::v1::{edge_service_server, session_service_server};
use roomcast_runtime::{admin::Gate, lifecycle::Shutdown};
use roomcast_store::Store;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::limits::{PING_DEADLINE, PING_INTERVAL};

/// The names under which health is reported: the whole server, and each service.
const SERVICES: [&str; 3] = [
    "",
    session_service_server::SERVICE_NAME,
    edge_service_server::SERVICE_NAME,
];

/// Reports the store's health.
pub(crate) struct StoreHealth {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gate: Gate,
    pub(crate) health: HealthReporter,
    pub(crate) reachable: watch::Sender<bool>,
    pub(crate) shutdown: Shutdown,
}

impl StoreHealth {
    /// Pings the store until the drain begins, then reports that the server no longer serves, and ends.
    pub(crate) async fn monitor(self) {
        let mut last_reported = None;
        loop {
            let ping = tokio::select! {
                biased; // a draining server does not serve, whatever the state of the store
                () = self.shutdown.draining() => break,
                ping = self.ping() => ping,
            };
            // The gate changes before the report, so that the process is ready when a watcher receives SERVING.
            match &ping {
                Ok(()) => self.gate.open(),
                Err(_) => self.gate.close("the store is unreachable"),
            }
            if last_reported != Some(ping.is_ok()) {
                last_reported = Some(ping.is_ok());
                self.report(ping).await;
            }
            tokio::select! {
                () = self.shutdown.draining() => break,
                () = sleep(PING_INTERVAL) => {}
            }
        }
        set_serving_status(&self.health, ServingStatus::NotServing).await;
    }

    async fn ping(&self) -> Result<(), String> {
        match timeout(PING_DEADLINE, self.store.ping()).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("no response to a ping".to_owned()),
        }
    }

    async fn report(&self, ping: Result<(), String>) {
        self.reachable.send_replace(ping.is_ok());
        let status = match ping {
            Ok(()) => {
                info!("the store is reachable");
                ServingStatus::Serving
            }
            Err(reason) => {
                warn!(reason, "the store is unreachable");
                ServingStatus::NotServing
            }
        };
        set_serving_status(&self.health, status).await;
    }
}

pub(crate) async fn set_serving_status(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}
