//! The options of `dev`, and the values that are derived from several of them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use roomcast_auth::Clock;
use roomcast_edge::ApiToken;
use roomcast_runtime::config::{ConfigError, values};
use roomcast_store::{MemoryStore, RedisStore, RedisUrl, Store};

use super::{
    grpcurl::{Grpcurl, shell_quoted},
    local_addr::local_addr,
};
use crate::{
    options::{
        grpc::GrpcOptions, http::HttpOptions, link::LinkOptions, process::ProcessOptions, require_loopback,
        store::StoreOptions, users::UserOptions,
    },
    token::TokenMinter,
};

/// How long the service token of the edge of `dev` is valid.
const EDGE_TOKEN_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    pub(super) grpc: GrpcOptions,
    #[command(flatten)]
    pub(super) http: HttpOptions,
    #[command(flatten)]
    pub(super) users: UserOptions,
    /// URL of the Redis that keeps the state, in the forms of `roomcast control-plane`. Unset: the state is in memory
    #[arg(
        long,
        env = "ROOMCAST_REDIS_URL",
        value_name = "URL",
        help_heading = "Store",
        hide_env_values = true
    )]
    pub(super) redis_url: Option<RedisUrl>,
    #[command(flatten)]
    pub(super) store: StoreOptions,
    #[command(flatten)]
    pub(crate) link: LinkOptions,
    /// Address of the admin endpoints /livez, /readyz and /metrics
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:9100", value_parser = values::socket_addr, help_heading = "Process")]
    pub(super) admin_addr: SocketAddr,
}

