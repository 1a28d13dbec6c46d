//! The edges of the process: the one of `--http-addr`, and on demand a second one, by which a page can come back.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use roomcast_edge::{Config, EdgeId, Origins};
use roomcast_runtime::{
    admin::Readiness,
    lifecycle::{Shutdown, Tasks},
    metrics,
};
use tokio::{net::TcpListener, sync::OnceCell};

use crate::paste::reachable;

/// How long the answer waits for the second edge to be attached; browsers may come before.
const READY_WAIT: Duration = Duration::from_secs(3);

/// Where they are, and what another one is made of.
pub(super) struct Edges {
    first: SocketAddr,
    config: Config,
    tasks: Tasks,
    shutdown: Shutdown,
    second: OnceCell<Second>,
}

struct Second {
    addr: SocketAddr,
    readiness: Readiness,
}

impl Edges {
    /// `config` is the first edge's, without the page; `tasks` are those that the process waits for when it drains.
    pub(super) fn new(first: SocketAddr, mut config: Config, tasks: Tasks, shutdown: Shutdown) -> Self {
        if let Origins::Listed(origins) = &mut config.origins {
            // The page of the first edge is another origin's to the second one.
            let page = reachable(first);
            origins.extend([
                format!("http://{page}"),
                format!("http://localhost:{}", page.port()),
            ]);
        }
        Self {
            first,
            config,
            tasks,
            shutdown,
            second: OnceCell::new(),
        }
    }

    pub(super) fn urls(&self) -> Vec<String> {
        let second = self.second.get().map(|second| second.addr);
        let addrs = [Some(reachable(self.first)), second];
        addrs
            .into_iter()
            .flatten()
            .map(|addr| format!("http://{addr}"))
            .collect()
    }

    /// Starts the second edge, where there is none.
    pub(super) async fn start_second(&self) -> io::Result<()> {
        let second = self.second.get_or_try_init(|| self.start()).await?;
        let _late = tokio::time::timeout(READY_WAIT, second.readiness.ready()).await;
        Ok(())
    }

    async fn start(&self) -> io::Result<Second> {
        if self.shutdown.is_draining() {
            return Err(io::Error::other("this process is going away"));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        // The process's readiness and figures are those of the first edge: each name is there once.
        let readiness = Readiness::new(self.shutdown.clone());
        let process = roomcast_edge::Process {
            tasks: &self.tasks,
            shutdown: &self.shutdown,
            readiness: &readiness,
            registry: &mut metrics::registry(env!("CARGO_PKG_VERSION")),
        };
        let config = Config {
            edge_id: EdgeId::with_random_suffix(&self.config.edge_id.to_string()),
            ..self.config.clone()
        };
        roomcast_edge::serve(config, listener, process);
        Ok(Second { addr, readiness })
    }
}
