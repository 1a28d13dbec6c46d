//! `roomcast dev`: a control plane and an edge in one process, joined by the real link.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use roomcast_auth::{Clock, MintClaims, SERVICE_AUDIENCE, mint};
use roomcast_core::Millis;
use roomcast_edge::{ApiToken, Config, Origins};
use roomcast_runtime::{
    clock,
    config::{ConfigError, values},
};
use roomcast_store::{MemoryStore, RedisStore, RedisUrl, Store};

use crate::{
    control_plane, edge,
    options::{
        grpc::GrpcOptions, http::HttpOptions, link::LinkOptions, only_loopback, process::ProcessOptions,
        store::StoreOptions, users::UserOptions,
    },
    page::{self, UserMint},
    process::{Process, Started, listen},
};

/// How long what is printed waits for the edge to be attached.
const READY_WAIT: Duration = Duration::from_secs(3);
/// How long the printed token is good.
const TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) process: ProcessOptions,
    #[command(flatten)]
    grpc: GrpcOptions,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    users: UserOptions,
    /// Keep the state in this Redis instead of in memory; the forms are those of `control-plane`
    #[arg(
        long,
        env = "ROOMCAST_REDIS_URL",
        value_name = "URL",
        help_heading = "Store",
        hide_env_values = true
    )]
    redis_url: Option<RedisUrl>,
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    link: LinkOptions,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, env = "ROOMCAST_ADMIN_ADDR", default_value = "127.0.0.1:9100", value_parser = values::socket_addr, help_heading = "Process")]
    admin_addr: SocketAddr,
}

pub(crate) async fn start(mut options: Options, mut process: Process) -> Result<Started, ConfigError> {
    options.users.or_dev_secret();
    options.check_addresses()?;
    let control_plane = options.grpc.config(&options.process)?;
    let mint = options.users.jwt_secret.clone().map(|secret| UserMint {
        secret,
        issuer: options.users.jwt_issuer.clone(),
        audience: options.users.jwt_audience.clone(),
    });
    let mut config = Config {
        control_planes: Vec::new(),
        api_token: options.api_token()?,
        tls: options.link.tls()?,
        origins: options.http.origins(Origins::Any),
        verifier: options.users.verifier()?,
        page: None,
        limits: options.http.limits(),
        drain: options.http.drain(options.process.drain_timeout),
    };
    let store = options.store().await?;

    let (grpc_listener, grpc) = listen("--grpc-addr", options.grpc.grpc_addr).await?;
    let (http_listener, http) = listen("--http-addr", options.http.http_addr).await?;
    let (admin_listener, admin) = listen("--admin-addr", options.admin_addr).await?;
    control_plane::serve(control_plane, store, grpc_listener, &mut process);
    config.control_planes = vec![options.own_control_plane(grpc)?];
    config.page = Some(page::router(mint.clone(), grpc));
    edge::serve(config, http_listener, &mut process);
    let readiness = process.readiness.clone();
    process.serve_admin(admin_listener);

    // Not ready in time, with a Redis that is away for example: what is printed holds all the same.
    let _late = tokio::time::timeout(READY_WAIT, readiness.ready()).await;
    Ok(Started {
        text: options.text(grpc, http, admin, mint.as_ref()),
    })
}

impl Options {
    fn check_addresses(&self) -> Result<(), ConfigError> {
        if !self.users.uses_dev_secret() {
            return Ok(());
        }
        let reason = "everybody knows the dev secret, which signs users' tokens without --jwt-secret";
        let insecure = self.process.insecure;
        only_loopback("--http-addr", self.http.http_addr, insecure, reason)?;
        only_loopback("--grpc-addr", self.grpc.grpc_addr, insecure, reason)?;
        only_loopback("--admin-addr", self.admin_addr, insecure, reason)
    }

    async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        Ok(match &self.redis_url {
            Some(url) => Arc::new(RedisStore::connect(self.store.redis(url.clone())?).await),
            None => {
                let now = || Millis::try_from(clock::now_millis()).unwrap_or(Millis::MAX);
                Arc::new(MemoryStore::new(self.store.bounds()?, rand::random::<u64>, now))
            }
        })
    }

    /// What the own edge shows to the own control plane.
    fn api_token(&self) -> Result<Option<ApiToken>, ConfigError> {
        if let Some(token) = self.link.token()? {
            return Ok(Some(token));
        }
        Ok(self.grpc.api_jwt_secret.as_ref().map(|secret| {
            let claims = MintClaims {
                subject: "roomcast-dev-edge".to_owned(),
                audience: Some(SERVICE_AUDIENCE.to_owned()),
                issuer: None,
                issued_at: Clock::system().now(),
                ttl: Duration::from_secs(365 * 24 * 3600),
            };
            ApiToken::Fixed(mint(secret.as_bytes(), &claims))
        }))
    }

    /// How the own edge reaches the own control plane.
    fn own_control_plane(&self, grpc: SocketAddr) -> Result<http::Uri, ConfigError> {
        let here = if grpc.ip().is_unspecified() {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), grpc.port())
        } else {
            grpc
        };
        let address = match self.grpc.tls_cert {
            // A certificate names a host.
            Some(_) => format!("https://localhost:{}", here.port()),
            None => format!("http://{here}"),
        };
        address
            .parse()
            .map_err(|error| ConfigError::new("--grpc-addr", grpc, error))
    }

    fn text(&self, grpc: SocketAddr, http: SocketAddr, admin: SocketAddr, mint: Option<&UserMint>) -> String {
        let token = match mint {
            Some(mint) => mint.token("alice", TOKEN_TTL),
            None => "(made by whoever has the key)".to_owned(),
        };
        let state = if self.redis_url.is_some() {
            "in Redis"
        } else {
            "in memory, gone when this ends"
        };
        let session = r#"{"session":{"id":"demo","status":"scheduled","participants":{"list":[{"user_id":"alice","role":"ROLE_INTERVIEWER"},{"user_id":"bob","role":"ROLE_INTERVIEWEE"}]}}}"#;
        format!(
            "roomcast dev is ready (state {state})\n\
             \n\
             page    http://{http}/\n\
             http    {http}\n\
             grpc    {grpc}\n\
             admin   {admin}\n\
             \n\
             A browser's token, of user alice, good for a day:\n\
             token   {token}\n\
             \n\
             A session for alice and bob, by grpcurl:\n\
             grpcurl -plaintext -d '{session}' {grpc} roomcast.v1.SessionService/PublishSessionUpdate\n"
        )
    }
}
