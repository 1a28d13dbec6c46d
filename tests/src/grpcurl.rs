//! Calls made with the real grpcurl program.

use std::{net::SocketAddr, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::within;

/// The outcome of a call.
#[derive(Debug)]
pub struct Grpcurl {
    /// Whether the call succeeded.
    pub ok: bool,
    /// The text on standard output.
    pub out: String,
    /// The text on standard error.
    pub err: String,
}

impl Grpcurl {
    /// The only response, as JSON.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no single response: {self:?}"))
    }
}

/// Runs grpcurl with these arguments, in which `ADDR` is replaced by the address, and the request on standard input.
///
/// # Panics
/// If grpcurl is not installed.
pub async fn grpcurl(addr: SocketAddr, arguments: &str, request: &str) -> Grpcurl {
    let child = start(addr, arguments, request).await;
    let output = within("grpcurl", child.wait_with_output())
        .await
        .expect("grpcurl ran");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Grpcurl {
        ok: output.status.success(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs grpcurl as [`grpcurl`] does, but for a stream that does not end: stops when the output contains this text, and
/// returns the output up to then.
///
/// # Panics
/// If the text is not printed in time.
pub async fn grpcurl_until(addr: SocketAddr, arguments: &str, request: &str, text: &str) -> String {
    let mut child = start(addr, arguments, request).await;
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut output = String::new();
    within(&format!("{text} from grpcurl"), async {
        while !output.contains(text) {
            let line = lines.next_line().await.expect("text");
            output += &line.unwrap_or_else(|| panic!("the stream ended without {text}: {output}"));
            output.push('\n');
        }
    })
    .await;
    output
}

async fn start(addr: SocketAddr, arguments: &str, request: &str) -> Child {
    let program = std::env::var("GRPCURL").unwrap_or_else(|_| "grpcurl".to_owned());
    let addr = addr.to_string();
    let arguments = arguments
        .split_whitespace()
        .map(|argument| if argument == "ADDR" { &addr } else { argument });
    let mut child = Command::new(program)
        .args(["-plaintext", "-d", "@"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("grpcurl is installed: see tests/run");
    let mut input = child.stdin.take().expect("piped");
    let _ = input.write_all(request.as_bytes()).await; // grpcurl may reject its arguments without reading
    child
}
