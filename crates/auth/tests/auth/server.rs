//! A JWKS server: answers every request with what was published last, counts, and can hold its answers back.

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
    /// The status line's code and reason, and the body.
    answer: Mutex<(String, String)>,
    requests: watch::Sender<usize>,
    held: watch::Sender<bool>,
}

impl JwksServer {
    /// Serves the public halves of these issuers.
    pub(crate) async fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = Arc::new(State {
            answer: Mutex::default(),
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
        self.answer("200 OK", &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answer(&self, status: &str, body: &str) {
        *self.state.answer.lock().expect("not poisoned") = (status.to_owned(), body.to_owned());
    }

    /// Holds answers back, or lets them go.
    pub(crate) fn hold(&self, held: bool) {
        self.state.held.send_replace(held);
    }

    pub(crate) fn requests(&self) -> usize {
        *self.state.requests.borrow()
    }

    /// Waits until so many requests have come in.
    pub(crate) async fn asked(&self, times: usize) {
        let mut requests = self.state.requests.subscribe();
        let enough = requests.wait_for(|seen| *seen >= times);
        let asked = tokio::time::timeout(std::time::Duration::from_secs(10), enough).await;
        asked.expect("no request within 10 s").expect("the server lives");
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
    let (status, body) = state.answer.lock().expect("not poisoned").clone();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nlocation: /elsewhere\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // The reader may have had enough of an oversized answer.
    let _ = connection.write_all(answer.as_bytes()).await;
}
