//! A real Redis of the test's own.

use std::{
    net::{SocketAddr, TcpListener},
    process::Stdio,
};

use tokio::process::{Child, Command};

use crate::{TempDir, eventually, process::signal, within};

/// A running redis-server.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    child: Child,
    durable: bool,
}

impl Redis {
    /// Starts one that forgets everything when it ends.
    pub async fn start() -> Self {
        Self::with(false).await
    }

    /// Starts one that keeps every write.
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
        it.answers().await;
        it
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its address as an option takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    ///
    /// # Panics
    /// Where it can't be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Starts it again after it was killed.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.folder, self.port, self.durable);
        self.answers().await;
    }

    /// Sends a signal by its name, such as `STOP`.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Says something to it, and what it answers.
    ///
    /// # Panics
    /// Where redis-cli is missing.
    pub async fn tell(&self, words: &str) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port])
            .args(words.split_whitespace())
            .output();
        let output = within("an answer of Redis", output).await.expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn answers(&self) {
        let port = self.port.to_string();
        eventually("a Redis that answers", || {
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
