//! The command `roomcast edge`.

use std::net::SocketAddr;

use clap::Args;
use roomcast_edge::{Config, EdgeId, Origins};
use roomcast_runtime::{
    config::{EarlyExit, values},
    lifecycle::Tasks,
};
use tokio::net::TcpListener;

use crate::{
    options::{
        http::HttpOptions, link::LinkOptions, process::ProcessOptions, require_loopback, users::UserOptions,
    },
    process::{Process, Started, listen, listen_admin},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    users: UserOptions,
    /// Address of a control plane; repeatable. The edge keeps a link to one of them and moves to another one if it fails
    #[arg(long, env = "ROOMCAST_CONTROL_PLANE", value_name = "URL", default_value = "http://127.0.0.1:50051", value_delimiter = ',', value_parser = control_plane, help_heading = "Link")]
    control_plane: Vec<http::Uri>,
    #[command(flatten)]
    pub(crate) link: LinkOptions,
    /// Address of the admin endpoints /livez, /readyz and /metrics
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:9101", value_parser = values::socket_addr, help_heading = "Process")]
    admin_addr: SocketAddr,
}

pub(crate) async fn start(
    options: Options,
    edge_id: EdgeId,
    mut process: Process,
) -> Result<Started, EarlyExit> {
    if options.users.uses_dev_secret() {
        let reason = "--jwt-secret is the published dev secret, with which anyone can sign tokens";
        require_loopback(
            "--http-addr",
            options.http.http_addr,
            options.process.insecure,
            reason,
        )?;
    }
    options.link.check_tls_is_used(&options.control_plane)?;
    let config = Config {
        edge_id,
        control_planes: options.control_plane,
        rebalance: options.link.rebalance_interval,
        api_token: options.link.token()?,
        tls: options.link.tls()?,
        origins: options.http.origins(Origins::Listed(Vec::new())),
        verifier: options.users.verifier()?,
        page: None,
        limits: options.http.limits(),
        drain: options.http.drain(options.process.drain_timeout),
    };
    let (listener, http) = listen("--http-addr", options.http.http_addr).await?;
    let (admin_listener, admin) = listen_admin(options.admin_addr).await?;
    let tasks = process.tasks.clone();
    serve(config, listener, &tasks, &mut process);
    process.serve_admin(admin_listener);
    Ok(Started {
        text: format!("http    {http}\nadmin   {admin}\n"),
    })
}

/// Starts an edge. `tasks` own its tasks.
pub(crate) fn serve(config: Config, listener: TcpListener, tasks: &Tasks, process: &mut Process) {
    let parts = roomcast_edge::Process {
        tasks,
        shutdown: &process.shutdown,
        readiness: &process.readiness,
        registry: &mut process.registry,
    };
    roomcast_edge::serve(config, listener, parts);
}

fn control_plane(text: &str) -> Result<http::Uri, String> {
    let expected = "expected http://HOST:PORT or https://HOST:PORT";
    let uri: http::Uri = text.parse().map_err(|error| format!("{error} ({expected})"))?;
    let only_host = uri.path() == "/" && uri.query().is_none() && !text.contains(['@', '#']);
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) if only_host => Ok(uri),
        _ => Err(format!("invalid address of a control plane ({expected})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_control_plane_consists_of_a_scheme_and_a_host() {
        for text in [
            "http://127.0.0.1:50051",
            "https://control-plane.example",
            "http://[::1]:1/",
        ] {
            control_plane(text).unwrap();
        }
        for text in [
            "",
            "h:1",
            "127.0.0.1:1",
            "tcp://a",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
        ] {
            let reason = control_plane(text).unwrap_err();
            assert!(reason.contains("expected http://HOST:PORT"), "{text}: {reason}");
        }
    }
}
