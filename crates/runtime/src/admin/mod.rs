//! The operator's endpoints on `--admin-addr`: `/livez`, `/readyz`, `/metrics`.
//!
//! They must respond during the whole drain and never access a store or a link: the readiness is the last state of the
//! gates.

mod readiness;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use tokio::net::TcpListener;

pub use readiness::{Gate, NotReady, Readiness};

use crate::metrics::Registry;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves the endpoints until it is dropped. Run it with [`crate::lifecycle::Tasks::spawn_through_drain`].
///
/// - `/livez`: 200 and `ok` while the async runtime works.
/// - `/readyz`: 200 and `ready`; or 503 and a line `name: reason` for each closed gate, or `draining` during a drain.
/// - `/metrics`: the metrics as OpenMetrics text.
///
/// # Errors
/// None in practice, because a failed accept is retried.
pub async fn serve(listener: TcpListener, readiness: Readiness, registry: Arc<Registry>) -> io::Result<()> {
    axum::serve(listener, router(readiness, registry)).await
}

fn router(readiness: Readiness, registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(metrics).with_state(registry))
        .fallback(async || (StatusCode::NOT_FOUND, "not found\n"))
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    match readiness.check() {
        Ok(()) => "ready\n".into_response(),
        Err(not_ready) => (StatusCode::SERVICE_UNAVAILABLE, not_ready.to_string()).into_response(),
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::lifecycle::{Shutdown, Tasks};
    use crate::{metrics, net};

    struct Operator {
        addr: SocketAddr,
        shutdown: Shutdown,
        readiness: Readiness,
        tasks: Tasks,
    }

    impl Operator {
        async fn start() -> Self {
            let listener = net::bind("--admin-addr", "127.0.0.1:0".parse().unwrap())
                .await
                .unwrap();
            let addr = listener.local_addr().unwrap();
            let shutdown = Shutdown::new();
            let readiness = Readiness::new(shutdown.clone());
            let tasks = Tasks::new(shutdown.clone());
            let registry = Arc::new(metrics::registry("1.2.3", 1_700_000_000_500));
            let serving = serve(listener, readiness.clone(), registry);
            tasks.spawn_through_drain("admin", async move { serving.await.unwrap() });
            Self {
                addr,
                shutdown,
                readiness,
                tasks,
            }
        }

        /// Returns status, content type and body.
        async fn get(&self, path: &str) -> (u16, String, String) {
            let mut stream = TcpStream::connect(self.addr).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let content_type = head
                .lines()
                .find_map(|line| line.strip_prefix("content-type: "))
                .unwrap_or_default();
            (status, content_type.to_owned(), body.to_owned())
        }
    }

    #[tokio::test]
    async fn a_live_process_responds_with_ok_and_other_paths_are_not_found() {
        let operator = Operator::start().await;
        assert_eq!(
            operator.get("/livez").await,
            (200, "text/plain; charset=utf-8".into(), "ok\n".into())
        );
        let (status, _, body) = operator.get("/admin").await;
        assert_eq!((status, body.as_str()), (404, "not found\n"));
    }

    #[tokio::test]
    async fn a_process_is_ready_while_all_gates_are_open() {
        let operator = Operator::start().await;
        let ready = async || {
            let (status, _, body) = operator.get("/readyz").await;
            (status, body)
        };
        assert_eq!(ready().await, (200, "ready\n".into()));
        let link = operator.readiness.register("link");
        let store = operator.readiness.register("store");
        assert_eq!(ready().await, (503, "link: starting\nstore: starting\n".into()));
        store.open();
        link.close("connection refused\nby peer");
        assert_eq!(
            ready().await,
            (503, "link: connection refused\\nby peer\n".into())
        );
        link.open();
        assert_eq!(ready().await, (200, "ready\n".into()));
    }

    #[tokio::test]
    async fn a_draining_process_is_live_but_not_ready() {
        let operator = Operator::start().await;
        let gate = operator.readiness.register("store");
        gate.open();
        operator.shutdown.begin("test");
        let (status, _, body) = operator.get("/readyz").await;
        assert_eq!((status, body.as_str()), (503, "draining\n"));
        assert_eq!(operator.get("/livez").await.0, 200);
        assert_eq!(
            operator
                .tasks
                .wait_for_drain(Duration::from_secs(10))
                .await
                .exit_status(),
            0
        );
    }

    #[tokio::test]
    async fn metrics_are_openmetrics_text() {
        let operator = Operator::start().await;
        let (status, content_type, body) = operator.get("/metrics").await;
        assert_eq!((status, content_type.as_str()), (200, OPENMETRICS));
        assert!(
            body.contains("roomcast_build_info{version=\"1.2.3\"} 1\n"),
            "{body}"
        );
        assert!(
            body.contains("roomcast_start_time_seconds 1700000000.5\n"),
            "{body}"
        );
        assert!(body.ends_with("# EOF\n"), "{body}");
    }
}
