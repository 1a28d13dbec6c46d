//! The options of `dev`, and what follows from several of them together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use roomcast_core::Millis;
use roomcast_edge::ApiToken;
use roomcast_runtime::{
    clock,
    config::{ConfigError, values},
};
use roomcast_store::{MemoryStore, RedisStore, RedisUrl, Store};

use crate::{
    options::{
        grpc::GrpcOptions, http::HttpOptions, link::LinkOptions, only_loopback, process::ProcessOptions,
        store::StoreOptions, users::UserOptions,
    },
    paste::{Grpcurl, reachable, shell_word},
    token::Minting,
};

/// How long the edge's own token is good.
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
    /// Keep the state in this Redis; the forms are those of `control-plane`; unset: in memory
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
    /// Where /livez, /readyz and /metrics are
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:9100", value_parser = values::socket_addr, help_heading = "Process")]
    pub(super) admin_addr: SocketAddr,
}

impl Options {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.users.uses_dev_secret() {
            let reason = "everybody knows the dev secret, which signs users' tokens without --jwt-secret";
            let insecure = self.process.insecure;
            only_loopback("--http-addr", self.http.http_addr, insecure, reason)?;
            only_loopback("--grpc-addr", self.grpc.grpc_addr, insecure, reason)?;
            only_loopback("--admin-addr", self.admin_addr, insecure, reason)?;
        }
        if self.http.outbound_cap < 2 * self.store.max_payload {
            let reason = "must be twice --max-payload at least";
            return Err(ConfigError::new("--outbound-cap", self.http.outbound_cap, reason));
        }
        let (grpc, link) = (&self.grpc, &self.link);
        let shows_token =
            grpc.api_jwt_secret.is_some() || link.api_token.is_some() || link.api_token_file.is_some();
        if let (Some(jwks), false) = (&grpc.api_jwks, shows_token) {
            let reason = "the edge of `dev` has to call, too: give --api-token or --api-token-file";
            return Err(ConfigError::new("--api-jwks", jwks, reason));
        }
        if let (Some(ca), None) = (&grpc.tls_client_ca, &link.tls_client_cert) {
            let reason = "the edge of `dev` has to connect, too: give --tls-client-cert and --tls-client-key";
            return Err(ConfigError::new("--tls-client-ca", ca.display(), reason));
        }
        Ok(())
    }

    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        Ok(match &self.redis_url {
            Some(url) => Arc::new(RedisStore::connect(self.store.redis(url.clone())?).await),
            None => {
                let now = || Millis::try_from(clock::now_millis()).unwrap_or(Millis::MAX);
                Arc::new(MemoryStore::new(self.store.bounds()?, rand::random::<u64>, now))
            }
        })
    }

    /// What signs users' tokens here: `None` without a secret, or where the user's id stands in a claim of its own.
    pub(super) fn minting(&self) -> Option<Minting> {
        let secret = self.users.jwt_secret.clone()?;
        (self.users.jwt_user_claim == "sub").then(|| Minting {
            secret,
            issuer: self.users.jwt_issuer.clone(),
            audience: self.users.jwt_audience.clone(),
        })
    }

    /// The same for the page, which mints for whoever asks: never with a secret that somebody keeps.
    pub(super) fn page_minting(&self) -> Option<Minting> {
        self.minting().filter(|_| self.users.uses_dev_secret())
    }

    pub(super) fn service_token(&self, ttl: Duration) -> Option<String> {
        let minting = Minting {
            secret: self.grpc.api_jwt_secret.clone()?,
            issuer: None,
            audience: None,
        };
        Some(minting.service("roomcast-dev", ttl))
    }

    /// What the own edge shows to the own control plane.
    pub(super) fn api_token(&self) -> Result<Option<ApiToken>, ConfigError> {
        let given = self.link.token()?;
        Ok(given.or_else(|| self.service_token(EDGE_TOKEN_TTL).map(ApiToken::Fixed)))
    }

    /// How the own edge reaches the own control plane.
    pub(super) fn own_control_plane(&self, grpc: SocketAddr) -> Result<http::Uri, ConfigError> {
        let scheme = if self.grpc.tls_cert.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.grpc_host(grpc))
            .parse()
            .map_err(|error| ConfigError::new("--grpc-addr", grpc, error))
    }

    /// The control plane as this machine reaches it; certificates are made for names.
    pub(super) fn grpc_host(&self, grpc: SocketAddr) -> String {
        match self.grpc.tls_cert {
            Some(_) => format!("localhost:{}", grpc.port()),
            None => reachable(grpc).to_string(),
        }
    }

    /// How grpcurl reaches the control plane; `token` is a service token or, for a shell, a variable with one.
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
                    options.push(format!("{flag} {}", shell_word(&path.display().to_string())));
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
    struct Alone {
        #[command(flatten)]
        dev: Options,
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn options(args: &str) -> Options {
        let args = ["dev"].into_iter().chain(args.split_whitespace());
        let mut options = Alone::try_parse_from(args).unwrap().dev;
        options.users.or_dev_secret();
        options
    }

    fn refused(args: &str) -> String {
        let options = options(args);
        let checked = options
            .check()
            .and_then(|()| options.grpc.config(&options.process).map(drop));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn what_everybody_could_reach_with_the_dev_secret_is_refused() {
        let reason = "everybody knows the dev secret, which signs users' tokens without --jwt-secret; use a loopback \
                      address, or --insecure";
        for flag in ["--http-addr", "--grpc-addr", "--admin-addr"] {
            let line = refused(&format!("{flag} 0.0.0.0:1"));
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
    fn calls_from_other_machines_need_tokens_or_certificates() {
        let keys = format!("--jwt-secret {SECRET} --grpc-addr [::]:1");
        assert_eq!(
            refused(&keys),
            "--grpc-addr \"[::]:1\": calls need neither service tokens (--api-jwt-secret, --api-jwks) nor client \
             certificates (--tls-client-ca); use a loopback address, or --insecure"
        );
        let taken = options(&format!("{keys} --api-jwt-secret {SECRET}"));
        taken.check().unwrap();
        taken.grpc.config(&taken.process).unwrap();
    }

    #[test]
    fn what_the_edge_of_dev_cannot_do_is_refused() {
        for (args, start) in [
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
                "--outbound-cap \"131072\": must be twice",
            ),
            ("--log-retention 31d", ""),
        ] {
            if start.is_empty() {
                let line = options(args).store.bounds().unwrap_err().to_string();
                assert_eq!(
                    line,
                    "--state-retention \"2592000000ms\": is shorter than --log-retention"
                );
            } else {
                let line = refused(args);
                assert!(line.starts_with(start), "{line}");
            }
        }
        assert_eq!(
            refused("--tls-cert cert.pem"),
            "--tls-cert \"cert.pem\": needs --tls-key"
        );
    }

    #[test]
    fn the_page_mints_with_no_secret_but_the_published_one() {
        assert!(options("").page_minting().is_some());
        let own = options(&format!("--jwt-secret {SECRET}"));
        assert!(own.page_minting().is_none() && own.minting().is_some());
        assert!(options("--jwt-user-claim uid").minting().is_none());
        assert!(options("--jwks keys.json").minting().is_none());
    }

    #[test]
    fn the_printed_call_says_what_the_control_plane_asks_for() {
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
        assert_eq!(secured.own_control_plane(grpc).unwrap(), "https://localhost:7/");
        assert_eq!(
            options("").own_control_plane(grpc).unwrap(),
            "http://127.0.0.1:7/"
        );
    }
}
