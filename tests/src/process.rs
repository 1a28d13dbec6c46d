//! The built binary as a process.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::{eventually, http::get, within};

/// The built binary, which is in the parent folder of the tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    let path = tests.ancestors().nth(2).expect("target/…/deps").join("roomcast");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build` first",
        path.display()
    );
    path
}

fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(args)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command that ends by itself.
///
/// # Panics
/// If it does not end.
pub async fn roomcast(args: &[&str], variables: &[(&str, &str)]) -> Output {
    within("the exit of a command", command(args, variables).output())
        .await
        .expect("the binary starts")
}

/// A running command. A dropped process is killed, and fails the test if it logged an error.
#[derive(Debug)]
pub struct Process {
    args: Vec<String>,
    variables: Vec<(String, String)>,
    child: Child,
    addrs: HashMap<String, SocketAddr>,
    /// The text on standard output up to the last line of the start.
    pub stdout: String,
    log: Arc<Mutex<String>>,
    errors_expected: bool,
}

impl Process {
    /// Starts `dev` on free ports.
    pub async fn dev(more: &[&str]) -> Self {
        let args = [
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--http-addr",
            "127.0.0.1:0",
            "--admin-addr",
            "127.0.0.1:0",
        ];
        let dev = Self::start(&[&args, more].concat(), &[]).await;
        dev.ready().await;
        dev
    }

    /// Starts a control plane on free ports.
    pub async fn control_plane(redis: &str, more: &[&str]) -> Self {
        let args = [
            "control-plane",
            "--redis-url",
            redis,
            "--grpc-addr",
            "127.0.0.1:0",
            "--admin-addr",
            "127.0.0.1:0",
        ];
        Self::start(&[&args, more].concat(), &[]).await
    }

    /// Starts an edge on free ports, with the dev secret.
    pub async fn edge(control_planes: &[SocketAddr], more: &[&str]) -> Self {
        let urls: Vec<String> = control_planes
            .iter()
            .map(|addr| format!("http://{addr}"))
            .collect();
        let mut args = vec![
            "edge",
            "--http-addr",
            "127.0.0.1:0",
            "--admin-addr",
            "127.0.0.1:0",
            "--jwt-secret",
            roomcast_auth::DEV_SECRET,
        ];
        for url in &urls {
            args.extend(["--control-plane", url]);
        }
        Self::start(&[&args, more].concat(), &[]).await
    }

    /// Starts a command that keeps running, and waits until it has printed its addresses.
    ///
    /// # Panics
    /// If it ends before.
    pub async fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command(args, variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("piped");
        tokio::spawn(append(stderr, log.clone()));
        let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut stdout, mut addrs) = (String::new(), HashMap::new());
        let last = if args[0] == "dev" { "grpcurl " } else { "admin " };
        let started = within("the addresses of a command", async {
            while let Some(line) = out.next_line().await.expect("text") {
                stdout.push_str(&line);
                stdout.push('\n');
                if let Some((name, Ok(addr))) = line
                    .split_once(' ')
                    .map(|(name, addr)| (name, addr.trim().parse()))
                {
                    addrs.insert(name.to_owned(), addr);
                }
                if line.starts_with(last) {
                    return true;
                }
            }
            false
        })
        .await;
        assert!(started, "{args:?} ended: {}", log.lock().expect("no panic"));
        Self {
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            child,
            addrs,
            stdout,
            log,
            errors_expected: false,
        }
    }

    /// Ends the process by a signal, and starts it again.
    pub async fn restart(&mut self, signal: &str) {
        self.signal(signal);
        self.exited().await;
        self.start_again().await;
    }

    /// Starts the process again after its exit, on the same addresses.
    pub async fn start_again(&mut self) {
        let mut args = self.args.clone();
        for (flag, name) in [("--grpc-addr", "grpc"), ("--http-addr", "http")] {
            if let Some(at) = args.iter().position(|arg| arg == flag) {
                args[at + 1] = self.addr(name).to_string();
            }
        }
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let variables: Vec<_> = self
            .variables
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let mut restarted = Self::start(&args, &variables).await;
        restarted.errors_expected = self.errors_expected;
        *self = restarted;
    }

    /// From now on, log lines of level ERROR do not fail the test.
    pub fn expect_errors(&mut self) {
        self.errors_expected = true;
    }

    /// The address on which it listens for `grpc`, `http` or `admin`.
    ///
    /// # Panics
    /// If it does not listen for that.
    #[must_use]
    pub fn addr(&self, name: &str) -> SocketAddr {
        *self
            .addrs
            .get(name)
            .unwrap_or_else(|| panic!("{} has no {name}", self.args[0]))
    }

    /// The URL for browsers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr("http"))
    }

    /// The log so far.
    ///
    /// # Panics
    /// If the task that reads the log panicked.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Waits until `/readyz` returns 200.
    pub async fn ready(&self) {
        let admin = self.addr("admin");
        eventually("readiness", async || {
            (get(admin, "/readyz").await?.0 == 200).then_some(())
        })
        .await;
    }

    /// Waits until `/readyz` returns 503; returns the body, which gives the reasons.
    pub async fn not_ready(&self) -> String {
        let admin = self.addr("admin");
        eventually("unreadiness", async || {
            let (status, body) = get(admin, "/readyz").await?;
            (status == 503).then_some(body)
        })
        .await
    }

    /// The process id.
    ///
    /// # Panics
    /// If the process has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Sends a signal by its name, such as `TERM`.
    ///
    /// # Panics
    /// If the process has ended.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the exit of the process.
    pub async fn exited(&mut self) -> ExitStatus {
        within("the exit of a process", self.child.wait())
            .await
            .expect("waited for")
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "shown with the failure of the test")]
    fn drop(&mut self) {
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- log of {}\n{log}", self.args[0]);
        } else if !self.errors_expected {
            assert!(
                !log.contains(r#""level":"ERROR""#),
                "{} logged an error:\n{log}",
                self.args[0]
            );
        }
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it is running").to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", name, &pid])
        .status()
        .expect("kill");
    assert!(sent.success());
}

async fn append(from: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().expect("no panic");
        log.push_str(&line);
        log.push('\n');
    }
}
