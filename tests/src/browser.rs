//! Stock Socket.IO clients: the JavaScript one of two versions, and the Python one, each in a process that holds any
//! number of sockets (`tests/clients`).

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
};

use crate::within;

/// Reports of one socket that were not looked at; far more than any test has.
const REPORTS: usize = 200_000;

/// Which stock client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// socket.io-client 4.8
    Js48,
    /// socket.io-client 4.6
    Js46,
    /// python-socketio
    Python,
}

/// A process with sockets.
#[derive(Debug, Clone)]
pub struct Browsers(Arc<Inner>);

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
    answers: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    reports: Mutex<HashMap<String, mpsc::Sender<Value>>>,
}

impl Browsers {
    /// Starts a process.
    ///
    /// # Panics
    /// Where the clients are not installed.
    #[must_use]
    pub fn start(client: Client) -> Self {
        let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
        let (program, script) = match client {
            Client::Js48 | Client::Js46 => ("node".to_owned(), clients.join("node/browser.mjs")),
            Client::Python => {
                let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
                (program, clients.join("python/browser.py"))
            }
        };
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the clients are installed: see tests/run");
        let (commands, lines) = mpsc::channel(10_000);
        let shared = Arc::new(Shared::default());
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

    async fn command(&self, mut command: Value) -> Value {
        let seq = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.0
            .shared
            .answers
            .lock()
            .expect("no panic")
            .insert(seq, sender);
        command["seq"] = seq.into();
        self.0
            .commands
            .send(command.to_string())
            .await
            .expect("the clients' process lives");
        within("an answer of the clients' process", answer)
            .await
            .expect("the clients' process lives")
    }

    /// Opens a socket with a token.
    pub async fn open(&self, url: &str, token: &str) -> Browser {
        self.open_with(url, json!({ "token": token })).await
    }

    /// Opens a socket with options of the driver's `connect`.
    ///
    /// # Panics
    /// Where the process does not take it.
    pub async fn open_with(&self, url: &str, options: Value) -> Browser {
        let id = format!("socket{}", self.0.next.fetch_add(1, Ordering::Relaxed));
        let (sender, reports) = mpsc::channel(REPORTS);
        self.0
            .shared
            .reports
            .lock()
            .expect("no panic")
            .insert(id.clone(), sender);
        let mut command = options;
        command["cmd"] = "connect".into();
        command["id"] = id.clone().into();
        command["url"] = url.into();
        if self.0.client == Client::Js46 {
            command["client"] = "4.6".into();
        }
        let answer = self.command(command).await;
        assert_eq!(answer["ok"], true, "{answer}");
        Browser {
            browsers: self.clone(),
            id,
            reports,
            past: Vec::new(),
        }
    }

    /// Opens a socket and waits until it is connected.
    pub async fn connect(&self, url: &str, token: &str) -> Browser {
        let mut browser = self.open(url, token).await;
        browser.connected().await;
        browser
    }
}

/// One socket. What it reports is looked at in order.
#[derive(Debug)]
pub struct Browser {
    browsers: Browsers,
    id: String,
    reports: mpsc::Receiver<Value>,
    past: Vec<String>,
}

impl Browser {
    async fn report(&mut self, wanted: &str) -> Value {
        match tokio::time::timeout(crate::DEADLINE, self.reports.recv()).await {
            Ok(Some(report)) => {
                self.past.push(report.to_string());
                report
            }
            Ok(None) => panic!("the clients' process ended"),
            Err(_) => panic!("{} waits for {wanted}; it saw {:#?}", self.id, self.past),
        }
    }

    /// The next report of this kind; events before it are passed over only for `connect_error`.
    ///
    /// # Panics
    /// Where an event comes first, or nothing.
    async fn next(&mut self, on: &str) -> Value {
        loop {
            let report = self.report(on).await;
            match report["on"].as_str() {
                Some("upgrade" | "reconnect_attempt") => {}
                Some(kind) if kind == on => return report,
                _ => panic!(
                    "{} waits for {on} and gets {report}; before: {:#?}",
                    self.id, self.past
                ),
            }
        }
    }

    /// Waits until it is connected.
    pub async fn connected(&mut self) -> Value {
        self.next("connect").await
    }

    /// Waits until it is refused; says the message.
    ///
    /// # Panics
    /// Where it is not.
    pub async fn refused(&mut self) -> String {
        let report = self.next("connect_error").await;
        report["message"].as_str().expect("a message").to_owned()
    }

    /// Waits until it is disconnected; says the reason.
    ///
    /// # Panics
    /// Where it is not.
    pub async fn disconnected(&mut self) -> String {
        let report = self.next("disconnect").await;
        report["reason"].as_str().expect("a reason").to_owned()
    }

    /// The next event's name, first argument and cursor.
    ///
    /// # Panics
    /// Where another report comes first, or the event has not these two arguments.
    pub async fn event(&mut self) -> (String, Value, String) {
        let report = self.next("event").await;
        let name = report["event"].as_str().expect("a name").to_owned();
        let args = report["args"].as_array().expect("arguments");
        assert_eq!(args.len(), 2, "{report}");
        let cursor = args[1]
            .as_str()
            .unwrap_or_else(|| panic!("no cursor: {report}"))
            .to_owned();
        (name, args[0].clone(), cursor)
    }

