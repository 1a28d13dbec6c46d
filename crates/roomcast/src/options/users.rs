//! The options for the verification of users' tokens.

use std::path::PathBuf;

use clap::Args;
use roomcast_auth::{Clock, DEV_SECRET, KeySource, UserTokens, Verifier, is_dev_secret};
use roomcast_runtime::config::{ConfigError, EarlyExit};

#[derive(Debug, Args)]
#[command(next_help_heading = "Users' tokens")]
pub(crate) struct UserOptions {
    /// Secret that verifies users' tokens signed with HS256, HS384 or HS512. Unset: `dev` uses the published dev secret if
    /// no other key is given, `edge` uses none
    #[arg(
        long,
        env = "ROOMCAST_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) jwt_secret: Option<String>,
    /// PEM file with public keys that verify users' tokens: RSA for RS256 and PS256, P-256 for ES256, Ed25519 for EdDSA.
    /// Unset: none
    #[arg(long, env = "ROOMCAST_JWT_PUBLIC_KEY", value_name = "FILE")]
    pub(crate) jwt_public_key: Option<PathBuf>,
    /// JWKS that verifies users' tokens; it is fetched again when a token has an unknown key id. Unset: none
    #[arg(long, env = "ROOMCAST_JWKS", value_name = "FILE|URL")]
    pub(crate) jwks: Option<String>,
    /// Required issuer (iss) of users' tokens. Unset: any
    #[arg(long, env = "ROOMCAST_JWT_ISSUER", value_name = "ISSUER")]
    pub(crate) jwt_issuer: Option<String>,
    /// Required audience (aud) of users' tokens. Unset: any except roomcast-api
    #[arg(long, env = "ROOMCAST_JWT_AUDIENCE", value_name = "AUDIENCE")]
    pub(crate) jwt_audience: Option<String>,
    /// Claim of users' tokens that contains the user's id
    #[arg(
        long,
        env = "ROOMCAST_JWT_USER_CLAIM",
        value_name = "CLAIM",
        default_value = "sub"
    )]
    pub(crate) jwt_user_claim: String,
}

impl UserOptions {
    pub(crate) fn has_keys(&self) -> bool {
        self.jwt_secret.is_some() || self.jwt_public_key.is_some() || self.jwks.is_some()
    }

    /// Whether the secret is the published dev secret, so that anyone can sign valid tokens.
    pub(crate) fn uses_dev_secret(&self) -> bool {
        self.jwt_secret
            .as_ref()
            .is_some_and(|secret| is_dev_secret(secret.as_bytes()))
    }

    /// Uses the dev secret if no key is given.
    pub(crate) fn default_to_dev_secret(&mut self) {
        if !self.has_keys() {
            self.jwt_secret = Some(DEV_SECRET.to_owned());
        }
    }

    /// # Errors
    /// No key is given, or a key cannot be used.
    pub(crate) fn verifier(&self) -> Result<Verifier, EarlyExit> {
        if !self.has_keys() {
            let line =
                "--jwt-secret, --jwt-public-key or --jwks: one of them is required to verify users' tokens";
            return Err(EarlyExit::Invalid(line.to_owned()));
        }
        let mut sources = Vec::new();
        if let Some(secret) = &self.jwt_secret {
            let key = KeySource::secret(secret.as_bytes());
            sources.push(key.map_err(|error| ConfigError::new("--jwt-secret", secret, error))?);
        }
        if let Some(path) = &self.jwt_public_key {
            let key = KeySource::public_key_file(path);
            sources.push(key.map_err(|error| ConfigError::new("--jwt-public-key", path.display(), error))?);
        }
        if let Some(jwks) = &self.jwks {
            sources.push(KeySource::jwks(jwks).map_err(|error| ConfigError::new("--jwks", jwks, error))?);
        }
        let tokens = UserTokens {
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
            user_claim: self.jwt_user_claim.clone(),
        };
        let audience = self.jwt_audience.as_deref().unwrap_or_default();
        Verifier::users(sources, tokens, Clock::system())
            .map_err(|error| ConfigError::new("--jwt-audience", audience, error).into())
    }
}
