//! Real Redis servers for tests, from the PATH, on free ports of this machine. Dropping one stops it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;

use super::{acl, eventually};

/// One server, without persistence.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    options: Vec<String>,
    child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder); // a folder that remains does no harm
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let options = [&["--save", "", "--appendonly", "no"], options].concat();
        Self::start_configured("", &options)
    }

    pub(crate) fn start_replica(primary: &Self) -> Self {
        let port = primary.port.to_string();
        Self::start_with(&[
            "--replicaof",
            "127.0.0.1",
            &port,
            "--repl-diskless-sync-delay",
            "0",
        ])
    }

    /// A sentinel that watches one primary, named `main`.
    pub(crate) fn start_sentinel(primary: u16) -> Self {
        let config = format!(
            "sentinel monitor main 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 2000\n"
        );
        Self::start_configured(&config, &["--sentinel"])
    }

    fn start_configured(config: &str, options: &[&str]) -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let n = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("roomcast-redis-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("redis.conf"), format!("bind 127.0.0.1\n{config}")).unwrap();
        let options = options.iter().map(ToString::to_string).collect();
        let mut server = Self {
            port: 0,
            folder,
            options,
            child: None,
        };
        // Another process may take a free port before the server does.
        for _ in 0..10 {
            server.port = free_port();
            if server.spawn() {
                return server;
            }
        }
        panic!("redis-server does not start: run it with the same options to see why");
    }

    /// Starts the process, and returns whether it accepts connections.
    fn spawn(&mut self) -> bool {
        let port = self.port.to_string();
        let config = self.folder.join("redis.conf");
        let mut child = Command::new("redis-server")
            .arg(&config)
            .args(["--port", &port, "--dir"])
            .arg(&self.folder)
            .args(&self.options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server must be on the PATH: apt-get install redis-server");
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let ready =
            |line: &String| line.contains("Ready to accept connections") || line.contains("+monitor master");
        let running = lines.map_while(Result::ok).any(|line| ready(&line));
        if running {
            self.child = Some(child);
        } else {
            let _ = child.wait(); // the process ended by itself; its status says nothing more
        }
        running
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // it may have ended already
            let _ = child.wait(); // its status is that of the signal
        }
    }

    /// Starts it again on the same port, without data.
    pub(crate) fn restart(&mut self) {
        assert!(self.spawn(), "redis-server must start again");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection with all rights.
    pub(crate) async fn admin(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) async fn run(&self, command: &str) -> redis::Value {
        let mut command_line = redis::Cmd::new();
        command_line.arg(command.split(' ').collect::<Vec<_>>());
        command_line.query_async(&mut self.admin().await).await.unwrap()
    }
}

/// A port low enough that the second port of a cluster's node, 10,000 higher, is valid too.
fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        if port < 55_000 {
            return port;
        }
    }
}

/// A cluster of three primaries.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        const SLOTS: [&str; 3] = ["0 5460", "5461 10922", "10923 16383"];
        let options = [
            "--save",
            "",
            "--cluster-enabled",
            "yes",
            // Nodes must not take a busy machine for a failure.
            "--cluster-node-timeout",
            "60000",
        ];
        let nodes: Vec<Server> = SLOTS.iter().map(|_| Server::start_with(&options)).collect();
        for (n, (node, slots)) in nodes.iter().zip(SLOTS).enumerate() {
            node.run(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
            node.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", n + 1)).await;
            node.run(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port))
                .await;
        }
        let cluster = Self { nodes };
        eventually("each node knows the whole cluster", async || {
            cluster.is_whole().await.then_some(())
        })
        .await;
        cluster
    }

    /// One cluster for all tests that run at the same time, because starting one takes seconds. It has the documented
    /// user. The tests need different prefixes.
    pub(crate) async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::start().await);
        for node in &cluster.nodes {
            acl::add_documented_user(node).await;
        }
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    async fn is_whole(&self) -> bool {
        for node in &self.nodes {
            let info = format!("{:?}", node.run("CLUSTER INFO").await);
            if !info.contains("cluster_state:ok") || !info.contains("cluster_known_nodes:3") {
                return false;
            }
        }
        true
    }

    pub(crate) fn url(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}
