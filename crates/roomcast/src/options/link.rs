//! How an edge shows itself to control planes, and how it knows them.

use std::path::PathBuf;

use clap::Args;
use roomcast_edge::{ApiToken, ClientTls};
use roomcast_runtime::config::ConfigError;

use super::read;

#[derive(Debug, Args)]
#[command(next_help_heading = "Link")]
pub(crate) struct LinkOptions {
    /// The service token that control planes ask for
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(crate) api_token: Option<String>,
    /// A file with that token, read again at every attachment
    #[arg(
        long,
        env = "ROOMCAST_API_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "api_token"
    )]
    pub(crate) api_token_file: Option<PathBuf>,
    /// The authority of the control planes' certificates, a PEM file; unset: the system's authorities
    #[arg(long, env = "ROOMCAST_TLS_CA", value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// The edge's certificate chain, a PEM file; with --tls-client-key
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CERT", value_name = "FILE")]
    pub(crate) tls_client_cert: Option<PathBuf>,
    /// The edge's key, a PEM file; with --tls-client-cert
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_KEY", value_name = "FILE")]
    pub(crate) tls_client_key: Option<PathBuf>,
}

impl LinkOptions {
    pub(crate) fn token(&self) -> Result<Option<ApiToken>, ConfigError> {
        match (&self.api_token, &self.api_token_file) {
            (Some(token), _) => Ok(Some(ApiToken::Fixed(token.clone()))),
            (None, Some(path)) => {
                read("--api-token-file", path)?;
                Ok(Some(ApiToken::File(path.clone())))
            }
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn tls(&self) -> Result<ClientTls, ConfigError> {
        let ca = self
            .tls_ca
            .as_ref()
            .map(|path| read("--tls-ca", path))
            .transpose()?;
        let identity = match (&self.tls_client_cert, &self.tls_client_key) {
            (Some(cert), Some(key)) => {
                Some((read("--tls-client-cert", cert)?, read("--tls-client-key", key)?))
            }
            (None, None) => None,
            (Some(cert), None) => {
                return Err(ConfigError::new(
                    "--tls-client-cert",
                    cert.display(),
                    "needs --tls-client-key",
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "--tls-client-key",
                    "",
                    "needs --tls-client-cert",
                ));
            }
        };
        Ok(ClientTls { ca, identity })
    }
}
