//! The gRPC side: where it listens and who may call.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use roomcast_auth::{Clock, KeySource, Verifier, is_dev_secret};
use roomcast_control_plane::{ApiTokens, Config, Tls};
use roomcast_runtime::config::{ConfigError, values};

use super::{only_loopback, process::ProcessOptions, size};

#[derive(Debug, Args)]
#[command(next_help_heading = "gRPC")]
pub(crate) struct GrpcOptions {
    /// Where backends and edges connect
    #[arg(long, env = "ROOMCAST_GRPC_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:50051", value_parser = values::socket_addr)]
    pub(crate) grpc_addr: SocketAddr,
    /// Calls need a service token (audience roomcast-api) signed with this secret by HS256, HS384 or HS512;
    /// unset: none
    #[arg(
        long,
        env = "ROOMCAST_API_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) api_jwt_secret: Option<String>,
    /// Calls need a service token (audience roomcast-api) signed with a key of this JWKS; unset: none
    #[arg(long, env = "ROOMCAST_API_JWKS", value_name = "FILE|URL")]
    pub(crate) api_jwks: Option<String>,
    /// The server's certificate chain, a PEM file, with --tls-key; unset: no TLS
    #[arg(long, env = "ROOMCAST_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The server's private key, a PEM file, with --tls-cert; unset: no TLS
    #[arg(long, env = "ROOMCAST_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Callers need a certificate of one of these authorities, a PEM file, with --tls-cert; unset: they need none
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CA", value_name = "FILE")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// The largest request, in bytes (262144, 256KiB), 4MiB at most
    #[arg(long, env = "ROOMCAST_MAX_REQUEST", value_name = "SIZE", default_value = "256KiB", value_parser = request)]
    pub(crate) max_request: usize,
}

impl GrpcOptions {
    /// What the control plane is told.
    ///
    /// # Errors
    /// Anybody could call from other machines, or keys and certificates cannot be used.
    pub(crate) fn config(&self, process: &ProcessOptions) -> Result<Config, ConfigError> {
        if self.api_jwt_secret.is_none() && self.api_jwks.is_none() && self.tls_client_ca.is_none() {
            let reason = "calls need neither service tokens (--api-jwt-secret, --api-jwks) nor client certificates \
                          (--tls-client-ca)";
            only_loopback("--grpc-addr", self.grpc_addr, process.insecure, reason)?;
        }
        if self
            .api_jwt_secret
            .as_ref()
            .is_some_and(|secret| is_dev_secret(secret.as_bytes()))
        {
            let reason = "everybody knows the dev secret, which is the --api-jwt-secret";
            only_loopback("--grpc-addr", self.grpc_addr, process.insecure, reason)?;
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
            (Some(cert), None, _) => Err(ConfigError::new("--tls-cert", cert.display(), "needs --tls-key")),
            (None, Some(key), _) => Err(ConfigError::new("--tls-key", key.display(), "needs --tls-cert")),
            (None, None, Some(ca)) => Err(ConfigError::new(
                "--tls-client-ca",
                ca.display(),
                "needs --tls-cert and --tls-key",
            )),
        }
    }
}

fn request(text: &str) -> Result<usize, String> {
    size(text, &(1024..=4 * 1024 * 1024))
}
