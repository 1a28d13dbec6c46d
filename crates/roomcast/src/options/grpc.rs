//! The gRPC side: where it listens and who may call.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use roomcast_auth::{Clock, KeySource, Verifier, is_dev_secret};
use roomcast_control_plane::{ApiTokens, Config, Tls};
use roomcast_runtime::config::{ConfigError, values};

use super::{only_loopback, process::ProcessOptions};

#[derive(Debug, Args)]
#[command(next_help_heading = "gRPC")]
pub(crate) struct GrpcOptions {
    /// Where backends and edges connect
    #[arg(long, env = "ROOMCAST_GRPC_ADDR", default_value = "127.0.0.1:50051", value_parser = values::socket_addr)]
    pub(crate) grpc_addr: SocketAddr,
    /// Calls need a service token (audience roomcast-api) signed with this secret by HS256, HS384 or HS512
    #[arg(
        long,
        env = "ROOMCAST_API_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) api_jwt_secret: Option<String>,
    /// Calls need a service token (audience roomcast-api) signed with a key of this JWKS
    #[arg(long, env = "ROOMCAST_API_JWKS", value_name = "FILE|URL")]
    pub(crate) api_jwks: Option<String>,
    /// The server's certificate chain, a PEM file; with --tls-key
    #[arg(long, env = "ROOMCAST_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The server's key, a PEM file; with --tls-cert
    #[arg(long, env = "ROOMCAST_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Callers need a certificate of this authority, a PEM file; with --tls-cert
    #[arg(long, env = "ROOMCAST_TLS_CLIENT_CA", value_name = "FILE")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// The largest request, in bytes (256KiB, 1MiB)
    #[arg(long, env = "ROOMCAST_MAX_REQUEST", default_value = "256KiB", value_parser = values::bytes)]
    pub(crate) max_request: usize,
}

impl GrpcOptions {
    /// What the control plane is told.
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
            (None, Some(_), _) => Err(ConfigError::new("--tls-key", "", "needs --tls-cert")),
            (None, None, Some(ca)) => Err(ConfigError::new(
                "--tls-client-ca",
                ca.display(),
                "needs --tls-cert and --tls-key",
            )),
        }
    }
}
