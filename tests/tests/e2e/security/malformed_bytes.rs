//! Bytes that are not HTTP, WebSocket or Engine.IO: they close their own connection and affect no other.

use std::net::SocketAddr;

use roomcast_tests::{Backend, Browser, Browsers, Client, Process, eventually, get, session, token, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::raw_polling::{RawPolling, send_and_read_to_end};

/// Another socket, which must keep receiving its events.
struct Neighbour(Backend, Browser);

impl Neighbour {
    async fn of(dev: &Process) -> Self {
        let mut backend = Backend::connect(dev.addr("grpc")).await;
        backend.publish(session("s1", "start", "alice=interviewer")).await;
        let browsers = Browsers::start(Client::Js48);
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        alice.join("s1").await;
        Self(backend, alice)
    }

    async fn receives_events_after(&mut self, case: &str) {
        self.0.publish(session("s1", case, "alice=interviewer")).await;
        assert_eq!(
            self.1.expect_event("session-updated").await["session"]["status"],
            case
        );
    }
}

/// A raw WebSocket whose Socket.IO handshake is complete.
async fn websocket(http: SocketAddr) -> TcpStream {
    let mut tcp = TcpStream::connect(http).await.unwrap();
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {http}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    let connect = format!("40{{\"token\":\"{}\"}}", token("eve"));
    tcp.write_all(&frame(0x81, connect.as_bytes())).await.unwrap();
    let mut seen = Vec::new();
    within("a connected socket", async {
        while !String::from_utf8_lossy(&seen).contains("40{\"sid\":") {
            let mut some = [0; 1024];
            let read = tcp.read(&mut some).await.unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&some[..read]);
        }
    })
    .await;
    tcp
}

/// A frame with this first byte and a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

#[tokio::test]
async fn malformed_frames_close_only_their_connection() {
    let dev = Process::dev(&[]).await;
    let mut neighbour = Neighbour::of(&dev).await;
    let endless = [&[0x81, 0x80 | 127][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    for (case, bytes) in [
        ("a frame without a mask", vec![0x81, 2, b'4', b'2']),
        ("reserved bits", frame(0xf1, b"42")),
        ("a reserved opcode", frame(0x83, b"42")),
        ("a continuation of nothing", frame(0x80, b"42")),
        ("a long ping", frame(0x89, &[0; 200])),
        ("text that is not UTF-8", frame(0x81, b"42[\"\xff\xfe\"]")),
        ("a frame of 2^64 bytes", endless),
        ("a message of ten megabytes", frame(0x81, &vec![b'4'; 10_000_000])),
        ("no engine packet", frame(0x81, b"x")),
        ("an empty engine packet", frame(0x81, b"")),
        ("an unknown Socket.IO packet", frame(0x81, b"49")),
        (
            "a binary event with a million attachments",
            frame(0x81, b"451000000-[\"x\"]"),
        ),
        ("an attachment that was not announced", frame(0x82, &[1, 2, 3])),
        (
            "an attachment count that is not a number",
            frame(0x81, b"45x-[\"x\"]"),
        ),
        ("noise", (0..=255).rev().cycle().take(4_000).collect()),
    ] {
        let mut tcp = websocket(dev.addr("http")).await;
        send_and_read_to_end(&mut tcp, case, &bytes).await;
        neighbour.receives_events_after(case).await;
    }
}

#[tokio::test]
async fn noise_on_any_port_closes_only_its_connection() {
    let dev = Process::dev(&[]).await;
    let mut neighbour = Neighbour::of(&dev).await;
    let noise: Vec<u8> = (0u32..20_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let header = [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: ".to_vec(),
        vec![b'x'; 2_000_000],
    ]
    .concat();
    for port in ["http", "grpc", "admin"] {
        for (case, bytes) in [
            ("noise", &noise[..]),
            (
                "a greeting of TLS",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and more\r\n\r\n",
            ),
            ("no method", b"\r\n\r\n\x00\x00\x00 / HTTP/9.9\r\n\r\n"),
            ("a header of two megabytes", &header),
        ] {
            let mut tcp = TcpStream::connect(dev.addr(port)).await.unwrap();
            send_and_read_to_end(&mut tcp, &format!("{case} on {port}"), bytes).await;
        }
        neighbour.receives_events_after(port).await;
    }
    assert_eq!(get(dev.addr("admin"), "/livez").await.unwrap().0, 200);
}

#[tokio::test]
async fn the_pending_poll_of_a_leaving_browser_is_completed() {
    let dev = Process::dev(&[]).await;
    let http = dev.addr("http");
    // Stock clients send the two packets in one request, or in two.
    for packets in [&["41\u{1e}1"][..], &["41", "1"]] {
        // The poll has a connection of its own. If it arrives after the packets, the transport no longer exists: retry.
        eventually("a poll that is completed", async || {
            let transport = RawPolling::connect(http, &token("eve")).await;
            while !transport.poll().await?.1.contains("40{") {}
            let leave = async {
                for packet in packets {
                    transport.post(packet.as_bytes()).await;
                }
            };
            let (response, ()) = tokio::join!(transport.poll(), leave);
            (response? == (200, "6".to_owned())).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn malformed_posts_close_only_their_connection() {
    let dev = Process::dev(&[]).await;
    let http = dev.addr("http");
    let mut neighbour = Neighbour::of(&dev).await;
    for (case, body) in [
        ("no packet", b"x".to_vec()),
        ("an empty body", Vec::new()),
        ("only separators", vec![0x1e; 1_000]),
        ("not UTF-8", b"42[\"\xff\xfe\"]".to_vec()),
        ("no base64", b"b!!!!".to_vec()),
        ("ten megabytes", vec![b'4'; 10_000_000]),
    ] {
        let transport = RawPolling::connect(http, &token("eve")).await;
        let status = transport.post(&body).await;
        assert!(status.is_none_or(|status| status < 500), "{case}: {status:?}");
        neighbour.receives_events_after(case).await;
    }
}
