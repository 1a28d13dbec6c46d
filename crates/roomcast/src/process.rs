//! The frame of a long-running command: logs, signals, the admin endpoints, and an orderly end.

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use roomcast_runtime::{
    admin::{self, Readiness},
    config::{ConfigError, Exit},
    lifecycle::{Shutdown, Tasks},
    metrics::{self, Registry},
    net, telemetry,
};
use tokio::net::TcpListener;
use tracing::{error, warn};

use crate::options::process::ProcessOptions;

/// What a command starts in.
pub(crate) struct Process {
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: Tasks,
    pub(crate) readiness: Readiness,
    pub(crate) registry: Registry,
}

/// Runs a command: `start` starts its tasks and says what to print. `labels` are labels of `roomcast_build_info`.
pub(crate) fn run<F>(
    options: &ProcessOptions,
    labels: &[(&'static str, String)],
    start: impl FnOnce(Process) -> F,
) -> Result<ExitCode, Exit>
where
    F: Future<Output = Result<Started, Exit>>,
{
    let _logs = telemetry::init(&options.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Exit::Refused(format!("could not start: {error}")))?;
    let status = runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown
            .listen()
            .map_err(|error| Exit::Refused(format!("could not listen to signals: {error}")))?;
        let tasks = Tasks::new(shutdown.clone());
        let readiness = Readiness::new(shutdown.clone());
        let registry = metrics::registry_with_labels(env!("CARGO_PKG_VERSION"), labels);
        let process = Process {
            shutdown,
            tasks: tasks.clone(),
            readiness,
            registry,
        };
        let started = start(process).await?;
        print(&started.text);
        Ok::<_, Exit>(tasks.wait_for_drain(options.drain_timeout).await.exit_status())
    })?;
    Ok(ExitCode::from(status))
}

/// A command that has started.
pub(crate) struct Started {
    /// What it has to say on standard output.
    pub(crate) text: String,
}

impl Process {
    /// Serves the admin endpoints, last, when every part has registered its gates and metrics.
    pub(crate) fn serve_admin(self, listener: TcpListener) {
        let shutdown = self.shutdown.clone();
        let serving = admin::serve(listener, self.readiness, Arc::new(self.registry));
        self.tasks.spawn_through_drain("admin", async move {
            if let Err(error) = serving.await {
                error!(%error, "the admin endpoints failed");
                shutdown.fail("the admin endpoints failed");
            }
        });
    }
}

/// Listens on an option's address; says on which, since port 0 takes a free one.
pub(crate) async fn listen(flag: &str, addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let listener = net::bind(flag, addr).await?;
    let bound = listener
        .local_addr()
        .map_err(|error| ConfigError::new(flag, addr, error))?;
    Ok((listener, bound))
}

/// Listens for the operator's tools: nothing there is secret, and nothing there asks who calls.
pub(crate) async fn listen_admin(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let listening = listen("--admin-addr", addr).await?;
    if !addr.ip().is_loopback() {
        warn!(%addr, "the admin endpoints take every caller that can reach --admin-addr");
    }
    Ok(listening)
}

/// Prints to standard output; nobody may be reading it.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _nobody_reads = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
