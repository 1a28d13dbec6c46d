//! One socket of a stock client, as a page uses it.

use std::ops::Range;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{DEADLINE, driver::Driver};

/// One socket. Its reports (events, connects, disconnects) are read in order.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    id: String,
    reports: mpsc::Receiver<Value>,
    /// The reports read so far, for the message of a failure.
    past: Vec<String>,
}

impl Browser {
    pub(crate) fn new(driver: Driver, id: String, reports: mpsc::Receiver<Value>) -> Self {
        Self {
            driver,
            id,
            reports,
            past: Vec::new(),
        }
    }

    async fn report(&mut self, wanted: &str) -> Value {
        match tokio::time::timeout(DEADLINE, self.reports.recv()).await {
            Ok(Some(report)) => {
                self.past.push(report.to_string());
                report
            }
            Ok(None) => panic!("the driver process ended"),
            Err(_) => panic!("{} waits for {wanted}; it saw {:#?}", self.id, self.past),
        }
    }

    /// The next report, which must be of this kind; upgrades and reconnection attempts are skipped.
    ///
    /// # Panics
    /// If another report arrives first, or none arrives.
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

    /// Waits until the socket is connected.
    pub async fn connected(&mut self) -> Value {
        self.next("connect").await
    }

    /// Waits until the connection is denied; returns the message.
    ///
    /// # Panics
    /// If it is not denied.
    pub async fn denied(&mut self) -> String {
        let report = self.next("connect_error").await;
        report["message"].as_str().expect("a message").to_owned()
    }

    /// Waits until the socket is disconnected; returns the reason.
    ///
    /// # Panics
    /// If it is not disconnected.
    pub async fn disconnected(&mut self) -> String {
        let report = self.next("disconnect").await;
        report["reason"].as_str().expect("a reason").to_owned()
    }

    /// The next event: its name, first argument and cursor.
    ///
    /// # Panics
    /// If another report arrives first, or if the event does not have these two arguments.
    pub async fn next_event(&mut self) -> (String, Value, String) {
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

    /// The next event, which must have this name; returns its first argument.
    ///
    /// # Panics
    /// If it has another name.
    pub async fn expect_event(&mut self, name: &str) -> Value {
        let (event, payload, _) = self.next_event().await;
        assert_eq!(event, name, "{payload}; before: {:#?}", self.past);
        payload
    }

    /// The next events, which must be updates of the session with these statuses, in order.
    ///
    /// # Panics
    /// If another event arrives first.
    pub async fn expect_statuses(&mut self, session: &str, statuses: Range<u32>) {
        for status in statuses {
            let update = self.expect_event("session-updated").await;
            let seen = (&update["sessionId"], &update["session"]["status"]);
            assert_eq!(seen, (&json!(session), &json!(status.to_string())));
        }
    }

    /// All reports up to and including the next one of this kind.
    pub async fn reports_until(&mut self, on: &str) -> Vec<Value> {
        self.reports_until_field("on", on).await
    }

    /// All reports up to and including the next event of this name.
    pub async fn reports_until_event(&mut self, name: &str) -> Vec<Value> {
        self.reports_until_field("event", name).await
    }

    async fn reports_until_field(&mut self, field: &str, value: &str) -> Vec<Value> {
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

    /// Waits for the stock client's own reconnection; returns whether it was recovered.
    ///
    /// # Panics
    /// If it does not reconnect.
    pub async fn reconnected(&mut self) -> bool {
        let reports = self.reports_until("connect").await;
        reports.last().expect("a report")["recovered"] == true
    }

    /// Skips reports up to an update of a session to this status.
    pub async fn wait_for_status(&mut self, status: &str) {
        loop {
            let reports = self.reports_until_event("session-updated").await;
            if reports
                .last()
                .is_some_and(|it| it["args"][0]["session"]["status"] == status)
            {
                return;
            }
        }
    }

    /// The next report of one of two kinds; others are skipped.
    pub async fn next_of(&mut self, one: &str, other: &str) -> Value {
        loop {
            let report = self.report(&format!("{one} or {other}")).await;
            if report["on"] == one || report["on"] == other {
                return report;
            }
        }
    }

    /// Waits until the socket is disconnected (true) or responds to a request (false).
    pub async fn closed_or_responds(&mut self) -> bool {
        let command = json!({ "event": "leave-session", "args": ["s"], "ack": true, "timeoutMs": 100 });
        loop {
            let response = self.command("emit", command.clone()).await;
            if response["ok"] == true {
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
        self.driver.command(command).await
    }

    /// The next report, without a deadline; `None` if the driver process ended.
    pub async fn next_report(&mut self) -> Option<Value> {
        self.reports.recv().await
    }

    /// Emits an event and waits up to 3 s for the acknowledgement's first argument; `None` if there is none.
    pub async fn try_request(&self, event: &str, args: Value) -> Option<Value> {
        let command = json!({ "event": event, "args": args, "ack": true, "timeoutMs": 3_000 });
        let response = self.command("emit", command).await;
        response["args"].get(0).cloned()
    }

    /// Emits an event and waits for the acknowledgement's first argument.
    ///
    /// # Panics
    /// If there is none.
    pub async fn request(&self, event: &str, args: Value) -> Value {
        let timeout = DEADLINE.as_secs() * 1_000;
        let command = json!({ "event": event, "args": args, "ack": true, "timeoutMs": timeout });
        let response = self.command("emit", command).await;
        assert_eq!(response["ok"], true, "{event} {response}");
        response["args"][0].clone()
    }

    /// Emits an event without an acknowledgement.
    pub async fn emit(&self, event: &str, args: Value) {
        self.command("emit", json!({ "event": event, "args": args }))
            .await;
    }

    /// Joins a session; returns the acknowledgement, after the `session-joined` event.
    ///
    /// # Panics
    /// If the join is denied.
    pub async fn join(&mut self, session: &str) -> Value {
        let response = self.request("join-session", json!([session])).await;
        assert_eq!(response["ok"], true, "{response}");
        let joined = self.expect_event("session-joined").await;
        assert_eq!(joined, json!({ "sessionId": session, "role": response["role"] }));
        response
    }

    /// Closes the transport; the stock client reconnects by itself.
    pub async fn close_transport(&self) {
        self.command("engineClose", json!({})).await;
    }

    /// Stops reading from the WebSocket.
    pub async fn pause(&self) {
        self.command("pause", json!({})).await;
    }

    /// Reads from the WebSocket again.
    pub async fn resume(&self) {
        self.command("resume", json!({})).await;
    }

    /// Writes one Socket.IO packet without encoding it.
    pub async fn send_raw(&self, data: &str) {
        self.command("sendRaw", json!({ "data": data })).await;
    }

    /// Connects again after the server's disconnect; the token replaces the former one.
    pub async fn reconnect(&self, token: Option<&str>) {
        self.command(
            "reconnect",
            token.map_or(json!({}), |token| json!({ "token": token })),
        )
        .await;
    }

    /// Disconnects without reconnecting.
    pub async fn close(&self) {
        self.command("disconnect", json!({})).await;
    }
}
