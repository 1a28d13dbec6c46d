//! The options of the gRPC API: its address, and the authentication of its callers.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use roomcast_auth::{Clock, KeySource, Verifier, is_dev_secret};
use roomcast_control_plane::{ApiTokens, Config, Tls};
use roomcast_runtime::config::{ConfigError, values};

use super::{process::ProcessOptions, require_loopback, size};

#[derive(Debug, Args)]
#[command(next_help_heading = "gRPC")]
pub(crate) struct GrpcOptions {
    /// Address of the gRPC API, to which backends and edges connect
    #[arg(long, env = "ROOMCAST_GRPC_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:50051", value_parser = values::socket_addr)]
    pub(crate) grpc_addr: SocketAddr,
    /// Secret that verifies service tokens (audience roomcast-api) signed with HS256, HS384 or HS512; if it is set, every
    /// call needs a token. Unset: calls need no token
    #[arg(
        long,
        env = "ROOMCAST_API_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) api_jwt_secret: Option<String>,
    /// JWKS that verifies service tokens (audience roomcast-api); if it is set, every call needs a token. Unset: calls need
    /// no token
    #[arg(long, env = "ROOMCAST_API_JWKS", value_name = "FILE|URL")]
    pub(crate) api_jwks: Option<String>,
    /// PEM file with the server's certificate chain; requires --tls-key. Unset: no TLS
    #[arg(long, env = "ROOMCAST_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the server's private key; requires --tls-cert. Unset: no TLS
    #[arg(long, env = "ROOMCAST_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// PEM file with the authorities whose client certificates are accepted; if it is set, every caller needs such a
    /// certificate. Requires --tls-cert. Unset: callers need no certificate
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CA", value_name = "FILE")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Maximum size of a request in bytes, such as 262144 or 256KiB; from 1KiB to 4MiB
    #[arg(long, env = "ROOMCAST_MAX_REQUEST", value_name = "SIZE", default_value = "256KiB", value_parser = request_size)]
    pub(crate) max_request: usize,
}

impl GrpcOptions {
    /// The configuration of the control plane.
    ///
    /// # Errors
    /// Callers on other machines would need no authentication, or a key or certificate cannot be used.
    pub(crate) fn config(&self, process: &ProcessOptions) -> Result<Config, ConfigError> {
        if self.api_jwt_secret.is_none() && self.api_jwks.is_none() && self.tls_client_ca.is_none() {
            let reason = "callers need neither service tokens (--api-jwt-secret, --api-jwks) nor client certificates \
                          (--tls-client-ca)";
            require_loopback("--grpc-addr", self.grpc_addr, process.insecure, reason)?;
        }
        if self
            .api_jwt_secret
            .as_ref()
            .is_some_and(|secret| is_dev_secret(secret.as_bytes()))
        {
            let reason = "--api-jwt-secret is the published dev secret, with which anyone can sign tokens";
            require_loopback("--grpc-addr", self.grpc_addr, process.insecure, reason)?;
        }
        Ok(Config {
            id: format!("{:08x}", rand::random::<u32>()),
            max_request_bytes: self.max_request,
            drain_grace: process.drain_timeout / 2,
            tokens: self.tokens()?,
            tls: self.tls()?,
            ..Config::default()
        })
    }

    fn tokens(&self) -> Result<Option<ApiTokens>, ConfigError> {
        let mut sources = Vec::new();
        if let Some(secret) = &self.api_jwt_secret {
            let key = KeySource::secret(secret.as_bytes());
            sources.push(key.map_err(|error| ConfigError::new("--api-jwt-secret", secret, error))?);
        }
        if let Some(jwks) = &self.api_jwks {
            sources.push(KeySource::jwks(jwks).map_err(|error| ConfigError::new("--api-jwks", jwks, error))?);
        }
        if sources.is_empty() {
            return Ok(None);
        }
        let clock = Clock::system();
        let verifier = Verifier::services(sources, clock.clone());
        let verifier = verifier.map_err(|error| ConfigError::new("--api-jwks", "", error))?;
        Ok(Some(ApiTokens { verifier, clock }))
    }

    fn tls(&self) -> Result<Option<Tls>, ConfigError> {
        match (&self.tls_cert, &self.tls_key, &self.tls_client_ca) {
            (Some(cert), Some(key), ca) => {
                let tls = Tls::load(cert, key, ca.as_deref());
                tls.map(Some)
                    .map_err(|error| ConfigError::new("--tls-cert", cert.display(), error))
            }
            (None, None, None) => Ok(None),
            (Some(cert), None, _) => Err(ConfigError::new(
                "--tls-cert",
                cert.display(),
                "requires --tls-key",
            )),
            (None, Some(key), _) => Err(ConfigError::new(
                "--tls-key",
                key.display(),
                "requires --tls-cert",
            )),
            (None, None, Some(ca)) => Err(ConfigError::new(
                "--tls-client-ca",
                ca.display(),
                "requires --tls-cert and --tls-key",
            )),
        }
    }
}

fn request_size(text: &str) -> Result<usize, String> {
    size(text, &(1024..=4 * 1024 * 1024))
}
