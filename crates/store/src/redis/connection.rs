//! Connections to Redis in each of its topologies. `open` returns only connections to servers that are new enough and
//! are primaries.

use std::{future::Future, time::Duration};

use futures_util::future::join_all;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    PushInfo, RedisConnectionInfo, RedisError, RedisResult, Value,
    aio::MultiplexedConnection,
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    cluster_routing::{RoutingInfo, SingleNodeRoutingInfo},
};

use super::{
    config::{Credentials, Node, RedisUrl, Topology},
    failure::one_line,
};

/// How long it may take to connect to one server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one response may take.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long `open` may take in total.
const OPEN_TIMEOUT: Duration = Duration::from_secs(4);
/// How often an idle connection is checked.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The first version with functions and sharded channels.
const OLDEST_MAJOR: u32 = 7;

/// A connection to a primary, or to the primaries of a cluster. Clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Receives pushed messages; must not block. A connection for commands has none.
pub(super) trait Pushes: Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static {}
impl<F: Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static> Pushes for F {}

/// Connects and checks the server. The error is one line, without credentials.
pub(super) async fn open<P: Pushes>(url: &RedisUrl, pushes: Option<P>) -> Result<Connection, String> {
    within(OPEN_TIMEOUT, async {
        let mut connection = connect(url, pushes).await?;
        let version = connection
            .run_anywhere(redis::cmd("INFO").arg("server"))
            .await
            .map_err(one_line)?;
        check_version(version)?;
        connection.check().await?;
        Ok(connection)
    })
    .await
}

async fn connect<P: Pushes>(url: &RedisUrl, pushes: Option<P>) -> Result<Connection, String> {
    match &url.topology {
        Topology::One { node, database } => connect_one(url, node, *database, pushes).await,
        Topology::Sentinel {
            sentinels,
            primary,
            database,
        } => {
            let node = find_primary(url, sentinels, primary).await?;
            connect_one(url, &node, *database, pushes).await
        }
        Topology::Cluster { seeds } => {
            let seeds = seeds.iter().map(|node| address(url, node)).collect::<Vec<_>>();
            let mut client = ClusterClientBuilder::new(seeds)
                .connection_timeout(CONNECT_TIMEOUT)
                .response_timeout(RESPONSE_TIMEOUT)
                // The redis crate would repeat commands that may have been executed. The store decides about retries.
                .retries(0)
                .use_protocol(ProtocolVersion::RESP3);
            if let Some(user) = &url.credentials.user {
                client = client.username(user);
            }
            if let Some(password) = &url.credentials.password {
                client = client.password(password);
            }
            if let Some(pushes) = pushes {
                client = client.push_sender(pushes);
            }
            let connection = client.build().map_err(one_line)?.get_async_connection().await;
            connection.map(Connection::Cluster).map_err(one_line)
        }
    }
}

async fn connect_one<P: Pushes>(
    url: &RedisUrl,
    node: &Node,
    database: i64,
    pushes: Option<P>,
) -> Result<Connection, String> {
    let login = login(&url.credentials).set_db(database);
    connect_node(url, node, login, pushes)
        .await
        .map(Connection::One)
        .map_err(one_line)
}

async fn connect_node<P: Pushes>(
    url: &RedisUrl,
    node: &Node,
    login: RedisConnectionInfo,
    pushes: Option<P>,
) -> RedisResult<MultiplexedConnection> {
    let target = address(url, node)
        .into_connection_info()?
        .set_redis_settings(login);
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    if let Some(pushes) = pushes {
        config = config.set_push_sender(pushes);
    }
    Client::open(target)?
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Queries one sentinel after the other, because each may be unreachable or not know the primary.
async fn find_primary(url: &RedisUrl, sentinels: &[Node], name: &str) -> Result<Node, String> {
    let mut last = String::from("no sentinel responded");
    for sentinel in sentinels {
        match query_sentinel(url, sentinel, name).await {
            Ok(Some((host, port))) => return Ok(Node { host, port }),
            Ok(None) => last = format!("the sentinels know no primary named {name}"),
            Err(error) => last = format!("no sentinel responded: {}", one_line(error)),
        }
    }
    Err(last)
}

async fn query_sentinel(url: &RedisUrl, sentinel: &Node, name: &str) -> RedisResult<Option<(String, u16)>> {
    let none = None::<fn(PushInfo) -> Result<(), ()>>;
    let connected = match connect_node(url, sentinel, login(&url.credentials), none).await {
        // Sentinels often need no credentials although the primary does. They deny a login of a user that they do not
        // know.
        Err(error) if is_denied_login(&error) => {
            let anonymous = login(&Credentials::default());
            connect_node(url, sentinel, anonymous, none).await
        }
        other => other,
    };
    redis::cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(name)
        .query_async(&mut connected?)
        .await
}

/// With RESP3, `HELLO` logs in, and the server's error has a code of its own.
fn is_denied_login(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS")
}

fn login(credentials: &Credentials) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    if let Some(user) = &credentials.user {
        login = login.set_username(user);
    }
    if let Some(password) = &credentials.password {
        login = login.set_password(password);
    }
    login
}

