//! The bridge of `dev`, asked as its page does.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    Process,
    http::{Answer, ask},
    within,
};

/// A page of `dev`.
#[derive(Debug, Clone)]
pub struct Bridge {
    addr: SocketAddr,
    host: String,
}

impl Bridge {
    /// Of this process, opened by its address.
    #[must_use]
    pub fn of(dev: &Process) -> Self {
        let addr = dev.addr("http");
        let host = addr.to_string();
        Self { addr, host }
    }

    /// The same, opened by another name.
    #[must_use]
    pub fn named(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sends what a browser sends for a page of the same origin, but where `headers` say otherwise: an empty value
    /// leaves one out.
    ///
    /// # Panics
    /// Where nobody answers.
    pub async fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let origin = format!("http://{}", self.host);
        let usual = [
            ("host", &*self.host),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
        ];
        let is_given = |name: &str| headers.iter().any(|(given, _)| *given == name);
        let mut all: Vec<_> = usual.into_iter().filter(|(name, _)| !is_given(name)).collect();
        all.extend(headers.iter().copied().filter(|(_, value)| !value.is_empty()));
        within(request, ask(self.addr, request, &all, body))
            .await
            .expect("an answer")
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(&format!("POST {path}"), &[], &body.to_string()).await
    }

    /// Calls a method of `SessionService`, which has to succeed; says its answer.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn call(&self, method: &str, request: &Value) -> Value {
        let answer = self.post(&format!("/dev/call/{method}"), request).await;
        assert_eq!(answer.status, 200, "{method} {answer:?}");
        answer.json()
    }

    /// Calls a method, which has to be refused; says the status of the answer and its body.
    ///
    /// # Panics
    /// Where it succeeds.
    pub async fn refused(&self, method: &str, request: &Value) -> (u16, Value) {
        let answer = self.post(&format!("/dev/call/{method}"), request).await;
        assert_ne!(answer.status, 200, "{method} {answer:?}");
        (answer.status, answer.json())
    }

    /// What the process says of itself.
    pub async fn about(&self) -> Value {
        self.ask("GET /dev/about", &[], "").await.json()
    }

    /// A user's token.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn token(&self, user: &str, seconds: u64) -> String {
        let wanted = json!({ "user": user, "ttlSeconds": seconds });
        let answer = self.post("/dev/token", &wanted).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Where the edges are, once there are two.
    ///
    /// # Panics
    /// Where there are not.
    pub async fn two_edges(&self) -> [SocketAddr; 2] {
        let answer = self.post("/dev/edges", &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let edges = answer.json()["edges"].clone();
        let urls: [String; 2] = serde_json::from_value(edges).expect("two addresses");
        urls.map(|url| {
            url.strip_prefix("http://")
                .expect("http")
                .parse()
                .expect("an address")
        })
    }
}
