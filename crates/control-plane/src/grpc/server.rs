//! The server: services, reflection and health behind one layer, on one listener, and its orderly end.

use std::sync::Arc;

use roomcast_proto::{FILE_DESCRIPTOR_SET, v1::edge_service_server::EdgeServiceServer};
use roomcast_runtime::{
    admin::{Gate, Readiness},
    lifecycle::Shutdown,
    metrics::Registry,
};
use roomcast_store::Store;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::ServingStatus;

use super::{
    config::Config,
    guard::{Calls, Rules},
    health,
    message_size::BySize,
    tls::chain,
};
use crate::{
    backends::{Commanding, Sessions},
    edges::{Attaching, Edges},
    hub,
    limits::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, STREAMS_PER_CONNECTION},
    metrics::Metrics,
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

/// Why a control plane stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The server can't be set up or failed.
    #[error("the gRPC server failed: {0}")]
    Server(String),
    /// A task that it can't do without has ended.
    #[error("a task of the control plane ended: {0}")]
    Task(String),
}

impl ControlPlane {
    /// Registers its readiness gate (`store`) and its metrics.
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

    /// Serves until the drain has begun and every call has ended: unary calls finish, watchers are told to
    /// reconnect, edges are told to go and get the configured grace.
    ///
    /// # Errors
    /// It ended before it was told to.
    pub async fn serve(self, listener: TcpListener) -> Result<(), ServeError> {
        let Self {
            config,
            store,
            shutdown,
            gate,
            metrics,
        } = self;
        let mut tasks = JoinSet::new();
        let (hub, feeding) = hub::start(store.clone(), shutdown.clone(), metrics.clone());
        tasks.spawn(feeding);
        let (reporter, health_service) = tonic_health::server::health_reporter();
        health::tell(&reporter, ServingStatus::NotServing).await;
        let (told, store_reachable) = watch::channel(true);
        tasks.spawn(health::watch(
            store.clone(),
            gate,
            reporter,
            told,
            shutdown.clone(),
        ));
        if let Some(tokens) = &config.tokens {
            let (verifier, draining) = (tokens.verifier.clone(), shutdown.clone().into_draining());
            tasks.spawn(async move {
                tokio::select! {
                    () = verifier.keep_fresh(roomcast_auth::REFRESH_INTERVAL) => {}
                    () = draining => {}
                }
            });
        }

        let use_cases = UseCases::new(store);
        let commanding = Commanding {
            use_cases: use_cases.clone(),
            shutdown: shutdown.clone(),
            metrics: metrics.clone(),
            max_request_bytes: config.max_request_bytes,
        };
        let sessions = BySize {
            batch_bytes: commanding.max_batch_bytes(),
            request_bytes: config.max_request_bytes,
            sessions: Sessions {
                use_cases: use_cases.clone(),
                hub: hub.clone(),
                commanding,
            },
        };
        let attaching = Attaching {
            hub,
            store_reachable,
            metrics: metrics.clone(),
            id: config.id,
            version: config.version,
            max_request_bytes: config.max_request_bytes,
        };
        let edges = Edges { use_cases, attaching };
        let rules = Rules {
            tokens: config.tokens,
            max_request_bytes: config.max_request_bytes,
            drain_grace: config.drain_grace,
            shutdown: shutdown.clone(),
            metrics,
        };
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .max_concurrent_streams(STREAMS_PER_CONNECTION);
        if let Some(tls) = config.tls {
            server = server.tls_config(tls.0).map_err(server_error)?;
        }
        let serving = server
            .layer(Calls(Arc::new(rules)))
            .add_service(sessions.service())
            .add_service(EdgeServiceServer::new(edges).max_decoding_message_size(config.max_request_bytes))
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
                Some(ended) = tasks.join_next() => match ended {
                    Ok(()) if shutdown.is_draining() => {}
                    Ok(()) => return Err(ServeError::Task("it was done too early".to_owned())),
                    Err(error) => return Err(ServeError::Task(error.to_string())),
                },
            }
        }
        // What is left ends by itself: the services, and with them the hub's handles, are gone. Health was told.
        tasks.shutdown().await;
        Ok(())
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
    ServeError::Server(chain(&error))
}

fn server_error(error: tonic::transport::Error) -> ServeError {
    ServeError::Server(chain(&error))
}