fn address(url: &RedisUrl, node: &Node) -> ConnectionAddr {
    let (host, port) = (node.host.clone(), node.port);
    match url.tls {
        false => ConnectionAddr::Tcp(host, port),
        true => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        },
    }
}

impl Connection {
    /// Runs a command on the node of its keys, or on every primary if it is a command such as `FUNCTION LOAD`.
    pub(super) async fn run(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    async fn run_anywhere(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => {
                let anywhere = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                connection
                    .route_command(command.clone(), anywhere)
                    .await?
                    .extract_error()
            }
        }
    }

    /// Checks that it is still a connection to a primary; for a cluster, to any node.
    pub(super) async fn check(&mut self) -> Result<(), String> {
        within(RESPONSE_TIMEOUT, async {
            match self {
                Self::Cluster(_) => self
                    .run_anywhere(&redis::cmd("PING"))
                    .await
                    .map(drop)
                    .map_err(one_line),
                Self::One(connection) => {
                    let role: Vec<Value> = redis::cmd("ROLE")
                        .query_async(connection)
                        .await
                        .map_err(one_line)?;
                    match role.first() {
                        Some(Value::BulkString(role)) if role == b"master" => Ok(()),
                        _ => Err("the server is a replica, not the primary".into()),
                    }
                }
            }
        })
        .await
    }

    /// Checks that every node that may send notifications is reachable.
    pub(super) async fn check_all(&mut self) -> Result<(), String> {
        match self {
            Self::One(_) => self.check().await,
            Self::Cluster(_) => {
                within(RESPONSE_TIMEOUT, async {
                    self.run(&redis::cmd("PING")).await.map(drop).map_err(one_line)
                })
                .await
            }
        }
    }

    /// Subscribes to the channels. The result contains the success of each, because the channels of a cluster are on
    /// several nodes.
    pub(super) async fn subscribe(&mut self, channels: &[String]) -> Vec<bool> {
        match self {
            Self::One(connection) => vec![send_all(connection, "SSUBSCRIBE", channels).await; channels.len()],
            Self::Cluster(connection) => {
                let each = channels.iter().map(|channel| {
                    let mut connection = connection.clone();
                    async move { connection.ssubscribe(channel).await.is_ok() }
                });
                join_all(each).await
            }
        }
    }

    /// Unsubscribes from the channels; returns whether all of it succeeded.
    pub(super) async fn unsubscribe(&mut self, channels: &[String]) -> bool {
        match self {
            Self::One(connection) => send_all(connection, "SUNSUBSCRIBE", channels).await,
            Self::Cluster(connection) => {
                let each = channels.iter().map(|channel| {
                    let mut connection = connection.clone();
                    async move { connection.sunsubscribe(channel).await.is_ok() }
                });
                join_all(each).await.into_iter().all(|ended| ended)
            }
        }
    }
}

/// One write with a command for each channel, because one command for all of them would have one response for each
/// channel.
async fn send_all(connection: &mut MultiplexedConnection, command: &str, channels: &[String]) -> bool {
    let mut batch = redis::pipe();
    channels.iter().for_each(|channel| {
        batch.cmd(command).arg(channel);
    });
    batch.query_async::<Value>(connection).await.is_ok()
}

async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(limit, step)
        .await
        .unwrap_or_else(|_| Err("the server does not respond".into()))
}

fn check_version(info: Value) -> Result<(), String> {
    let info: String = redis::from_redis_value(info).map_err(one_line)?;
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .unwrap_or("unknown")
        .trim();
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(OLDEST_MAJOR..) => Ok(()),
        _ => Err(format!(
            "the server's version is {version}: Redis {OLDEST_MAJOR} or newer is required"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_about_an_old_server_names_its_version() {
        let info =
            |version: &str| Value::BulkString(format!("# Server\r\nredis_version:{version}\r\n").into());
        assert_eq!(check_version(info("7.0.0")), Ok(()));
        assert_eq!(check_version(info("10.1.0")), Ok(()));
        let error = "the server's version is 6.2.14: Redis 7 or newer is required";
        assert_eq!(check_version(info("6.2.14")), Err(error.into()));
        assert!(check_version(Value::Nil).is_err());
    }
}
