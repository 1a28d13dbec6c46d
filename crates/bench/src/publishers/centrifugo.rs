//! Publishes at Centrifugo with the `batch` call of its HTTP API. One request at a time contains all events that wait.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    sync::mpsc::Receiver,
};

use super::{
    event::Event,
    queues::{PublishOutcomes, PublishQueues},
};
use crate::{error::BenchResult, payload::Payload};

/// The maximum number of events in one request.
const BATCH_LIMIT: usize = 256;
/// The API key in Centrifugo's configuration.
pub(crate) const API_KEY: &str = "bench";

/// Connects to the API, and starts the task of the only queue.
pub(crate) fn connect(runtime: &Runtime, api: SocketAddr) -> BenchResult<PublishQueues> {
    let (queues, receivers, outcomes) = PublishQueues::new(1);
    for events in receivers {
        let stream = runtime.block_on(TcpStream::connect(api))?;
        stream.set_nodelay(true)?;
        runtime.spawn(publish_batches(stream, events, outcomes.clone()));
    }
    Ok(queues)
}

async fn publish_batches(mut stream: TcpStream, mut events: Receiver<Event>, outcomes: Arc<PublishOutcomes>) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    loop {
        batch.clear();
        if events.recv_many(&mut batch, BATCH_LIMIT).await == 0 {
            return;
        }
        match publish(&mut stream, &batch).await {
            Ok(()) => outcomes.count_succeeded(batch.len()),
            Err(error) => outcomes.count_failed(batch.len(), &error),
        }
    }
}

async fn publish(stream: &mut TcpStream, batch: &[Event]) -> BenchResult<()> {
    let mut body = String::from(r#"{"commands":["#);
    for (index, Event { room, number }) in batch.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let data = Payload::new(*room, *number).json();
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
    let response = read_response(stream).await?;
    if memmem::find(&response, b"\"error\"").is_some() {
        return Err(String::from_utf8_lossy(&response).into_owned().into());
    }
    Ok(())
}

/// Reads one HTTP response, including its head. Fails if its status is not 200.
async fn read_response(stream: &mut TcpStream) -> BenchResult<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err("the API closed its connection".into());
        }
        let Some(head_length) = memmem::find(&bytes, b"\r\n\r\n") else {
            continue;
        };
        let head = str::from_utf8(&bytes[..head_length])?.to_ascii_lowercase();
        if !head.starts_with("http/1.1 200") {
            return Err(head.into());
        }
        let is_complete = match head.split_once("content-length: ") {
            Some((_, rest)) => {
                let length: usize = rest.lines().next().unwrap_or_default().trim().parse()?;
                bytes.len() >= head_length + 4 + length
            }
            None => bytes.ends_with(b"0\r\n\r\n"), // the end of a chunked body
        };
        if is_complete {
            return Ok(bytes);
        }
    }
}
