//! The configuration of Redis. A URL is parsed once, at startup; errors and debug output never contain its credentials.

use std::{fmt, str::FromStr};

use crate::limits::StoreLimits;

const DEFAULT_PORT: u16 = 6379;
const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// How to connect to Redis, and what to keep in it.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// The servers and the credentials.
    pub url: RedisUrl,
    /// The prefix of all keys and channels. Deployments that share a server need different prefixes. It must not contain
    /// `{` or `}`.
    pub prefix: String,
    /// What to keep, and for how long.
    pub limits: StoreLimits,
    /// How many replicas must have a write before its call succeeds; with fewer the call fails with
    /// [`crate::StoreError::Unavailable`]. 0: the primary is enough.
    pub replicas: u32,
}

/// The address of Redis, in one of these forms; `rediss` instead of `redis` means TLS:
/// - `redis://[user:password@]host[:port][/database]`
/// - `redis+cluster://[user:password@]host[:port],host[:port]…`
/// - `redis+sentinel://[user:password@]host[:port],host[:port]…/primary[/database]`: the credentials are those of
///   the primary. They are sent to sentinels too, and omitted where a sentinel denies them.
///
/// Special characters in user and password are percent-encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    pub(super) tls: bool,
    pub(super) credentials: Credentials,
    pub(super) topology: Topology,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topology {
    One {
        node: Node,
        database: i64,
    },
    Cluster {
        seeds: Vec<Node>,
    },
    Sentinel {
        sentinels: Vec<Node>,
        primary: String,
        database: i64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tls,
            credentials: _,
            topology,
        } = self;
        f.debug_struct("RedisUrl")
            .field("tls", tls)
            .field("topology", topology)
            .finish_non_exhaustive()
    }
}

/// Why a text is not a [`RedisUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// The scheme is not supported.
    #[error("must begin with redis://, rediss://, redis+cluster:// or redis+sentinel:// (rediss+… for TLS)")]
    Scheme,
    /// The percent-encoding of the user or the password is invalid.
    #[error("has a user or password that is not percent-encoded UTF-8")]
    Credentials,
    /// A host is missing or contains a character that no host contains.
    #[error("has no valid host: use host or host:port, and [::1] for an IPv6 address")]
    Host,
    /// A port is not a number from 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// There are several hosts, but the scheme is for one.
    #[error("contains several hosts: use redis+cluster:// or redis+sentinel://")]
    SeveralHosts,
    /// The database is not a number, or the URL of a cluster contains one.
    #[error("has a path that is not a database number: use /0 or no path, and no path for a cluster")]
    Database,
    /// The name of the primary is missing.
    #[error("has no name of a primary: add /NAME, as configured in the sentinels")]
    Primary,
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(RedisUrlError::Scheme)?;
        let (base, form) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return Err(RedisUrlError::Scheme),
        };
        // A password may contain a raw `@`, and a host cannot: the last one is the separator.
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (credentials.parse()?, rest),
            None => (Credentials::default(), rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let topology = match form {
            "" => {
                let [node] = <[Node; 1]>::try_from(nodes(hosts, DEFAULT_PORT)?)
                    .map_err(|_| RedisUrlError::SeveralHosts)?;
                Topology::One {
                    node,
                    database: database(path)?,
                }
            }
            "cluster" if path.is_empty() => Topology::Cluster {
                seeds: nodes(hosts, DEFAULT_PORT)?,
            },
            "cluster" => return Err(RedisUrlError::Database),
            "sentinel" => {
                let (primary, path) = path.split_once('/').unwrap_or((path, ""));
                if primary.is_empty() {
                    return Err(RedisUrlError::Primary);
                }
                Topology::Sentinel {
                    sentinels: nodes(hosts, DEFAULT_SENTINEL_PORT)?,
                    primary: primary.to_owned(),
                    database: database(path)?,
                }
            }
            _ => return Err(RedisUrlError::Scheme),
        };
        Ok(Self {
            tls,
            credentials,
            topology,
        })
    }
}

