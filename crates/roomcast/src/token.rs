//! `roomcast token`, and the minting of the tokens that `dev` hands out.
//!
//! A token goes to standard output alone, never to the logs.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use roomcast_auth::{Clock, DEV_SECRET, KeySource, MAX_TIME, MintClaims, SERVICE_AUDIENCE, mint};
use roomcast_core::UserId;
use roomcast_runtime::config::{ConfigError, Exit, values};

use crate::process;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A token for this user's browsers; this or --service is required
    #[arg(
        long,
        env = "ROOMCAST_USER",
        value_name = "ID",
        required_unless_present = "service",
        conflicts_with = "service"
    )]
    user: Option<UserId>,
    /// A token for this service, with which backends and edges call a control plane; this or --user is required
    #[arg(long, env = "ROOMCAST_SERVICE", value_name = "NAME", value_parser = service_name)]
    service: Option<String>,
    /// How long the token is good (90s, 1h, 7d)
    #[arg(long, env = "ROOMCAST_TTL", value_name = "TIME", default_value = "1h", value_parser = ttl)]
    ttl: Duration,
    /// The secret that signs it by HS256: for a user the edges' --jwt-secret, for a service the control
    /// planes' --api-jwt-secret; unset: the published dev secret
    #[arg(
        long,
        env = "ROOMCAST_JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
    /// The token's iss; unset: it has none
    #[arg(long, env = "ROOMCAST_JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// The aud of a user's token; unset: it has none. A service's is always roomcast-api
    #[arg(long, env = "ROOMCAST_JWT_AUDIENCE", value_name = "AUDIENCE", value_parser = user_audience)]
    jwt_audience: Option<String>,
    /// A TOML file with options: the flags' names without the dashes; unset: none
    #[arg(long, env = "ROOMCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints the token alone.
pub(crate) fn print(options: &Options) -> Result<ExitCode, Exit> {
    let token = options.token()?;
    process::print(&format!("{token}\n"));
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn token(&self) -> Result<String, Exit> {
        let secret = self.jwt_secret.as_deref().unwrap_or(DEV_SECRET);
        // A token by a secret that no verifier takes is of no use.
        KeySource::secret(secret.as_bytes())
            .map_err(|error| ConfigError::new("--jwt-secret", secret, error))?;
        let minting = Minting {
            secret: secret.to_owned(),
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
        };
        match (&self.user, &self.service) {
            (Some(user), _) => Ok(minting.user(user.as_str(), self.ttl)),
            (None, Some(service)) => Ok(minting.service(service, self.ttl)),
            (None, None) => Err(Exit::Refused(
                "--user or --service: one of them is required".to_owned(),
            )),
        }
    }
}

/// What signs tokens, and what they say beside whose they are.
#[derive(Clone)]
pub(crate) struct Minting {
    pub(crate) secret: String,
    pub(crate) issuer: Option<String>,
    /// Of users' tokens.
    pub(crate) audience: Option<String>,
}

impl Minting {
    pub(crate) fn user(&self, id: &str, ttl: Duration) -> String {
        self.mint(id, self.audience.clone(), ttl)
    }

    pub(crate) fn service(&self, name: &str, ttl: Duration) -> String {
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
    let left = MAX_TIME.saturating_sub(Clock::system().now());
    if ttl.as_secs() == 0 {
        return Err("must be 1s at least".to_owned());
    }
    if i64::try_from(ttl.as_secs()).is_ok_and(|seconds| seconds < left) {
        return Ok(ttl);
    }
    Err("must end before the year 10000".to_owned())
}

fn user_audience(audience: &str) -> Result<String, String> {
    match audience {
        "" => Err("must not be empty".to_owned()),
        SERVICE_AUDIENCE => Err("this audience is for services: give --service instead of --user".to_owned()),
        audience => Ok(audience.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use roomcast_auth::{UserTokens, Verifier};

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        token: Options,
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn minted(args: &str) -> Result<String, String> {
        let args = ["token"].into_iter().chain(args.split_whitespace());
        let options = Alone::try_parse_from(args)
            .map_err(|error| error.to_string())?
            .token;
        options.token().map_err(|exit| match exit {
            Exit::Refused(line) => line,
            Exit::Shown(text) => text.to_string(),
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
    async fn a_users_token_is_taken_by_edges_with_the_same_secret() {
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
    async fn a_services_token_is_taken_by_control_planes_and_no_edge() {
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
    fn a_token_that_nobody_would_take_is_not_minted() {
        for (args, words) in [
            ("", "--user"),
            ("--user a --service b", "--service"),
            ("--user a/b", "--user"),
            ("--user a --ttl 0s", "must be 1s at least"),
            ("--user a --ttl 999ms", "must be 1s at least"),
            ("--user a --ttl 9999999d", "year 10000"),
            (
                "--user a --jwt-audience roomcast-api",
                "--service instead of --user",
            ),
            ("--service é", "visible ASCII"),
        ] {
            let line = minted(args).unwrap_err();
            assert!(line.contains(words), "{args}: {line}");
        }
        let line = minted("--user a --jwt-secret=").unwrap_err();
        assert!(line.starts_with("--jwt-secret <hidden>: "), "{line}");
    }
}
