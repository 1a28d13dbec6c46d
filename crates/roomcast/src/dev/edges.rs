//! The edges of `dev`: the one at `--http-addr`, and on request a second one, to which a page can reconnect.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use roomcast_auth::Clock;
use roomcast_edge::{Config, EdgeId, Origins};
use roomcast_runtime::{
    admin::Readiness,
    lifecycle::{Shutdown, Tasks},
    metrics,
};
use tokio::{net::TcpListener, sync::OnceCell};

use super::local_addr::local_addr;

/// How long the response waits until the second edge is attached. Browsers may connect earlier.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// The addresses of the edges, and what is needed to start the second one.
pub(super) struct Edges {
    first: SocketAddr,
    config: Config,
    tasks: Tasks,
    shutdown: Shutdown,
    second: OnceCell<SecondEdge>,
}

struct SecondEdge {
    addr: SocketAddr,
    readiness: Readiness,
}

impl Edges {
    /// `config` is that of the first edge, without the page. `tasks` own the tasks of the second edge.
    pub(super) fn new(first: SocketAddr, mut config: Config, tasks: Tasks, shutdown: Shutdown) -> Self {
        if let Origins::Listed(origins) = &mut config.origins {
            // For the second edge, the page of the first edge has another origin.
            let page = local_addr(first);
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
        let addrs = [Some(local_addr(self.first)), second];
        addrs
            .into_iter()
            .flatten()
            .map(|addr| format!("http://{addr}"))
            .collect()
    }

    /// Starts the second edge, if it is not running yet.
    ///
    /// # Errors
    /// The process drains, or no port is free.
    pub(super) async fn start_second(&self) -> io::Result<()> {
        let second = self.second.get_or_try_init(|| self.start()).await?;
        let _ = tokio::time::timeout(READY_TIMEOUT, second.readiness.ready()).await; // Attaching may take longer.
        Ok(())
    }

    async fn start(&self) -> io::Result<SecondEdge> {
        if self.shutdown.is_draining() {
            return Err(io::Error::other("the process is draining"));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        // The readiness and the metrics of the process are those of the first edge, because each name must be unique.
        let readiness = Readiness::new(self.shutdown.clone());
        let process = roomcast_edge::Process {
            tasks: &self.tasks,
            shutdown: &self.shutdown,
            readiness: &readiness,
            registry: &mut metrics::registry(env!("CARGO_PKG_VERSION"), Clock::system().now_millis()),
        };
        let config = Config {
            edge_id: EdgeId::with_random_suffix(&self.config.edge_id.to_string()),
            ..self.config.clone()
        };
        roomcast_edge::serve(config, listener, process);
        Ok(SecondEdge { addr, readiness })
    }
}
