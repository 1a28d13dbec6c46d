//! How an edge shows itself to control planes, and how it knows them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use roomcast_edge::{ApiToken, ClientTls, EdgeId};
use roomcast_runtime::config::ConfigError;

use super::{read, read_pem, some_time};

#[derive(Debug, Args)]
#[command(next_help_heading = "Link")]
pub(crate) struct LinkOptions {
    /// The edge's id in logs and in roomcast_build_info, up to 128 visible ASCII characters; unset: the name of the host
    /// and a random suffix
    #[arg(long, env = "ROOMCAST_NAME", value_name = "ID")]
    name: Option<EdgeId>,
    /// The service token that control planes ask for; unset: none is shown
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        value_parser = visible
    )]
    pub(crate) api_token: Option<String>,
    /// A file with that token, read again at every attachment; unset: none
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "api_token"
    )]
    pub(crate) api_token_file: Option<PathBuf>,
    /// How often the edge looks, on average, whether another control plane feeds fewer edges, and goes there if so;
    /// sockets notice nothing
    #[arg(long, env = "ROOMCAST_REBALANCE_INTERVAL", value_name = "TIME", default_value = "1m", value_parser = some_time)]
    pub(crate) rebalance_interval: Duration,
    /// The authorities of the control planes' certificates, a PEM file; unset: the system's authorities
    #[arg(long, env = "ROOMCAST_TLS_CA", value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// The edge's certificate chain, a PEM file, with --tls-client-key; unset: it shows none
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CERT", value_name = "FILE")]
    pub(crate) tls_client_cert: Option<PathBuf>,
    /// The edge's private key, a PEM file, with --tls-client-cert; unset: none
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_KEY", value_name = "FILE")]
    pub(crate) tls_client_key: Option<PathBuf>,
}

impl LinkOptions {
    /// The edge's id. Without `--name`, each call returns another one.
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
                "needs --tls-client-key",
            ));
        }
        if let (None, Some(key)) = (cert, key) {
            return Err(ConfigError::new(
                "--tls-client-key",
                key.display(),
                "needs --tls-client-cert",
            ));
        }
        let cert = read_pem("--tls-client-cert", cert.as_ref(), "CERTIFICATE")?;
        let key = read_pem("--tls-client-key", key.as_ref(), "PRIVATE KEY")?;
        Ok(ClientTls {
            ca: read_pem("--tls-ca", self.tls_ca.as_ref(), "CERTIFICATE")?,
            identity: cert.zip(key),
        })
    }

    /// Refuses TLS options that no address of a control plane makes use of: whoever gave them counts on TLS.
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
                    "not used: no --control-plane begins with https://",
                ));
            }
        }
        Ok(())
    }
}

/// The content may change later, but at the start it has to be a token.
fn check_token_file(path: &Path) -> Result<(), ConfigError> {
    let flag = "--api-token-file";
    let content = read(flag, path)?;
    let token = String::from_utf8_lossy(&content);
    match visible(token.trim()) {
        Ok(_) => Ok(()),
        Err(reason) => Err(ConfigError::new(
            flag,
            path.display(),
            format!("its content {reason}"),
        )),
    }
}

/// What may stand in a header.
fn visible(token: &str) -> Result<String, String> {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(token.to_owned());
    }
    Err("must be a token: visible ASCII characters without spaces".to_owned())
}
