//! The configuration of an edge.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use roomcast_core::limits::DEFAULT_SESSIONS_PER_SOCKET;
use roomcast_proto::link::MAX_ID_BYTES;

/// The configuration of an edge.
#[derive(Debug, Clone)]
pub struct Config {
    /// The edge's id, which is the same until the process ends.
    pub edge_id: EdgeId,
    /// The `http://` or `https://` addresses of control planes, at least one. One control plane feeds the edge at a time.
    pub control_planes: Vec<http::Uri>,
    /// How often, on average, the edge looks for a control plane that feeds fewer edges, and moves there.
    pub rebalance: Duration,
    /// The service token for control planes; unset: calls have no token.
    pub api_token: Option<ApiToken>,
    /// TLS for control planes.
    pub tls: ClientTls,
    /// The pages that may connect.
    pub origins: Origins,
    /// Verifies users' tokens.
    pub verifier: roomcast_auth::Verifier,
    /// Serves all paths but Socket.IO's; unset: they are 404.
    pub page: Option<axum::Router>,
    /// Limits for each socket, and for new connections.
    pub limits: Limits,
    /// How the edge drains.
    pub drain: Drain,
}

/// The id of an edge in the logs of both sides of the link and in `roomcast_build_info`: 1 to 128 visible ASCII
/// characters. It should differ from the ids of all other edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeId(String);

/// The text is not a valid [`EdgeId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_ID_BYTES} visible ASCII characters")]
pub struct InvalidEdgeId;

impl FromStr for EdgeId {
    type Err = InvalidEdgeId;
    fn from_str(text: &str) -> Result<Self, InvalidEdgeId> {
        let is_valid =
            (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidEdgeId)
    }
}

impl fmt::Display for EdgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EdgeId {
    /// A prefix, such as the host's name, and eight random hexadecimal digits. Characters of the prefix that are not
    /// allowed are left out, and a long prefix is shortened.
    #[must_use]
    pub fn with_random_suffix(prefix: &str) -> Self {
        let suffix = format!("-{:08x}", rand::random::<u32>());
        let allowed = prefix.chars().filter(char::is_ascii_graphic);
        let mut id: String = allowed.take(MAX_ID_BYTES - suffix.len()).collect();
        if id.is_empty() {
            id.push_str("edge");
        }
        id.push_str(&suffix);
        Self(id)
    }
}

/// A service token.
#[derive(Clone)]
pub enum ApiToken {
    /// The token itself.
    Fixed(String),
    /// A file that contains the token. It is read for every attachment, so that the token can be rotated.
    File(PathBuf),
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("Fixed(hidden)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// TLS for control planes whose address is `https://`.
#[derive(Clone, Default)]
pub struct ClientTls {
    /// The PEM certificates of the authorities to trust; unset: the system's authorities.
    pub ca: Option<Vec<u8>>,
    /// The edge's own PEM certificate chain and private key; unset: it has none.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ca, identity) = (self.ca.is_some(), self.identity.is_some());
        f.debug_struct("ClientTls")
            .field("ca", &ca)
            .field("identity", &identity)
            .finish()
    }
}

/// The pages that may connect. A request without an `Origin` header is not from a page, and may connect.
#[derive(Debug, Clone)]
pub enum Origins {
    /// Every page.
    Any,
    /// Pages of these origins (such as `https://app.example.com`), and of the edge's own host.
    Listed(Vec<String>),
}

/// Limits for each socket, and for new connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most sessions that a socket may be in at once.
    pub sessions_per_socket: usize,
    /// The most bytes that may be queued for a socket. Beyond it, its transport is closed, and the page resumes.
    pub outbound_bytes: usize,
    /// Whether events for WebSockets bypass socketioxide: they are then encoded once for all sockets.
    pub direct_path: bool,
    /// The transport of a browser that reads nothing for this long is closed.
    pub write_stall: Duration,
    /// The interval of Engine.IO's pings.
    pub ping_interval: Duration,
    /// How long a browser may take to respond to a ping, and how long it waits for a ping after the interval, before the
    /// connection counts as lost.
    pub ping_timeout: Duration,
    /// Events per second that a socket may send in the long run.
    pub event_rate: u32,
    /// Events that a socket may send at once.
    pub event_burst: u32,
    /// New connections per second to the whole edge. Further ones are rejected, and stock clients retry.
    pub connect_rate: u32,
}

impl Limits {
    /// The limits that apply without options.
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

/// How an edge drains: it closes transports at a limited rate, because their pages reconnect to other edges at once.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// Transports that are closed per second; more if the deadline requires it.
    pub sockets_per_second: u32,
    /// The last transport is closed by this time after the drain began.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_id_is_visible_ascii_of_limited_length() {
        let longest = "x".repeat(MAX_ID_BYTES);
        for valid in ["a", "edge-1.example", &longest] {
            assert_eq!(valid.parse::<EdgeId>().unwrap().to_string(), valid);
        }
        for invalid in ["", "a b", "é", "a\n", &format!("{longest}x")] {
            assert_eq!(invalid.parse::<EdgeId>(), Err(InvalidEdgeId), "{invalid:?}");
        }
    }

    #[test]
    fn a_generated_edge_id_is_valid_whatever_the_host_name_is() {
        for (host, start) in [("host", "host-"), ("", "edge-"), ("büro 1", "bro1-")] {
            let id = EdgeId::with_random_suffix(host).to_string();
            assert!(id.starts_with(start) && id.len() == start.len() + 8, "{id}");
        }
        let long = EdgeId::with_random_suffix(&"x".repeat(1_000)).to_string();
        assert_eq!(long.len(), MAX_ID_BYTES);
        long.parse::<EdgeId>().unwrap();
        assert_ne!(EdgeId::with_random_suffix("a"), EdgeId::with_random_suffix("a"));
    }
}
