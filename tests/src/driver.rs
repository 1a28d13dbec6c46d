//! A process of stock Socket.IO clients (`tests/drivers`), driven by JSON lines.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
};

use crate::within;

/// The limit of one socket's unread reports; a report above it is dropped. No test reaches it.
const REPORTS: usize = 200_000;
/// The limit of unwritten commands; a caller waits while the queue is full.
const COMMANDS: usize = 10_000;

/// Which stock client a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// socket.io-client 4.8
    Js48,
    /// socket.io-client 4.6
    Js46,
    /// python-socketio
    Python,
}

/// A running driver process. It ends with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Driver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    commands: mpsc::Sender<String>,
    shared: Arc<Shared>,
    next: AtomicU64,
    _child: Mutex<Child>,
}

#[derive(Debug, Default)]
struct Shared {
    responses: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    reports: Mutex<HashMap<String, mpsc::Sender<Value>>>,
}

impl Driver {
    /// Starts a process.
    pub(crate) fn start(client: Client) -> Self {
        let drivers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("drivers");
        let (program, script) = match client {
            Client::Js48 | Client::Js46 => ("node".to_owned(), drivers.join("node/browser.mjs")),
            Client::Python => {
                let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
                (program, drivers.join("python/browser.py"))
            }
        };
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the drivers are installed: see tests/run");
        let (commands, lines) = mpsc::channel(COMMANDS);
        let shared = Arc::new(Shared::default());
        // Both tasks end with the process, whose pipes they hold.
        tokio::spawn(write(child.stdin.take().expect("piped"), lines));
        tokio::spawn(read(child.stdout.take().expect("piped"), shared.clone()));
        Self(Arc::new(Inner {
            client,
            commands,
            shared,
            next: AtomicU64::new(1),
            _child: Mutex::new(child),
        }))
    }

    pub(crate) fn client(&self) -> Client {
        self.0.client
    }

    /// A number that this process has not used yet.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a command and waits for its response.
    ///
    /// # Panics
    /// If the process ended or does not respond.
    pub(crate) async fn command(&self, mut command: Value) -> Value {
        let seq = self.next_number();
        let (sender, response) = oneshot::channel();
        let previous = self
            .0
            .shared
            .responses
            .lock()
            .expect("no panic")
            .insert(seq, sender);
        assert!(previous.is_none(), "command {seq} was sent twice");
        command["seq"] = seq.into();
        self.0
            .commands
            .send(command.to_string())
            .await
            .expect("the driver process is running");
        within("a response of the driver process", response)
            .await
            .expect("the driver process is running")
    }

    /// The reports of one socket from now on, in order.
    pub(crate) fn reports_of(&self, id: &str) -> mpsc::Receiver<Value> {
        let (sender, reports) = mpsc::channel(REPORTS);
        self.0
            .shared
            .reports
            .lock()
            .expect("no panic")
            .insert(id.to_owned(), sender);
        reports
    }
}

async fn write(mut to: ChildStdin, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        if to.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(from: ChildStdout, shared: Arc<Shared>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if let Some(seq) = line["seq"].as_u64() {
            let response = shared.responses.lock().expect("no panic").remove(&seq);
            let _ = response.map(|response| response.send(line)); // the caller may have timed out
        } else if let Some(id) = line["id"].as_str() {
            let reports = shared.reports.lock().expect("no panic").get(id).cloned();
            let _ = reports.map(|reports| reports.try_send(line)); // the test may have dropped the socket
        }
    }
    shared.reports.lock().expect("no panic").clear();
}