    /// The next event, which has to be this one; says its first argument.
    ///
    /// # Panics
    /// Where it is another.
    pub async fn told(&mut self, name: &str) -> Value {
        let (event, payload, _) = self.event().await;
        assert_eq!(event, name, "{payload}; before: {:#?}", self.past);
        payload
    }

    /// Everything up to the next report of this kind.
    pub async fn until(&mut self, on: &str) -> Vec<Value> {
        self.until_field("on", on).await
    }

    /// Everything up to the next event of this name.
    pub async fn until_event(&mut self, name: &str) -> Vec<Value> {
        self.until_field("event", name).await
    }

    async fn until_field(&mut self, field: &str, value: &str) -> Vec<Value> {
        let mut reports = Vec::new();
        loop {
            let report = self.report(value).await;
            let last = report[field] == value;
            reports.push(report);
            if last {
                return reports;
            }
        }
    }

    /// Looks at what comes up to a session's status.
    pub async fn until_status(&mut self, status: &str) {
        loop {
            let reports = self.until_event("session-updated").await;
            if reports
                .last()
                .is_some_and(|it| it["args"][0]["session"]["status"] == status)
            {
                return;
            }
        }
    }

    /// The next report of one of two kinds.
    pub async fn either(&mut self, one: &str, other: &str) -> Value {
        loop {
            let report = self.report(&format!("{one} or {other}")).await;
            if report["on"] == one || report["on"] == other {
                return report;
            }
        }
    }

    /// Whether it is disconnected; or else it is well, as an answer shows.
    ///
    /// # Panics
    /// Where neither.
    pub async fn ended_or_answers(&mut self) -> bool {
        let command = json!({ "event": "leave-session", "args": ["s"], "ack": true, "timeoutMs": 100 });
        loop {
            let answer = self.command("emit", command.clone()).await;
            if answer["ok"] == true {
                return false;
            }
            while let Ok(report) = self.reports.try_recv() {
                if report["on"] == "disconnect" {
                    return true;
                }
            }
        }
    }

    async fn command(&self, name: &str, mut command: Value) -> Value {
        command["cmd"] = name.into();
        command["id"] = self.id.clone().into();
        self.browsers.command(command).await
    }

    /// The next report, whenever it comes; `None` where the clients' process ended.
    pub async fn reported(&mut self) -> Option<Value> {
        self.reports.recv().await
    }

    /// Emits an event and waits for the acknowledgement's first argument; `None` where none comes in time.
    pub async fn try_ask(&self, event: &str, args: Value) -> Option<Value> {
        let command = json!({ "event": event, "args": args, "ack": true, "timeoutMs": 3_000 });
        let answer = self.command("emit", command).await;
        answer["args"].get(0).cloned()
    }

    /// Emits an event and waits for the acknowledgement's first argument.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn ask(&self, event: &str, args: Value) -> Value {
        let answer = self
            .command("emit", json!({ "event": event, "args": args, "ack": true }))
            .await;
        assert_eq!(answer["ok"], true, "{event} {answer}");
        answer["args"][0].clone()
    }

    /// Emits an event.
    pub async fn emit(&self, event: &str, args: Value) {
        self.command("emit", json!({ "event": event, "args": args }))
            .await;
    }

    /// Joins a session: the acknowledgement, after which it was told `session-joined`.
    ///
    /// # Panics
    /// Where it is not let in.
    pub async fn join(&mut self, session: &str) -> Value {
        let answer = self.ask("join-session", json!([session])).await;
        assert_eq!(answer["ok"], true, "{answer}");
        let told = self.told("session-joined").await;
        assert_eq!(told, json!({ "sessionId": session, "role": answer["role"] }));
        answer
    }

    /// Closes the transport underneath; the stock client comes back by itself.
    pub async fn lose_transport(&self) {
        self.command("engineClose", json!({})).await;
    }

    /// Reads nothing any more.
    pub async fn pause(&self) {
        self.command("pause", json!({})).await;
    }

    /// Reads again.
    pub async fn resume(&self) {
        self.command("resume", json!({})).await;
    }

    /// Writes a packet as it is.
    pub async fn send_raw(&self, data: &str) {
        self.command("sendRaw", json!({ "data": data })).await;
    }

    /// Connects anew after the server's disconnect.
    pub async fn reconnect(&self, token: Option<&str>) {
        self.command(
            "reconnect",
            token.map_or(json!({}), |token| json!({ "token": token })),
        )
        .await;
    }

    /// Goes away for good.
    pub async fn close(&self) {
        self.command("disconnect", json!({})).await;
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
            let answer = shared.answers.lock().expect("no panic").remove(&seq);
            let _ = answer.map(|answer| answer.send(line));
        } else if let Some(id) = line["id"].as_str() {
            let reports = shared.reports.lock().expect("no panic").get(id).cloned();
            let _ = reports.map(|reports| reports.try_send(line));
        }
    }
    shared.reports.lock().expect("no panic").clear();
}
