//! The command `roomcast token`, and the minter of the tokens of `dev`.
//!
//! A token is printed to standard output only, never to the logs.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use roomcast_auth::{Clock, DEV_SECRET, KeySource, MAX_TIME, MintClaims, SERVICE_AUDIENCE, mint};
use roomcast_core::UserId;
use roomcast_runtime::config::{ConfigError, EarlyExit, values};

use crate::process;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Mints a user token for this user id; this or --service is required
    #[arg(
        long,
        env = "ROOMCAST_USER",
        value_name = "ID",
        required_unless_present = "service",
        conflicts_with = "service"
    )]
    user: Option<UserId>,
    /// Mints a service token with this name, with which backends and edges call a control plane; this or --user is required
    #[arg(long, env = "ROOMCAST_SERVICE", value_name = "NAME", value_parser = service_name)]
    service: Option<String>,
    /// How long the token is valid (90s, 1h, 7d); at least 1s
    #[arg(long, env = "ROOMCAST_TTL", value_name = "TIME", default_value = "1h", value_parser = ttl)]
    ttl: Duration,
    /// Secret that signs the token with HS256: the --jwt-secret of the edges for a user, the --api-jwt-secret of the control
    /// planes for a service. Unset: the published dev secret
    #[arg(
        long,
        env = "ROOMCAST_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
    /// Issuer (iss) of the token. Unset: none
    #[arg(long, env = "ROOMCAST_JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// Audience (aud) of a user token. Unset: none. The audience of a service token is always roomcast-api
    #[arg(long, env = "ROOMCAST_JWT_AUDIENCE", value_name = "AUDIENCE", value_parser = user_audience)]
    jwt_audience: Option<String>,
    /// TOML file with options; each key is the name of a flag without the leading dashes. Unset: no file
    #[arg(long, env = "ROOMCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints only the token.
pub(crate) fn print(options: &Options) -> Result<ExitCode, EarlyExit> {
    let token = options.token()?;
    process::print(&format!("{token}\n"));
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn token(&self) -> Result<String, EarlyExit> {
        let secret = self.jwt_secret.as_deref().unwrap_or(DEV_SECRET);
        // No verifier accepts an invalid secret, so it mints no token either.
        KeySource::secret(secret.as_bytes())
            .map_err(|error| ConfigError::new("--jwt-secret", secret, error))?;
        let minter = TokenMinter {
            secret: secret.to_owned(),
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
        };
        match (&self.user, &self.service) {
            (Some(user), _) => Ok(minter.user_token(user.as_str(), self.ttl)),
            (None, Some(service)) => Ok(minter.service_token(service, self.ttl)),
            (None, None) => Err(EarlyExit::Invalid(
                "--user or --service: one of them is required".to_owned(),
            )),
        }
    }
}

/// Mints tokens with one secret.
#[derive(Clone)]
pub(crate) struct TokenMinter {
    pub(crate) secret: String,
    /// `iss` of all tokens.
    pub(crate) issuer: Option<String>,
    /// `aud` of user tokens.
    pub(crate) audience: Option<String>,
}

impl TokenMinter {
    pub(crate) fn user_token(&self, id: &str, ttl: Duration) -> String {
        self.mint(id, self.audience.clone(), ttl)
    }

    pub(crate) fn service_token(&self, name: &str, ttl: Duration) -> String {
        self.mint(name, Some(SERVICE_AUDIENCE.to_owned()), ttl)
    }

    fn mint(&self, subject: &str, audience: Option<String>, ttl: Duration) -> String {
        let claims = MintClaims {
            subject: subject.to_owned(),
            audience,
            issuer: self.issuer.clone(),
            issued_at: Clock::system().now(),
            ttl,
        };
        mint(self.secret.as_bytes(), &claims)
    }
}

fn service_name(name: &str) -> Result<String, String> {
    if (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name.to_owned());
    }
    Err("must be 1 to 128 visible ASCII characters".to_owned())
}

fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = values::duration(text)?;
    let max_ttl = MAX_TIME.saturating_sub(Clock::system().now());
    if ttl.as_secs() == 0 {
        return Err("must be at least 1s".to_owned());
    }
    if i64::try_from(ttl.as_secs()).is_ok_and(|seconds| seconds < max_ttl) {
        return Ok(ttl);
    }
    Err("the token must expire before the year 10000".to_owned())
}

fn user_audience(audience: &str) -> Result<String, String> {
    match audience {
        "" => Err("must not be empty".to_owned()),
        SERVICE_AUDIENCE => {
            Err("this audience is reserved for services; use --service instead of --user".to_owned())
        }
        audience => Ok(audience.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use roomcast_auth::{UserTokens, Verifier};

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        token: Options,
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn minted(args: &str) -> Result<String, String> {
        let args = ["token"].into_iter().chain(args.split_whitespace());
        let options = TestCli::try_parse_from(args)
            .map_err(|error| error.to_string())?
            .token;
        options.token().map_err(|exit| match exit {
            EarlyExit::Invalid(line) => line,
            EarlyExit::Help(text) => text.to_string(),
        })
    }

    fn key(secret: &str) -> KeySource {
        KeySource::secret(secret.as_bytes()).unwrap()
    }

    fn users(secret: &str, tokens: UserTokens) -> Verifier {
        Verifier::users([key(secret)], tokens, Clock::system()).unwrap()
    }

    fn services(secret: &str) -> Verifier {
        Verifier::services([key(secret)], Clock::system()).unwrap()
    }

    #[tokio::test]
    async fn an_edge_with_the_same_secret_accepts_a_user_token() {
        let token = minted("--user alice --ttl 5m").unwrap();
        let verifier = users(DEV_SECRET, UserTokens::default());
        let identity = verifier.verify(&token).await.unwrap();
        let left = identity.expires_at - Clock::system().now();
        assert!(
            identity.subject == "alice" && (295..=300).contains(&left),
            "{identity:?}"
        );
        services(DEV_SECRET).verify(&token).await.unwrap_err();

        let token = minted(&format!(
            "--user bob --jwt-secret {SECRET} --jwt-issuer me --jwt-audience app"
        ));
        let tokens = UserTokens {
            issuer: Some("me".into()),
            audience: Some("app".into()),
            ..UserTokens::default()
        };
        let identity = users(SECRET, tokens).verify(&token.unwrap()).await.unwrap();
        assert_eq!(identity.subject, "bob");
    }

    #[tokio::test]
    async fn a_control_plane_accepts_a_service_token_and_an_edge_does_not() {
        let args = format!("--service booking --jwt-secret {SECRET} --jwt-audience app");
        let token = minted(&args).unwrap();
        let identity = services(SECRET).verify(&token).await.unwrap();
        assert_eq!(identity.subject, "booking");
        users(SECRET, UserTokens::default())
            .verify(&token)
            .await
            .unwrap_err();
    }

    #[test]
    fn a_token_that_no_verifier_accepts_is_not_minted() {
        for (args, text) in [
            ("", "--user"),
            ("--user a --service b", "--service"),
            ("--user a/b", "--user"),
            ("--user a --ttl 0s", "must be at least 1s"),
            ("--user a --ttl 999ms", "must be at least 1s"),
            ("--user a --ttl 9999999d", "year 10000"),
            (
                "--user a --jwt-audience roomcast-api",
                "--service instead of --user",
            ),
            ("--service é", "visible ASCII"),
        ] {
            let line = minted(args).unwrap_err();
            assert!(line.contains(text), "{args}: {line}");
        }
        let line = minted("--user a --jwt-secret=").unwrap_err();
        assert!(line.starts_with("--jwt-secret <hidden>: "), "{line}");
    }
}
