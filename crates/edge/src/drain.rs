//! The drain: closes all transports at a limited rate.

use std::time::Duration;

use roomcast_runtime::lifecycle::Shutdown;
use tokio::time::{Instant, sleep_until};
use tracing::info;

use crate::{config::Drain, transport::Transports};

/// Waits until the process drains, and then closes every transport by the deadline.
pub(crate) async fn drain(transports: Transports, config: Drain, shutdown: Shutdown) {
    shutdown.draining().await;
    let open = transports.all();
    let by_rate = Duration::from_secs_f64(open.len() as f64 / f64::from(config.sockets_per_second.max(1)));
    let duration = by_rate.min(config.deadline);
    info!(
        transports = open.len(),
        seconds = duration.as_secs_f64(),
        "closing all transports"
    );
    let started = Instant::now();
    for (at, transport) in open.iter().enumerate() {
        if let Some(transport) = transport.upgrade() {
            transport.kill();
        }
        sleep_until(started + duration.mul_f64((at + 1) as f64 / open.len() as f64)).await;
    }
    // Transports that were opened in the meantime.
    for transport in transports.all() {
        if let Some(transport) = transport.upgrade() {
            transport.kill();
        }
    }
}
