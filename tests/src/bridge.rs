//! The HTTP bridge of `dev`, called as the playground page calls it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    Process,
    http::{Response, send_request},
    within,
};

/// A playground page of a `dev` process.
#[derive(Debug, Clone)]
pub struct Bridge {
    addr: SocketAddr,
    host: String,
}

impl Bridge {
    /// A page of this process, opened by its address.
    #[must_use]
    pub fn of(dev: &Process) -> Self {
        let addr = dev.addr("http");
        let host = addr.to_string();
        Self { addr, host }
    }

    /// The same page, opened by another host name.
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sends a request with the headers of a browser for a page of the same origin; `headers` override them, and an
    /// empty value omits one.
    ///
    /// # Panics
    /// If there is no response.
    pub async fn request(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Response {
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
        within(request, send_request(self.addr, request, &all, body))
            .await
            .expect("a response")
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(&format!("POST {path}"), &[], &body.to_string())
            .await
    }

    /// Calls a method of `SessionService` that must succeed; returns the response.
    ///
    /// # Panics
    /// If it fails.
    pub async fn call(&self, method: &str, request: &Value) -> Value {
        let response = self.post(&format!("/dev/call/{method}"), request).await;
        assert_eq!(response.status, 200, "{method} {response:?}");
        response.json()
    }

    /// Calls a method that must fail; returns the HTTP status and the body.
    ///
    /// # Panics
    /// If it succeeds.
    pub async fn denied(&self, method: &str, request: &Value) -> (u16, Value) {
        let response = self.post(&format!("/dev/call/{method}"), request).await;
        assert_ne!(response.status, 200, "{method} {response:?}");
        (response.status, response.json())
    }

    /// The description of the process: version, addresses, store.
    pub async fn about(&self) -> Value {
        self.request("GET /dev/about", &[], "").await.json()
    }

    /// A new token of a user, which expires after `seconds`.
    ///
    /// # Panics
    /// If none is minted.
    pub async fn token(&self, user: &str, seconds: u64) -> String {
        let wanted = json!({ "user": user, "ttlSeconds": seconds });
        let response = self.post("/dev/token", &wanted).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Starts the second edge unless it is running; returns the addresses of both.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn both_edges(&self) -> [SocketAddr; 2] {
        let response = self.post("/dev/edges", &json!({})).await;
        assert_eq!(response.status, 200, "{response:?}");
        let edges = response.json()["edges"].clone();
        let urls: [String; 2] = serde_json::from_value(edges).expect("two addresses");
        urls.map(|url| {
            url.strip_prefix("http://")
                .expect("http")
                .parse()
                .expect("an address")
        })
    }
}
