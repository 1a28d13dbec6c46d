//! `roomcast edge`.

use std::net::SocketAddr;

use clap::Args;
use roomcast_edge::{Config, Origins};
use roomcast_runtime::config::{ConfigError, values};
use tokio::net::TcpListener;

use crate::{
    options::{
        http::HttpOptions, link::LinkOptions, only_loopback, process::ProcessOptions, users::UserOptions,
    },
    process::{Process, Started, listen},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    users: UserOptions,
    /// The address of a control plane; repeatable. One of them feeds the edge, another one when it is gone
    #[arg(long, env = "ROOMCAST_CONTROL_PLANE", value_name = "URL", default_value = "http://127.0.0.1:50051", value_delimiter = ',', value_parser = control_plane, help_heading = "Link")]
    control_plane: Vec<http::Uri>,
    #[command(flatten)]
    link: LinkOptions,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", default_value = "127.0.0.1:9101", value_parser = values::socket_addr, help_heading = "Process")]
    admin_addr: SocketAddr,
}

pub(crate) async fn start(options: Options, mut process: Process) -> Result<Started, ConfigError> {
    if options.users.uses_dev_secret() {
        let reason = "everybody knows the dev secret, which is the --jwt-secret";
        only_loopback(
            "--http-addr",
            options.http.http_addr,
            options.process.insecure,
            reason,
        )?;
    }
    let config = Config {
        control_planes: options.control_plane,
        api_token: options.link.token()?,
        tls: options.link.tls()?,
        origins: options.http.origins(Origins::Listed(Vec::new())),
        verifier: options.users.verifier()?,
        page: None,
        limits: options.http.limits(),
        drain: options.http.drain(options.process.drain_timeout),
    };
    let (listener, http) = listen("--http-addr", options.http.http_addr).await?;
    let (admin_listener, admin) = listen("--admin-addr", options.admin_addr).await?;
    serve(config, listener, &mut process);
    process.serve_admin(admin_listener);
    Ok(Started {
        text: format!("http    {http}\nadmin   {admin}\n"),
    })
}

/// Starts an edge.
pub(crate) fn serve(config: Config, listener: TcpListener, process: &mut Process) {
    let parts = roomcast_edge::Process {
        tasks: &process.tasks,
        shutdown: &process.shutdown,
        readiness: &process.readiness,
        registry: &mut process.registry,
    };
    roomcast_edge::serve(config, listener, parts);
}

fn control_plane(text: &str) -> Result<http::Uri, String> {
    let expected = "expected http://HOST:PORT or https://HOST:PORT";
    let uri: http::Uri = text.parse().map_err(|error| format!("{error} ({expected})"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(format!("is no address of a control plane ({expected})")),
    }
}
