//! A control plane that serves during a test.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use roomcast_control_plane::{Config, ControlPlane, ServeError};
use roomcast_proto::v1::{
    self, edge_service_client::EdgeServiceClient, session_service_client::SessionServiceClient,
};
use roomcast_runtime::{admin::Readiness, lifecycle::Shutdown, metrics::Registry};
use roomcast_store::StoreLimits;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

use crate::{faulty_store::FaultyStore, requests::publish};

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) shutdown: Shutdown,
    pub(crate) readiness: Readiness,
    pub(crate) registry: Registry,
    /// Ends when the drain is complete.
    pub(crate) serving: JoinHandle<Result<(), ServeError>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default(), StoreLimits::default()).await
    }

    pub(crate) async fn with_config(config: Config) -> Self {
        Self::with(config, StoreLimits::default()).await
    }

    pub(crate) async fn with(config: Config, limits: StoreLimits) -> Self {
        let store = Arc::new(FaultyStore::new(limits));
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let mut registry = Registry::default();
        let control_plane =
            ControlPlane::new(config, store.clone(), shutdown.clone(), &readiness, &mut registry);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tokio::spawn(control_plane.serve(listener));
        let channel = Endpoint::from_shared(format!("http://{addr}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            addr,
            channel,
            store,
            shutdown,
            readiness,
            registry,
            serving,
        }
    }

    pub(crate) fn backend(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn edge(&self) -> EdgeServiceClient<Channel> {
        EdgeServiceClient::new(self.channel.clone())
    }

    /// Publishes a session with alice as interviewer and bob as interviewee.
    pub(crate) async fn publish(&self, id: &str) -> v1::PublishSessionUpdateResponse {
        self.backend()
            .publish_session_update(publish(id))
            .await
            .unwrap()
            .into_inner()
    }
}

/// Moves the clock of the test's runtime, which the server shares, forward. Timers that expire fire at once, so that the
/// test neither waits nor depends on the speed of the machine.
pub(crate) async fn skip_time(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}
