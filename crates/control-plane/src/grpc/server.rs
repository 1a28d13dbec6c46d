//! Builds the services, serves them on one listener behind one guard, and ends them in order.

use std::sync::Arc;

use roomcast_proto::{FILE_DESCRIPTOR_SET, v1::edge_service_server::EdgeServiceServer};
use roomcast_runtime::{
    admin::{Gate, Readiness},
    lifecycle::Shutdown,
    metrics::Registry,
};
use roomcast_store::Store;
use tokio::{net::TcpListener, sync::watch};
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::ServingStatus;

use super::{
    config::{ApiTokens, Config},
    guard::{CallPolicy, GuardLayer},
    health::{StoreHealth, set_serving_status},
    message_size::SizeLimitedSessionService,
    tls::with_sources,
};
use crate::{
    backends::{SessionServiceImpl, StreamCommandsContext},
    edges::{EdgeServiceImpl, LinkContext},
    hub::{self, HubHandle},
    limits::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, STREAMS_PER_CONNECTION},
    metrics::Metrics,
    tasks::NamedTasks,
    use_cases::UseCases,
};

/// A control plane that does not serve yet.
pub struct ControlPlane {
    config: Config,
    store: Arc<dyn Store>,
    shutdown: Shutdown,
    gate: Gate,
    metrics: Metrics,
}

/// Why a control plane stopped before its drain.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The server could not be set up, or it failed.
    #[error("the gRPC server failed: {0}")]
    Server(String),
    /// A task panicked, or ended before the drain although it must run until then.
    #[error("a task of the control plane ended: {0}")]
    Task(String),
}

/// The services that this crate implements.
struct Services {
    sessions: SizeLimitedSessionService,
    edges: EdgeServiceServer<EdgeServiceImpl>,
}

impl ControlPlane {
    /// Registers the readiness gate `store` and the metrics.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        shutdown: Shutdown,
        readiness: &Readiness,
        registry: &mut Registry,
    ) -> Self {
        let (gate, metrics) = (readiness.register("store"), Metrics::register(registry));
        Self {
            config,
            store,
            shutdown,
            gate,
            metrics,
        }
    }

    /// Serves until the drain has begun and every call has ended: unary calls finish, `WatchEvents` streams end with
    /// UNAVAILABLE, and edges receive `GoAway` and have the configured grace to attach elsewhere.
    ///
    /// # Errors
    /// The server, or a task that it needs, ended before the drain.
    pub async fn serve(self, listener: TcpListener) -> Result<(), ServeError> {
        let Self {
            config,
            store,
            shutdown,
            gate,
            metrics,
        } = self;
        let mut tasks = NamedTasks::default();
        let (hub, hub_task) = hub::start(store.clone(), shutdown.clone(), metrics.clone());
        tasks.spawn("hub", hub_task);
        let (health, health_service) = tonic_health::server::health_reporter();
        set_serving_status(&health, ServingStatus::NotServing).await;
        // A watch channel: it holds one value, which each send replaces.
        let (reachable, store_reachable) = watch::channel(true);
        let store_health = StoreHealth {
            store: store.clone(),
            gate,
            health,
            reachable,
            shutdown: shutdown.clone(),
        };
        tasks.spawn("store-health", store_health.monitor());
        if let Some(tokens) = &config.tokens {
            tasks.spawn("key-refresh", refresh_keys(tokens, shutdown.clone()));
        }
        let services = services(&config, store, hub, store_reachable, &shutdown, &metrics);
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .max_concurrent_streams(STREAMS_PER_CONNECTION);
        if let Some(tls) = &config.tls {
            server = server.tls_config(tls.0.clone()).map_err(server_error)?;
        }
        let serving = server
            .layer(GuardLayer::new(call_policy(config, &shutdown, metrics)))
            .add_service(services.sessions)
            .add_service(services.edges)
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(reflection_error)?)
            .add_service(reflection().build_v1alpha().map_err(reflection_error)?)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                shutdown.clone().into_draining(),
            );
        tokio::pin!(serving);
        loop {
            tokio::select! {
                served = &mut serving => break served.map_err(server_error)?,
                Some(end) = tasks.next_end() => match end.panicked {
                    true => return Err(ServeError::Task(format!("{} panicked", end.name))),
                    false if shutdown.is_draining() => {}
                    false => return Err(ServeError::Task(format!("{} ended before the drain", end.name))),
                },
            }
        }
        // The services have ended, and with them all handles of the hub. Health was reported when the drain began.
        tasks.shutdown().await;
        Ok(())
    }
}

fn services(
    config: &Config,
    store: Arc<dyn Store>,
    hub: HubHandle,
    store_reachable: watch::Receiver<bool>,
    shutdown: &Shutdown,
    metrics: &Metrics,
) -> Services {
    let use_cases = UseCases::new(store);
    let stream_commands = StreamCommandsContext {
        use_cases: use_cases.clone(),
        shutdown: shutdown.clone(),
        metrics: metrics.clone(),
        max_request_bytes: config.max_request_bytes,
    };
    let max_batch_bytes = stream_commands.max_batch_bytes();
    let sessions = SessionServiceImpl {
        use_cases: use_cases.clone(),
        hub: hub.clone(),
        stream_commands,
    };
    let links = LinkContext {
        hub,
        store_reachable,
        metrics: metrics.clone(),
        id: config.id.clone(),
        version: config.version.clone(),
        max_request_bytes: config.max_request_bytes,
    };
    let edges = EdgeServiceServer::new(EdgeServiceImpl { use_cases, links });
    Services {
        sessions: SizeLimitedSessionService::new(sessions, config.max_request_bytes, max_batch_bytes),
        edges: edges.max_decoding_message_size(config.max_request_bytes),
    }
}

fn call_policy(config: Config, shutdown: &Shutdown, metrics: Metrics) -> CallPolicy {
    CallPolicy {
        tokens: config.tokens,
        max_request_bytes: config.max_request_bytes,
        drain_grace: config.drain_grace,
        shutdown: shutdown.clone(),
        metrics,
    }
}

/// Refreshes the keys that verify service tokens, until the drain begins.
fn refresh_keys(tokens: &ApiTokens, shutdown: Shutdown) -> impl Future<Output = ()> + Send + 'static {
    let verifier = tokens.verifier.clone();
    async move {
        tokio::select! {
            () = verifier.keep_fresh(roomcast_auth::REFRESH_INTERVAL) => {}
            () = shutdown.draining() => {}
        }
    }
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // So that grpcurl can print the details of errors.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

fn reflection_error(error: tonic_reflection::server::Error) -> ServeError {
    ServeError::Server(with_sources(&error))
}

fn server_error(error: tonic::transport::Error) -> ServeError {
    ServeError::Server(with_sources(&error))
}
