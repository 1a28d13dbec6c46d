//! Real Redis servers for tests, found on the PATH, on free ports of this machine, gone when dropped.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use redis::aio::MultiplexedConnection;

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
        let _left_behind = std::fs::remove_dir_all(&self.folder);
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
        // Somebody else may take a free port before the server does.
        for _ in 0..10 {
            server.port = free_port();
            if server.spawn() {
                return server;
            }
        }
        panic!("redis-server does not start: run it with the same options to see why");
    }

    /// Whether it runs and accepts connections.
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
            let _ended = child.wait();
        }
        running
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _already_gone = child.kill();
            let _status = child.wait();
        }
    }

    /// Starts it again where it was, without data.
    pub(crate) fn restart(&mut self) {
        assert!(self.spawn(), "redis-server must start again");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own.
    pub(crate) async fn admin(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) async fn run(&self, command: &str) -> redis::Value {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut self.admin().await).await.unwrap()
    }
}

/// Low enough that a cluster's second port, 10,000 higher, is one too.
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
            "--cluster-node-timeout",
            "2000",
        ];
        let nodes: Vec<Server> = SLOTS.iter().map(|_| Server::start_with(&options)).collect();
        for (n, (node, slots)) in nodes.iter().zip(SLOTS).enumerate() {
            node.run(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
            node.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", n + 1)).await;
            node.run(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port))
                .await;
        }
        let cluster = Self { nodes };
        while !cluster.is_whole().await {
            // Nodes gossip in their own time, and tell nobody when they are done.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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
