//! A browser: a raw Socket.IO client on a WebSocket (Engine.IO 4, Socket.IO 5; RFC 6455).

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use crate::time::eventually;

const UPGRADE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// The receive buffer of a slow browser, in bytes.
const SMALL_BUFFER: u32 = 4_096;

/// One WebSocket, which may become a connected socket. Dropping it closes the connection.
pub(crate) struct Browser {
    name: String,
    writer: Arc<OwnedWriteHalf>,
    received: Arc<Received>,
    reads: watch::Sender<bool>,
    next_ack: u64,
    reader: JoinHandle<()>,
}

#[derive(Default)]
struct Received {
    packets: Mutex<VecDeque<String>>,
    closed: Mutex<bool>,
}

/// An event from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerEvent {
    pub(crate) name: String,
    pub(crate) payload: Value,
    pub(crate) cursor: String,
}

impl Browser {
    /// Opens a WebSocket and reads the Engine.IO handshake.
    pub(crate) async fn open(name: &str, edge: SocketAddr) -> Self {
        Self::over(name, TcpStream::connect(edge).await.unwrap()).await
    }

    /// The same with a small receive buffer, for a browser that stops reading.
    pub(crate) async fn open_slow(name: &str, edge: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        Self::over(name, socket.connect(edge).await.unwrap()).await
    }

    async fn over(name: &str, mut tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).unwrap();
        let head = request(&mut tcp, UPGRADE).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let (reader, writer) = tcp.into_split();
        let (writer, received) = (Arc::new(writer), Arc::<Received>::default());
        let (reads, may_read) = watch::channel(true);
        let reading = read_all(reader, writer.clone(), received.clone(), may_read);
        let reader = tokio::spawn(reading);
        let browser = Self {
            name: name.to_owned(),
            writer,
            received,
            reads,
            next_ack: 0,
            reader,
        };
        let handshake = browser.packet().await;
        assert!(handshake.starts_with("0{"), "{handshake}");
        browser
    }

    /// Sends a packet.
    pub(crate) fn send(&self, packet: &str) {
        send(&self.writer, packet);
    }

    /// The next packet.
    pub(crate) async fn packet(&self) -> String {
        let check = || self.received.packets.lock().unwrap().pop_front();
        eventually(&format!("a packet for {}", self.name), check).await
    }

    /// Sends CONNECT with this `auth`.
    pub(crate) fn send_connect(&self, auth: &Value) {
        self.send(&format!("40{auth}"));
    }

    /// Connects with this `auth`. Returns the pid.
    pub(crate) async fn connect(&self, auth: &Value) -> String {
        self.send_connect(auth);
        let packet = self.packet().await;
        let connect = packet
            .strip_prefix("40")
            .unwrap_or_else(|| panic!("no CONNECT: {packet}"));
        let connect: Value = serde_json::from_str(connect).unwrap();
        connect["pid"].as_str().unwrap().to_owned()
    }

    /// Connects with this `auth`. Returns the message of CONNECT_ERROR.
    pub(crate) async fn denied_connect(&self, auth: &Value) -> String {
        self.send_connect(auth);
        let packet = self.packet().await;
        let error = packet
            .strip_prefix("44")
            .unwrap_or_else(|| panic!("no CONNECT_ERROR: {packet}"));
        let error: Value = serde_json::from_str(error).unwrap();
        error["message"].as_str().unwrap().to_owned()
    }

    /// Sends an event without an acknowledgement. `event` is an array of the name and the arguments.
    pub(crate) fn emit(&self, event: &Value) {
        self.send(&format!("42{event}"));
    }

    /// Sends an event that requests an acknowledgement. Returns the id of the acknowledgement.
    pub(crate) fn send_request(&mut self, event: &Value) -> u64 {
        self.next_ack += 1;
        self.send(&format!("42{}{event}", self.next_ack));
        self.next_ack
    }

    /// The acknowledgement with this id, which has to be the next packet.
    pub(crate) async fn acknowledgement(&self, id: u64) -> Value {
        let packet = self.packet().await;
        let prefix = format!("43{id}");
        let arguments = packet
            .strip_prefix(&prefix)
            .unwrap_or_else(|| panic!("{} expects {prefix}: {packet}", self.name));
        serde_json::from_str::<Value>(arguments).unwrap()[0].clone()
    }

    /// Sends an event and returns its acknowledgement, which has to be the next packet.
    pub(crate) async fn request(&mut self, event: &Value) -> Value {
        let id = self.send_request(event);
        self.acknowledgement(id).await
    }

    /// Joins a session. Returns the acknowledgement.
    pub(crate) async fn join(&mut self, session: &str) -> Value {
        let request = self.send_request(&json!(["join-session", session]));
        let joined = self.joined(request).await;
        assert_eq!(joined["sessionId"], session);
        joined
    }

    /// The acknowledgement of a join that succeeds. `session-joined` precedes it.
    pub(crate) async fn joined(&self, request: u64) -> Value {
        assert_eq!(self.event().await.name, "session-joined");
        let joined = self.acknowledgement(request).await;
        assert_eq!(joined["ok"], true, "{joined}");
        joined
    }

    /// The next event, which has to be the next packet.
    pub(crate) async fn event(&self) -> ServerEvent {
        let packet = self.packet().await;
        let event = packet
            .strip_prefix("42")
            .unwrap_or_else(|| panic!("no event: {packet}"));
        let event: Value = serde_json::from_str(event).unwrap();
        ServerEvent {
            name: event[0].as_str().unwrap().to_owned(),
            payload: event[1].clone(),
            cursor: event[2].as_str().unwrap().to_owned(),
        }
    }

    /// The status in the next event, which has to be `session-updated`.
    pub(crate) async fn status(&self) -> String {
        let event = self.event().await;
        assert_eq!(event.name, "session-updated", "{}", event.payload);
        event.payload["session"]["status"].as_str().unwrap().to_owned()
    }

    /// Whether the connection is usable: a request gets its response as the next packet.
    pub(crate) async fn is_served(&mut self) {
        let left = self.request(&json!(["leave-session", "no-session"])).await;
        assert_eq!(left["ok"], true, "{left}");
    }

    /// Reads nothing until it is closed, or reads again.
    pub(crate) fn set_reading(&self, reads: bool) {
        self.reads.send_replace(reads);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.received.closed.lock().unwrap()
    }

    /// Waits until the server has closed the connection.
    pub(crate) async fn closed(&self) {
        eventually(&format!("the end of the connection of {}", self.name), || {
            self.is_closed().then_some(())
        })
        .await;
    }

    /// Packets that were received and not looked at.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.received.packets.lock().unwrap().iter().cloned().collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The response to the upgrade of a new connection, without its body. `headers` are further ones of the request.
