//! What an edge is told at its start.

use std::{path::PathBuf, time::Duration};

use roomcast_core::limits::DEFAULT_SESSIONS_PER_SOCKET;

/// The configuration of an edge.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where control planes are: `http://` or `https://` addresses. One of them feeds the edge at a time.
    pub control_planes: Vec<http::Uri>,
    /// How often, on average, the edge looks whether another control plane feeds fewer edges, and goes there if so.
    pub rebalance: Duration,
    /// The service token that control planes ask for.
    pub api_token: Option<ApiToken>,
    /// TLS towards control planes.
    pub tls: ClientTls,
    /// Which pages may connect.
    pub origins: Origins,
    /// Verifies users' tokens.
    pub verifier: roomcast_auth::Verifier,
    /// Served beside Socket.IO; without it every other path is 404.
    pub page: Option<axum::Router>,
    /// StoreLimits for each socket.
    pub limits: Limits,
    /// How the edge ends.
    pub drain: Drain,
}

/// A service token.
#[derive(Clone)]
pub enum ApiToken {
    /// This one.
    Fixed(String),
    /// The content of this file, read again at every attachment, so that it can be rotated.
    File(PathBuf),
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("Fixed(hidden)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// TLS towards control planes whose address is `https://`.
#[derive(Clone, Default)]
pub struct ClientTls {
    /// PEM certificates to trust instead of the system's.
    pub ca: Option<Vec<u8>>,
    /// The edge's own PEM certificate and key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (ca, identity) = (self.ca.is_some(), self.identity.is_some());
        f.debug_struct("ClientTls")
            .field("ca", &ca)
            .field("identity", &identity)
            .finish()
    }
}

/// Which pages may connect. A request without an `Origin` header comes from no page and may.
#[derive(Debug, Clone)]
pub enum Origins {
    /// Every page.
    Any,
    /// Pages of these origins (such as `https://app.example.com`), and of the edge's own host.
    Listed(Vec<String>),
}

/// StoreLimits for each socket, and for the crowd.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sessions that it can be in at once.
    pub sessions_per_socket: usize,
    /// Bytes that wait for it at most; then its transport is closed and the page resumes.
    pub outbound_bytes: usize,
    /// Whether what is for a WebSocket goes past the Socket.IO library, in frames that are encoded once for all.
    pub direct_path: bool,
    /// How long a browser may take nothing before its transport is closed.
    pub write_stall: Duration,
    /// How often it is asked whether it is there.
    pub ping_interval: Duration,
    /// How long it may take to answer, and a browser to wait beyond the interval, before the other counts as gone.
    pub ping_timeout: Duration,
    /// Events a second that it may send in the long run.
    pub event_rate: u32,
    /// Events that it may send at once.
    pub event_burst: u32,
    /// New connections a second to the whole edge; the surplus is turned away, and comes back.
    pub connect_rate: u32,
}

impl Limits {
    /// What there is without any option.
    pub const DEFAULT: Self = Self {
        sessions_per_socket: DEFAULT_SESSIONS_PER_SOCKET,
        outbound_bytes: 1024 * 1024,
        direct_path: true,
        write_stall: Duration::from_secs(10),
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        event_rate: 200,
        event_burst: 4_000,
        connect_rate: 2_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How an edge ends: transports are closed at a pace, since their pages come back to other edges at once.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// Sockets closed in a second; faster where the deadline asks for it.
    pub sockets_per_second: u32,
    /// When the last one is closed.
    pub deadline: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            sockets_per_second: 500,
            deadline: Duration::from_secs(20),
        }
    }
}
