//! The real binary, as a process.

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

/// The built binary, beside the tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("a path of our own");
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

/// Runs a command to its end.
///
/// # Panics
/// Where it does not end in time.
pub async fn roomcast(args: &[&str], variables: &[(&str, &str)]) -> Output {
    within("the end of a command", command(args, variables).output())
        .await
        .expect("it starts")
}

/// A running command.
#[derive(Debug)]
pub struct Process {
    args: Vec<String>,
    variables: Vec<(String, String)>,
    child: Child,
    addrs: HashMap<String, SocketAddr>,
    /// What it printed on standard output while it started.
    pub printed: String,
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

    /// Starts any command that runs, and waits until it says where it listens.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn start(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command(args, variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("piped");
        tokio::spawn(keep(stderr, log.clone()));
        let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut printed, mut addrs) = (String::new(), HashMap::new());
        let last = if args[0] == "dev" { "grpcurl " } else { "admin " };
        let said = within("where a command listens", async {
            while let Some(line) = out.next_line().await.expect("text") {
                printed.push_str(&line);
                printed.push('\n');
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
        assert!(said, "{args:?} ended: {}", log.lock().expect("no panic"));
        Self {
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            child,
            addrs,
            printed,
            log,
            errors_expected: false,
        }
    }

    /// Ends it by a signal, and starts it again.
    pub async fn restart(&mut self, signal: &str) {
        self.signal(signal);
        self.ended().await;
        self.again().await;
    }

    /// Starts it again after it ended, where it was, so that whoever knew its addresses finds it.
    pub async fn again(&mut self) {
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
        let mut again = Self::start(&args, &variables).await;
        again.errors_expected = self.errors_expected;
        *self = again;
    }

    /// Lines of level ERROR are no failure of the test.
    pub fn expect_errors(&mut self) {
        self.errors_expected = true;
    }

    /// Where it listens: `grpc`, `http` or `admin`.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn addr(&self, name: &str) -> SocketAddr {
        *self
            .addrs
            .get(name)
            .unwrap_or_else(|| panic!("{} has no {name}", self.args[0]))
    }

    /// Where browsers connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr("http"))
    }

    /// What it logged so far.
    ///
    /// # Panics
    /// Never, but for a panic elsewhere.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) {
        let admin = self.addr("admin");
        eventually("readiness", || async move {
            (get(admin, "/readyz").await?.0 == 200).then_some(())
        })
        .await;
    }

    /// Waits until it says that it is not ready, and why.
    pub async fn not_ready(&self) -> String {
        let admin = self.addr("admin");
        eventually("unreadiness", || async move {
            let (status, body) = get(admin, "/readyz").await?;
            (status == 503).then_some(body)
        })
        .await
    }

    /// Its process id.
    ///
    /// # Panics
    /// Where it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal by its name, such as `TERM`.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        within("the end of a process", self.child.wait())
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
    let pid = child.id().expect("it runs").to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", name, &pid])
        .status()
        .expect("kill");
    assert!(sent.success());
}

async fn keep(from: impl AsyncRead + Unpin, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().expect("no panic");
        log.push_str(&line);
        log.push('\n');
    }
}