pub(crate) async fn upgrade(edge: SocketAddr, headers: &str) -> String {
    let mut tcp = TcpStream::connect(edge).await.unwrap();
    let upgrade = UPGRADE.replacen("Host: edge\r\n", &format!("Host: edge\r\n{headers}"), 1);
    request(&mut tcp, &upgrade).await
}

/// Sends a request. Returns the head of the response.
async fn request(tcp: &mut TcpStream, request: &str) -> String {
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn send(writer: &OwnedWriteHalf, packet: &str) {
    // A mask of zeros is a mask.
    let mut frame = vec![0x81];
    match u16::try_from(packet.len()).unwrap() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(packet.as_bytes());
    match writer.try_write(&frame) {
        Ok(written) => assert_eq!(written, frame.len()),
        Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock),
    }
}

async fn read_all(
    mut reader: OwnedReadHalf,
    writer: Arc<OwnedWriteHalf>,
    received: Arc<Received>,
    mut may_read: watch::Receiver<bool>,
) {
    while may_read.wait_for(|reads| *reads).await.is_ok() {
        match read_frame(&mut reader).await {
            Ok(Some(packet)) if packet == "2" => send(&writer, "3"),
            Ok(Some(packet)) => received.packets.lock().unwrap().push_back(packet),
            Ok(None) | Err(_) => break,
        }
    }
    *received.closed.lock().unwrap() = true;
}

/// The text of the next frame; `None` if it closes the connection.
async fn read_frame(reader: &mut OwnedReadHalf) -> std::io::Result<Option<String>> {
    let (first, second) = (reader.read_u8().await?, reader.read_u8().await?);
    let length = match second {
        126 => u64::from(reader.read_u16().await?),
        127 => reader.read_u64().await?,
        length => u64::from(length),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    reader.read_exact(&mut payload).await?;
    assert!(
        first == 0x81 || first == 0x88,
        "an unfragmented text or close frame: {first:#x}"
    );
    Ok((first == 0x81).then(|| String::from_utf8(payload).unwrap()))
}