impl FromStr for Credentials {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (text, None),
        };
        let some = |text: &str| (!text.is_empty()).then(|| percent_decoded(text)).transpose();
        Ok(Self {
            user: some(user)?,
            password: password.map_or(Ok(None), some)?,
        })
    }
}

fn percent_decoded(text: &str) -> Result<String, RedisUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).ok_or(RedisUrlError::Credentials);
                let byte = digit(high)? * 16 + digit(low)?;
                bytes.push(u8::try_from(byte).map_err(|_| RedisUrlError::Credentials)?);
                tail
            }
            (b'%', _) => return Err(RedisUrlError::Credentials),
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| RedisUrlError::Credentials)
}

fn database(path: &str) -> Result<i64, RedisUrlError> {
    match path {
        "" => Ok(0),
        path => path
            .parse::<u16>()
            .map(i64::from)
            .map_err(|_| RedisUrlError::Database),
    }
}

fn nodes(hosts: &str, default_port: u16) -> Result<Vec<Node>, RedisUrlError> {
    hosts.split(',').map(|host| node(host, default_port)).collect()
}

fn node(text: &str, default_port: u16) -> Result<Node, RedisUrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(RedisUrlError::Host)?;
            (host, rest.strip_prefix(':').or((!rest.is_empty()).then_some("")))
        }
        None => text
            .split_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
    if host.is_empty() || !host.chars().all(allowed) {
        return Err(RedisUrlError::Host);
    }
    let port = match port {
        None => default_port,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or(RedisUrlError::Port)?,
    };
    Ok(Node {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<RedisUrl, RedisUrlError> {
        text.parse()
    }

    fn node(host: &str, port: u16) -> Node {
        Node {
            host: host.into(),
            port,
        }
    }

    #[test]
    fn every_form_is_parsed() {
        let one = parsed("rediss://me:p%40ss@[::1]:7000/2").unwrap();
        assert!(one.tls);
        let credentials = Credentials {
            user: Some("me".into()),
            password: Some("p@ss".into()),
        };
        assert!(one.credentials == credentials);
        assert_eq!(
            one.topology,
            Topology::One {
                node: node("::1", 7000),
                database: 2
            }
        );

        let cluster = parsed("redis+cluster://:secret@a:1,b").unwrap();
        let credentials = Credentials {
            user: None,
            password: Some("secret".into()),
        };
        assert!(cluster.credentials == credentials);
        assert_eq!(
            cluster.topology,
            Topology::Cluster {
                seeds: vec![node("a", 1), node("b", 6379)]
            }
        );

        let sentinel = parsed("redis+sentinel://a,b:5/main/3").unwrap().topology;
        let sentinels = vec![node("a", 26379), node("b", 5)];
        assert_eq!(
            sentinel,
            Topology::Sentinel {
                sentinels,
                primary: "main".into(),
                database: 3
            }
        );
    }

    #[test]
    fn each_error_has_its_reason() {
        for (text, error) in [
            ("localhost:6379", RedisUrlError::Scheme),
            ("http://a", RedisUrlError::Scheme),
            ("redis+x://a", RedisUrlError::Scheme),
            ("redis://", RedisUrlError::Host),
            ("redis://a b", RedisUrlError::Host),
            ("redis://a:0", RedisUrlError::Port),
            ("redis://a:x", RedisUrlError::Port),
            ("redis://[::1]x", RedisUrlError::Port),
            ("redis://a,b", RedisUrlError::SeveralHosts),
            ("redis://a/x", RedisUrlError::Database),
            ("redis+cluster://a/0", RedisUrlError::Database),
            ("redis+sentinel://a", RedisUrlError::Primary),
            ("redis://%zz@a", RedisUrlError::Credentials),
        ] {
            assert_eq!(parsed(text), Err(error), "{text}");
        }
    }

    #[test]
    fn neither_errors_nor_debug_output_contain_a_password() {
        let url = parsed("redis://me:hunter2@a").unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
        let error = parsed("redis://me:hunter2@").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
