//! Publishing to Centrifugo: its HTTP API's `batch`, with whatever waits, one request at a time.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    sync::mpsc::Receiver,
};

use super::{
    Event,
    queues::{Answers, Lanes},
};
use crate::{
    error::{Outcome, failed},
    payload::Payload,
};

/// How many events one request has at most.
const BATCH: usize = 256;
/// What the peer's configuration calls its key.
pub(crate) const API_KEY: &str = "bench";

/// Opens the one lane.
pub(crate) fn open(runtime: &Runtime, api: SocketAddr) -> Outcome<Lanes> {
    let (lanes, ends, answers) = Lanes::new(1);
    for events in ends {
        let stream = runtime.block_on(TcpStream::connect(api))?;
        stream.set_nodelay(true)?;
        runtime.spawn(lane(stream, events, answers.clone()));
    }
    Ok(lanes)
}

async fn lane(mut stream: TcpStream, mut events: Receiver<Event>, answers: Arc<Answers>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        if events.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        match call(&mut stream, &batch).await {
            Ok(()) => answers.count_done(batch.len()),
            Err(error) => answers.count_failed(batch.len(), &error),
        }
    }
}

async fn call(stream: &mut TcpStream, batch: &[Event]) -> Outcome<()> {
    let mut body = String::from(r#"{"commands":["#);
    for (at, Event { room, n }) in batch.iter().enumerate() {
        let (comma, data) = (if at == 0 { "" } else { "," }, Payload::new(*room, *n).json());
        write!(
            body,
            r#"{comma}{{"publish":{{"channel":"s{room}","data":{data}}}}}"#
        )?;
    }
    body.push_str("]}");
    let length = body.len();
    let request = format!(
        "POST /api/batch HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-API-Key: {API_KEY}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let answer = answer(stream).await?;
    if memmem::find(&answer, b"\"error\"").is_some() {
        return Err(failed(String::from_utf8_lossy(&answer)));
    }
    Ok(())
}

async fn answer(stream: &mut TcpStream) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(failed("the API closed its connection"));
        }
        let Some(head) = memmem::find(&bytes, b"\r\n\r\n") else {
            continue;
        };
        let text = str::from_utf8(&bytes[..head])?.to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(failed(text));
        }
        let is_whole = match text.split_once("content-length: ") {
            Some((_, rest)) => {
                let length: usize = rest.lines().next().unwrap_or_default().trim().parse()?;
                bytes.len() >= head + 4 + length
            }
            None => bytes.ends_with(b"0\r\n\r\n"), // chunked
        };
        if is_whole {
            return Ok(bytes);
        }
    }
}
