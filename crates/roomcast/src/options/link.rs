//! The options of the link: how an edge authenticates to control planes, and how it verifies them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use roomcast_edge::{ApiToken, ClientTls, EdgeId};
use roomcast_runtime::config::ConfigError;

use super::{positive_duration, read_file, read_pem};

#[derive(Debug, Args)]
#[command(next_help_heading = "Link")]
pub(crate) struct LinkOptions {
    /// Id of the edge in logs and in the metric roomcast_build_info: up to 128 visible ASCII characters. Unset: the host name
    /// and a random suffix
    #[arg(long, env = "ROOMCAST_NAME", value_name = "ID")]
    name: Option<EdgeId>,
    /// Service token that the edge sends to control planes. Unset: none
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        value_parser = header_token
    )]
    pub(crate) api_token: Option<String>,
    /// File with the service token, read again for each new link. Unset: none
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "api_token"
    )]
    pub(crate) api_token_file: Option<PathBuf>,
    /// Average interval at which the edge checks whether another control plane serves fewer edges and, if so, moves its link
    /// there; sockets are not affected
    #[arg(long, env = "ROOMCAST_REBALANCE_INTERVAL", value_name = "TIME", default_value = "1m", value_parser = positive_duration)]
    pub(crate) rebalance_interval: Duration,
    /// PEM file with the authorities of the control planes' certificates. Unset: the authorities of the system
    #[arg(long, env = "ROOMCAST_TLS_CA", value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// PEM file with the edge's client certificate chain; requires --tls-client-key. Unset: none
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CERT", value_name = "FILE")]
    pub(crate) tls_client_cert: Option<PathBuf>,
    /// PEM file with the private key of the client certificate; requires --tls-client-cert. Unset: none
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_KEY", value_name = "FILE")]
    pub(crate) tls_client_key: Option<PathBuf>,
}

impl LinkOptions {
    /// The id of the edge. Without `--name`, each call returns another one.
    pub(crate) fn edge_id(&self) -> EdgeId {
        self.name.clone().unwrap_or_else(|| {
            let host = rustix::system::uname();
            EdgeId::with_random_suffix(&host.nodename().to_string_lossy())
        })
    }

    pub(crate) fn token(&self) -> Result<Option<ApiToken>, ConfigError> {
        match (&self.api_token, &self.api_token_file) {
            (Some(token), _) => Ok(Some(ApiToken::Fixed(token.clone()))),
            (None, Some(path)) => {
                check_token_file(path)?;
                Ok(Some(ApiToken::File(path.clone())))
            }
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn tls(&self) -> Result<ClientTls, ConfigError> {
        let (cert, key) = (&self.tls_client_cert, &self.tls_client_key);
        if let (Some(cert), None) = (cert, key) {
            return Err(ConfigError::new(
                "--tls-client-cert",
                cert.display(),
                "requires --tls-client-key",
            ));
        }
        if let (None, Some(key)) = (cert, key) {
            return Err(ConfigError::new(
                "--tls-client-key",
                key.display(),
                "requires --tls-client-cert",
            ));
        }
        let cert = read_pem("--tls-client-cert", cert.as_ref(), "CERTIFICATE")?;
        let key = read_pem("--tls-client-key", key.as_ref(), "PRIVATE KEY")?;
        Ok(ClientTls {
            ca: read_pem("--tls-ca", self.tls_ca.as_ref(), "CERTIFICATE")?,
            identity: cert.zip(key),
        })
    }

    /// # Errors
    /// TLS options are given, but no control plane has an https:// address: the link would not be encrypted as intended.
    pub(crate) fn check_tls_is_used(&self, control_planes: &[http::Uri]) -> Result<(), ConfigError> {
        if control_planes.iter().any(|uri| uri.scheme_str() == Some("https")) {
            return Ok(());
        }
        let given = [
            ("--tls-ca", &self.tls_ca),
            ("--tls-client-cert", &self.tls_client_cert),
        ];
        for (flag, path) in given {
            if let Some(path) = path {
                return Err(ConfigError::new(
                    flag,
                    path.display(),
                    "has no effect: no --control-plane starts with https://",
                ));
            }
        }
        Ok(())
    }
}

/// The content may change later, but at the start it must be a token.
fn check_token_file(path: &Path) -> Result<(), ConfigError> {
    let flag = "--api-token-file";
    let content = read_file(flag, path)?;
    let token = String::from_utf8_lossy(&content);
    match header_token(token.trim()) {
        Ok(_) => Ok(()),
        Err(reason) => Err(ConfigError::new(
            flag,
            path.display(),
            format!("the content {reason}"),
        )),
    }
}

/// Parses a token that can be the value of a header.
fn header_token(token: &str) -> Result<String, String> {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(token.to_owned());
    }
    Err("must be a token: one or more visible ASCII characters, no spaces".to_owned())
}
