//! `roomcast token`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use roomcast_auth::{Clock, DEV_SECRET, MintClaims, SERVICE_AUDIENCE, mint};
use roomcast_core::UserId;
use roomcast_runtime::config::{ConfigError, Exit, values};

use crate::process;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A token for this user's browsers
    #[arg(
        long,
        env = "ROOMCAST_USER",
        value_name = "ID",
        required_unless_present = "service",
        conflicts_with = "service"
    )]
    user: Option<UserId>,
    /// A token for this service, that backends and edges call the control plane with
    #[arg(long, env = "ROOMCAST_SERVICE", value_name = "NAME")]
    service: Option<String>,
    /// How long the token is good
    #[arg(long, env = "ROOMCAST_TTL", default_value = "1h", value_parser = values::duration)]
    ttl: Duration,
    /// The secret that signs it (HS256): for a user the edges' --jwt-secret, for a service the control planes'
    /// --api-jwt-secret. Unset: the dev secret
    #[arg(
        long,
        env = "ROOMCAST_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
    /// The token's iss
    #[arg(long, env = "ROOMCAST_JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// A user's token's aud; a service's is roomcast-api
    #[arg(
        long,
        env = "ROOMCAST_JWT_AUDIENCE",
        value_name = "AUDIENCE",
        conflicts_with = "service"
    )]
    jwt_audience: Option<String>,
    /// A TOML file with options: the flags' names without the dashes
    #[arg(long, env = "ROOMCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints the token alone.
pub(crate) fn print(options: &Options) -> Result<ExitCode, Exit> {
    let secret = options.jwt_secret.as_deref().unwrap_or(DEV_SECRET);
    if secret.is_empty() {
        return Err(ConfigError::new("--jwt-secret", "", "must not be empty").into());
    }
    if options.ttl.is_zero() {
        return Err(ConfigError::new("--ttl", "0s", "must be longer than nothing").into());
    }
    let (subject, audience) = match (&options.user, &options.service) {
        (Some(user), _) => (user.to_string(), options.jwt_audience.clone()),
        (None, Some(service)) => (service_name(service)?, Some(SERVICE_AUDIENCE.to_owned())),
        (None, None) => return Err(ConfigError::new("--user", "", "is missing: or --service").into()),
    };
    let claims = MintClaims {
        subject,
        audience,
        issuer: options.jwt_issuer.clone(),
        issued_at: Clock::system().now(),
        ttl: options.ttl,
    };
    process::print(&format!("{}\n", mint(secret.as_bytes(), &claims)));
    Ok(ExitCode::SUCCESS)
}

fn service_name(name: &str) -> Result<String, ConfigError> {
    if (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name.to_owned());
    }
    Err(ConfigError::new(
        "--service",
        name,
        "must be 1 to 128 visible ASCII characters",
    ))
}
