//! The frame of a long-running command: logs, signals, the admin endpoints, and a graceful shutdown.

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use roomcast_auth::Clock;
use roomcast_runtime::{
    admin::{self, Readiness},
    config::{ConfigError, EarlyExit},
    lifecycle::{Shutdown, Tasks},
    metrics::{self, Registry},
    net, telemetry,
};
use tokio::net::TcpListener;
use tracing::{error, warn};

use crate::options::process::ProcessOptions;

/// What a command needs to start its tasks.
pub(crate) struct Process {
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: Tasks,
    pub(crate) readiness: Readiness,
    pub(crate) registry: Registry,
}

/// Runs a command until it has drained. `start` spawns its tasks and returns the text to print. `labels` are labels of
/// `roomcast_build_info`.
///
/// # Errors
/// The configuration is invalid, or the operating system does not provide what the process needs.
pub(crate) fn run<F>(
    options: &ProcessOptions,
    labels: &[(&'static str, String)],
    start: impl FnOnce(Process) -> F,
) -> Result<ExitCode, EarlyExit>
where
    F: Future<Output = Result<Started, EarlyExit>>,
{
    let _logs = telemetry::init(&options.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| EarlyExit::Invalid(format!("could not start the async runtime: {error}")))?;
    let status = runtime.block_on(async {
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        let signals = shutdown
            .signal_handler()
            .map_err(|error| EarlyExit::Invalid(format!("could not handle signals: {error}")))?;
        tasks.spawn_through_drain("signals", signals);
        let readiness = Readiness::new(shutdown.clone());
        let started_at = Clock::system().now_millis();
        let registry = metrics::registry(env!("CARGO_PKG_VERSION"), labels, started_at);
        let process = Process {
            shutdown,
            tasks: tasks.clone(),
            readiness,
            registry,
        };
        let started = start(process).await?;
        print(&started.text);
        Ok::<_, EarlyExit>(tasks.wait_for_drain(options.drain_timeout).await.exit_status())
    })?;
    Ok(ExitCode::from(status))
}

/// A started command.
pub(crate) struct Started {
    /// The text for standard output.
    pub(crate) text: String,
}

impl Process {
    /// Serves the admin endpoints. Call it last, when all gates and metrics are registered.
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

/// Listens on the address of an option. Also returns the actual address, because port 0 means any free port.
pub(crate) async fn listen(flag: &str, addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let listener = net::bind(flag, addr).await?;
    let bound = listener
        .local_addr()
        .map_err(|error| ConfigError::new(flag, addr, error))?;
    Ok((listener, bound))
}

/// Listens on the address of the admin endpoints. They need no authentication and expose no secrets.
pub(crate) async fn listen_admin(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let bound = listen("--admin-addr", addr).await?;
    if !addr.ip().is_loopback() {
        warn!(%addr, "other machines can reach --admin-addr, and the admin endpoints need no authentication: use a loopback address or a firewall");
    }
    Ok(bound)
}

/// Prints to standard output.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush()); // A closed pipe is not an error.
}
