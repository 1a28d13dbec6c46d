//! A real redis-server for one test.

use std::{
    net::{SocketAddr, TcpListener},
    process::Stdio,
};

use tokio::process::{Child, Command};

use crate::{TempDir, eventually, process::signal, within};

/// A redis-server on a port of its own; killed on drop.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    child: Child,
    durable: bool,
}

impl Redis {
    /// Starts a server without persistence.
    pub async fn start() -> Self {
        Self::with(false).await
    }

    /// Starts a server that persists every write.
    pub async fn durable() -> Self {
        Self::with(true).await
    }

    async fn with(durable: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let folder = TempDir::new();
        let child = spawn(&folder, port, durable);
        let it = Self {
            folder,
            port,
            child,
            durable,
        };
        it.accepts_commands().await;
        it
    }

    /// The address on which it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The value of `--redis-url` for it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Starts the server again after a kill, on the same port and with the same persistence.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.folder, self.port, self.durable);
        self.accepts_commands().await;
    }

    /// Sends a signal by its name, such as `STOP`.
    ///
    /// # Panics
    /// If the server has ended.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Runs a Redis command; returns the reply as text.
    ///
    /// # Panics
    /// If redis-cli is not installed.
    pub async fn command(&self, command: &str) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port])
            .args(command.split_whitespace())
            .output();
        let output = within("a reply of Redis", output).await.expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn accepts_commands(&self) {
        let port = self.port.to_string();
        eventually("a Redis that accepts commands", || {
            let ping = Command::new("redis-cli").args(["-p", &port, "ping"]).output();
            async move {
                ping.await
                    .is_ok_and(|output| output.stdout.starts_with(b"PONG"))
                    .then_some(())
            }
        })
        .await;
    }
}

fn spawn(folder: &TempDir, port: u16, durable: bool) -> Child {
    let (port, kept) = (port.to_string(), if durable { "yes" } else { "no" });
    Command::new("redis-server")
        .args([
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            kept,
            "--appendfsync",
            "always",
        ])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server 7 or newer is installed")
}
