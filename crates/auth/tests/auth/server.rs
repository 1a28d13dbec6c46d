//! A JWKS server: responds to every request with what was published last, counts the requests, and can delay its
//! responses.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct JwksServer {
    address: std::net::SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Status (code and reason phrase) and body.
    response: Mutex<(String, String)>,
    requests: watch::Sender<usize>,
    held: watch::Sender<bool>,
}

impl JwksServer {
    /// Starts a server that serves these keys.
    pub(crate) async fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = Arc::new(State {
            response: Mutex::default(),
            requests: watch::Sender::new(0),
            held: watch::Sender::new(false),
        });
        let server = Self {
            address,
            state: Arc::clone(&state),
        };
        server.publish(keys);
        // Ends with the test's runtime.
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&state)));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.respond("200 OK", &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn respond(&self, status: &str, body: &str) {
        *self.state.response.lock().expect("not poisoned") = (status.to_owned(), body.to_owned());
    }

    /// Whether responses are held back.
    pub(crate) fn hold(&self, held: bool) {
        self.state.held.send_replace(held);
    }

    pub(crate) fn requests(&self) -> usize {
        *self.state.requests.borrow()
    }

    /// Waits until the server has received `count` requests.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        let mut requests = self.state.requests.subscribe();
        let received = requests.wait_for(|requests| *requests >= count);
        let received = tokio::time::timeout(std::time::Duration::from_secs(10), received).await;
        received
            .expect("the requests arrive within 10 s")
            .expect("the server lives");
    }
}

async fn serve(mut connection: TcpStream, state: Arc<State>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    state.requests.send_modify(|requests| *requests += 1);
    let mut held = state.held.subscribe();
    held.wait_for(|held| !held).await.expect("the server lives");
    let (status, body) = state.response.lock().expect("not poisoned").clone();
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nlocation: /elsewhere\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = connection.write_all(response.as_bytes()).await; // The client may stop reading an oversized response.
}