impl Options {
    /// # Errors
    /// The options are valid one by one, but not together.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.users.uses_dev_secret() {
            let reason = "without --jwt-secret, users' tokens are signed with the published dev secret, which anyone can do";
            let insecure = self.process.insecure;
            require_loopback("--http-addr", self.http.http_addr, insecure, reason)?;
            require_loopback("--grpc-addr", self.grpc.grpc_addr, insecure, reason)?;
            require_loopback("--admin-addr", self.admin_addr, insecure, reason)?;
        }
        if self.http.outbound_limit < 2 * self.store.max_payload {
            let reason = "must be at least twice --max-payload";
            return Err(ConfigError::new(
                "--outbound-cap",
                self.http.outbound_limit,
                reason,
            ));
        }
        let (grpc, link) = (&self.grpc, &self.link);
        let has_service_token =
            grpc.api_jwt_secret.is_some() || link.api_token.is_some() || link.api_token_file.is_some();
        if let (Some(jwks), false) = (&grpc.api_jwks, has_service_token) {
            let reason = "the edge of `dev` also needs a service token: use --api-token or --api-token-file";
            return Err(ConfigError::new("--api-jwks", jwks, reason));
        }
        if let (Some(ca), None) = (&grpc.tls_client_ca, &link.tls_client_cert) {
            let reason = "the edge of `dev` also needs a client certificate: use --tls-client-cert and --tls-client-key";
            return Err(ConfigError::new("--tls-client-ca", ca.display(), reason));
        }
        Ok(())
    }

    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        Ok(match &self.redis_url {
            Some(url) => Arc::new(RedisStore::connect(self.store.redis(url.clone())?).await),
            None => {
                let clock = Clock::system();
                let now = move || clock.now_millis();
                Arc::new(MemoryStore::new(self.store.limits()?, rand::random::<u64>, now))
            }
        })
    }

    /// The minter of users' tokens. `None` without a secret, or if the claim of the user's id is not `sub`.
    pub(super) fn minter(&self) -> Option<TokenMinter> {
        let secret = self.users.jwt_secret.clone()?;
        (self.users.jwt_user_claim == "sub").then(|| TokenMinter {
            secret,
            issuer: self.users.jwt_issuer.clone(),
            audience: self.users.jwt_audience.clone(),
        })
    }

    /// The minter for the playground, which mints a token for every request: only with the published dev secret.
    pub(super) fn playground_minter(&self) -> Option<TokenMinter> {
        self.minter().filter(|_| self.users.uses_dev_secret())
    }

    /// A service token for the control plane of `dev`. `None` if it needs none, or if its keys cannot sign.
    pub(super) fn service_token(&self, ttl: Duration) -> Option<String> {
        let minter = TokenMinter {
            secret: self.grpc.api_jwt_secret.clone()?,
            issuer: None,
            audience: None,
        };
        Some(minter.service_token("roomcast-dev", ttl))
    }

    /// The token that the edge of `dev` sends to the control plane.
    pub(super) fn api_token(&self) -> Result<Option<ApiToken>, ConfigError> {
        let given = self.link.token()?;
        Ok(given.or_else(|| self.service_token(EDGE_TOKEN_TTL).map(ApiToken::Fixed)))
    }

    /// The address of the control plane for the edge of `dev`.
    pub(super) fn control_plane(&self, grpc: SocketAddr) -> Result<http::Uri, ConfigError> {
        let scheme = if self.grpc.tls_cert.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.grpc_host(grpc))
            .parse()
            .map_err(|error| ConfigError::new("--grpc-addr", grpc, error))
    }

    /// `HOST:PORT` of the control plane on this machine. With TLS, the host is `localhost`, because certificates are issued
    /// for names.
    fn grpc_host(&self, grpc: SocketAddr) -> String {
        match self.grpc.tls_cert {
            Some(_) => format!("localhost:{}", grpc.port()),
            None => local_addr(grpc).to_string(),
        }
    }

    /// How grpcurl calls the control plane. `token` is a service token or a shell variable that contains one; if it is
    /// empty, the variable is `$API_TOKEN`.
    pub(super) fn grpcurl(&self, grpc: SocketAddr, token: &str) -> Grpcurl {
        let mut options = Vec::new();
        if self.grpc.tls_cert.is_none() {
            options.push("-plaintext".to_owned());
        } else {
            let (ca, cert, key) = (
                &self.link.tls_ca,
                &self.link.tls_client_cert,
                &self.link.tls_client_key,
            );
            for (flag, path) in [("-cacert", ca), ("-cert", cert), ("-key", key)] {
                if let Some(path) = path {
                    options.push(format!("{flag} {}", shell_quoted(&path.display().to_string())));
                }
            }
        }
        if self.grpc.api_jwt_secret.is_some() || self.grpc.api_jwks.is_some() {
            let token = if token.is_empty() { "$API_TOKEN" } else { token };
            options.push(format!("-H \"authorization: Bearer {token}\""));
        }
        Grpcurl {
            options: options.join(" "),
            address: self.grpc_host(grpc),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        dev: Options,
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn options(args: &str) -> Options {
        let args = ["dev"].into_iter().chain(args.split_whitespace());
        let mut options = TestCli::try_parse_from(args).unwrap().dev;
        options.users.default_to_dev_secret();
        options
    }

    fn error_of(args: &str) -> String {
        let options = options(args);
        let checked = options
            .check()
            .and_then(|()| options.grpc.config(&options.process).map(drop));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn with_the_dev_secret_every_address_must_be_loopback() {
        let reason = "without --jwt-secret, users' tokens are signed with the published dev secret, which anyone can do; \
                      use a loopback address or --insecure";
        for flag in ["--http-addr", "--grpc-addr", "--admin-addr"] {
            let line = error_of(&format!("{flag} 0.0.0.0:1"));
            assert_eq!(line, format!("{flag} \"0.0.0.0:1\": {reason}"));
            options(&format!("{flag} 0.0.0.0:1 --insecure")).check().unwrap();
        }
        options(&format!("--admin-addr 0.0.0.0:1 --jwt-secret {SECRET}"))
            .check()
            .unwrap();
        options(&format!("--http-addr 0.0.0.0:1 --jwt-secret {SECRET}"))
            .check()
            .unwrap();
    }

    #[test]
    fn callers_on_other_machines_need_tokens_or_certificates() {
        let keys = format!("--jwt-secret {SECRET} --grpc-addr [::]:1");
        assert_eq!(
            error_of(&keys),
            "--grpc-addr \"[::]:1\": callers need neither service tokens (--api-jwt-secret, --api-jwks) nor client \
             certificates (--tls-client-ca); use a loopback address or --insecure"
        );
        let valid = options(&format!("{keys} --api-jwt-secret {SECRET}"));
        valid.check().unwrap();
        valid.grpc.config(&valid.process).unwrap();
    }

    #[test]
    fn options_that_do_not_work_together_are_errors() {
        for (args, line_start) in [
            (
                "--api-jwks keys.json",
                "--api-jwks \"keys.json\": the edge of `dev`",
            ),
            (
                "--tls-client-ca ca.pem",
                "--tls-client-ca \"ca.pem\": the edge of `dev`",
            ),
            (
                "--outbound-cap 128KiB --max-payload 65KiB",
                "--outbound-cap \"131072\": must be at least twice",
            ),
            ("--log-retention 31d", ""),
        ] {
            if line_start.is_empty() {
                let line = options(args).store.limits().unwrap_err().to_string();
                assert_eq!(
                    line,
                    "--state-retention \"2592000000ms\": must not be shorter than --log-retention"
                );
            } else {
                let line = error_of(args);
                assert!(line.starts_with(line_start), "{line}");
            }
        }
        assert_eq!(
            error_of("--tls-cert cert.pem"),
            "--tls-cert \"cert.pem\": requires --tls-key"
        );
    }

    #[test]
    fn the_playground_mints_only_with_the_published_secret() {
        assert!(options("").playground_minter().is_some());
        let own = options(&format!("--jwt-secret {SECRET}"));
        assert!(own.playground_minter().is_none() && own.minter().is_some());
        assert!(options("--jwt-user-claim uid").minter().is_none());
        assert!(options("--jwks keys.json").minter().is_none());
    }

    #[test]
    fn the_printed_call_has_the_options_that_the_control_plane_requires() {
        let grpc = "0.0.0.0:7".parse().unwrap();
        let call = options("").grpcurl(grpc, "");
        assert_eq!(
            (call.options.as_str(), call.address.as_str()),
            ("-plaintext", "127.0.0.1:7")
        );
        let secured = options(&format!("--api-jwt-secret {SECRET} --tls-cert c --tls-ca my/ca"));
        let call = secured.grpcurl(grpc, "a.b.c");
        assert_eq!(call.options, "-cacert my/ca -H \"authorization: Bearer a.b.c\"");
        assert_eq!(call.address, "localhost:7");
        assert_eq!(secured.control_plane(grpc).unwrap(), "https://localhost:7/");
        assert_eq!(options("").control_plane(grpc).unwrap(), "http://127.0.0.1:7/");
    }
}
