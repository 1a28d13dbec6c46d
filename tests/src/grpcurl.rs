//! The real grpcurl.

use std::{net::SocketAddr, process::Stdio};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::within;

/// What a call came to.
#[derive(Debug)]
pub struct Grpcurl {
    /// Whether the call succeeded.
    pub ok: bool,
    /// What was printed.
    pub out: String,
    /// What was complained of.
    pub err: String,
}

impl Grpcurl {
    /// The one answer, as JSON.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no answer: {self:?}"))
    }
}

/// Runs grpcurl with the words, where `ADDR` stands for the address, and a request on standard input.
///
/// # Panics
/// Where it can't be run.
pub async fn grpcurl(addr: SocketAddr, words: &str, request: &str) -> Grpcurl {
    let program = std::env::var("GRPCURL").unwrap_or_else(|_| "grpcurl".to_owned());
    let addr = addr.to_string();
    let words = words
        .split_whitespace()
        .map(|word| if word == "ADDR" { &addr } else { word });
    let mut child = Command::new(program)
        .args(["-plaintext", "-d", "@"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("grpcurl is installed: see tests/run");
    let mut input = child.stdin.take().expect("piped");
    // It may refuse its words without reading.
    let _ = input.write_all(request.as_bytes()).await;
    drop(input);
    let output = within("grpcurl", child.wait_with_output())
        .await
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Grpcurl {
        ok: output.status.success(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
