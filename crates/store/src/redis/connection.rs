//! Connections to Redis in each of its topologies, checked before they are given out: a server that is too old, or
//! that is no primary, is as good as none.

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

use super::config::{Credentials, Node, RedisUrl, Topology};

/// How long one connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one answer may take.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long it may take to be connected, with all that belongs to it.
const OPEN_TIMEOUT: Duration = Duration::from_secs(4);
/// The first version with functions and sharded channels.
const OLDEST_MAJOR: u32 = 7;

/// A connection to a primary, or to the primaries of a cluster. Clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Where pushed messages go; must not block. Commands' connections have none.
pub(super) trait Pushes: Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static {}
impl<F: Fn(PushInfo) -> Result<(), ()> + Send + Sync + Clone + 'static> Pushes for F {}

/// Connects. The error is one line, without credentials.
pub(super) async fn open<P: Pushes>(url: &RedisUrl, pushes: Option<P>) -> Result<Connection, String> {
    within(OPEN_TIMEOUT, async {
        let mut connection = connect(url, pushes).await?;
        let version = connection
            .run_anywhere(redis::cmd("INFO").arg("server"))
            .await
            .map_err(line)?;
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
                // The library would repeat what may have been done already: whether to is our own decision.
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
            let connection = client.build().map_err(line)?.get_async_connection().await;
            connection.map(Connection::Cluster).map_err(line)
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
        .map_err(line)
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

/// Asks one sentinel after the other, since each may be away or not know.
async fn find_primary(url: &RedisUrl, sentinels: &[Node], name: &str) -> Result<Node, String> {
    let mut last = String::from("no sentinel answered");
    for sentinel in sentinels {
        match ask_sentinel(url, sentinel, name).await {
            Ok(Some((host, port))) => return Ok(Node { host, port }),
            Ok(None) => last = format!("the sentinels know no primary named {name}"),
            Err(error) => last = format!("no sentinel answered: {}", line(error)),
        }
    }
    Err(last)
}

async fn ask_sentinel(url: &RedisUrl, sentinel: &Node, name: &str) -> RedisResult<Option<(String, u16)>> {
    let nobody = || login(&Credentials::default());
    let none = None::<fn(PushInfo) -> Result<(), ()>>;
    let connected = match connect_node(url, sentinel, login(&url.credentials), none).await {
        // Sentinels often want no credentials where the primary does, and then refuse any user that they do not know.
        Err(error) if is_refused_login(&error) => connect_node(url, sentinel, nobody(), none).await,
        other => other,
    };
    redis::cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(name)
        .query_async(&mut connected?)
        .await
}

/// `HELLO`, which logs in with RESP3, says it with a code of the server's.
fn is_refused_login(error: &RedisError) -> bool {
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
    /// Runs a command where its keys are, or on every primary where it is one of those.
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

    /// Whether it is still a connection to a primary; of a cluster, to some node.
    pub(super) async fn check(&mut self) -> Result<(), String> {
        within(RESPONSE_TIMEOUT, async {
            match self {
                Self::Cluster(_) => self
                    .run_anywhere(&redis::cmd("PING"))
                    .await
                    .map(drop)
                    .map_err(line),
                Self::One(connection) => {
                    let role: Vec<Value> = redis::cmd("ROLE").query_async(connection).await.map_err(line)?;
                    match role.first() {
                        Some(Value::BulkString(role)) if role == b"master" => Ok(()),
                        _ => Err("the server is a replica, not the primary".into()),
                    }
                }
            }
        })
        .await
    }

    /// Whether every node that hints may come from is there.
    pub(super) async fn check_all(&mut self) -> Result<(), String> {
        match self {
            Self::One(_) => self.check().await,
            Self::Cluster(_) => {
                within(RESPONSE_TIMEOUT, async {
                    self.run(&redis::cmd("PING")).await.map(drop).map_err(line)
                })
                .await
            }
        }
    }

    /// Listens to the channels. The answer says for each whether that went well, since those of a cluster are on
    /// several nodes.
    pub(super) async fn listen(&mut self, channels: &[String]) -> Vec<bool> {
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

    /// Listens to the channels no more.
    pub(super) async fn leave(&mut self, channels: &[String]) -> bool {
        match self {
            Self::One(connection) => send_all(connection, "SUNSUBSCRIBE", channels).await,
            Self::Cluster(connection) => {
                let each = channels.iter().map(|channel| {
                    let mut connection = connection.clone();
                    async move { connection.sunsubscribe(channel).await.is_ok() }
                });
                join_all(each).await.into_iter().all(|left| left)
            }
        }
    }
}

/// One write with a command for each channel, since one command for all would have as many answers as channels.
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
        .unwrap_or_else(|_| Err("the server does not answer".into()))
}

fn check_version(info: Value) -> Result<(), String> {
    let info: String = redis::from_redis_value(info).map_err(line)?;
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
            "the server's version is {version}: Redis {OLDEST_MAJOR} or newer is needed"
        )),
    }
}

/// An error as one line.
pub(super) fn line(error: impl ToString) -> String {
    error
        .to_string()
        .split(['\r', '\n'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_named_as_that() {
        let info =
            |version: &str| Value::BulkString(format!("# Server\r\nredis_version:{version}\r\n").into());
        assert_eq!(check_version(info("7.0.0")), Ok(()));
        assert_eq!(check_version(info("10.1.0")), Ok(()));
        let error = "the server's version is 6.2.14: Redis 7 or newer is needed";
        assert_eq!(check_version(info("6.2.14")), Err(error.into()));
        assert!(check_version(Value::Nil).is_err());
    }
}
