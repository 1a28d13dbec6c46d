//! Whose tokens browsers may come with.

use std::path::PathBuf;

use clap::Args;
use roomcast_auth::{Clock, DEV_SECRET, KeySource, UserTokens, Verifier, is_dev_secret};
use roomcast_runtime::config::{ConfigError, Exit};

#[derive(Debug, Args)]
#[command(next_help_heading = "Users' tokens")]
pub(crate) struct UserOptions {
    /// The secret that signs users' tokens by HS256, HS384 or HS512; unset: with `dev` the published
    /// dev secret where no other key is given, with `edge` none
    #[arg(
        long,
        env = "ROOMCAST_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) jwt_secret: Option<String>,
    /// The public key that verifies users' tokens, a PEM file: RSA for RS256 and PS256, P-256 for ES256, Ed25519 for
    /// EdDSA; unset: none
    #[arg(long, env = "ROOMCAST_JWT_PUBLIC_KEY", value_name = "FILE")]
    pub(crate) jwt_public_key: Option<PathBuf>,
    /// The keys that verify users' tokens, a JWKS; looked at again when a token names another key; unset: none
    #[arg(long, env = "ROOMCAST_JWKS", value_name = "FILE|URL")]
    pub(crate) jwks: Option<String>,
    /// What a token's iss must be; unset: anything
    #[arg(long, env = "ROOMCAST_JWT_ISSUER", value_name = "ISSUER")]
    pub(crate) jwt_issuer: Option<String>,
    /// What a token's aud must contain; unset: anything but roomcast-api
    #[arg(long, env = "ROOMCAST_JWT_AUDIENCE", value_name = "AUDIENCE")]
    pub(crate) jwt_audience: Option<String>,
    /// The claim that holds the user's id
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

    /// Whether everybody can make tokens that are taken.
    pub(crate) fn uses_dev_secret(&self) -> bool {
        self.jwt_secret
            .as_ref()
            .is_some_and(|secret| is_dev_secret(secret.as_bytes()))
    }

    /// Takes the dev secret where no key was given.
    pub(crate) fn or_dev_secret(&mut self) {
        if !self.has_keys() {
            self.jwt_secret = Some(DEV_SECRET.to_owned());
        }
    }

    /// # Errors
    /// There is no key, or one that cannot be used.
    pub(crate) fn verifier(&self) -> Result<Verifier, Exit> {
        if !self.has_keys() {
            let line = "--jwt-secret, --jwt-public-key or --jwks: one of them is required, or no user's token could be \
                        verified";
            return Err(Exit::Refused(line.to_owned()));
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
