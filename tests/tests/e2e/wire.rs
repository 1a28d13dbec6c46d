//! Bytes that are no HTTP, no WebSocket, no Engine.IO: they end their own connection and nothing else.

use std::net::SocketAddr;

use roomcast_tests::{Backend, Browser, Browsers, Client, Process, eventually, get, session, token, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A neighbour in a session, who has to stay well.
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

    async fn is_well_after(&mut self, what: &str) {
        self.0.publish(session("s1", what, "alice=interviewer")).await;
        assert_eq!(self.1.told("session-updated").await["session"]["status"], what);
    }
}

/// Sends bytes, and reads whatever comes until the other side closes.
async fn to_the_end(tcp: &mut TcpStream, what: &str, bytes: &[u8]) -> Vec<u8> {
    // It may close before it has taken all.
    let _ = tcp.write_all(bytes).await;
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = within(what, tcp.read_to_end(&mut answer)).await;
    answer
}

/// A WebSocket of our own making, whose socket is connected.
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

/// A frame with this first byte, masked by zeros.
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
async fn broken_frames_end_only_their_own_connection() {
    let dev = Process::dev(&[]).await;
    let mut neighbour = Neighbour::of(&dev).await;
    let endless = [&[0x81, 0x80 | 127][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    for (what, bytes) in [
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
        ("an attachment that nobody announced", frame(0x82, &[1, 2, 3])),
        (
            "an attachment count that is no number",
            frame(0x81, b"45x-[\"x\"]"),
        ),
        ("noise", (0..=255).rev().cycle().take(4_000).collect()),
    ] {
        let mut tcp = websocket(dev.addr("http")).await;
        to_the_end(&mut tcp, what, &bytes).await;
        neighbour.is_well_after(what).await;
    }
}

#[tokio::test]
async fn noise_on_any_port_is_closed() {
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
        for (what, bytes) in [
            ("noise", &noise[..]),
            (
                "a greeting of TLS",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and more\r\n\r\n",
            ),
            ("no method", b"\r\n\r\n\x00\x00\x00 / HTTP/9.9\r\n\r\n"),
            ("a header of two megabytes", &header),
        ] {
            let mut tcp = TcpStream::connect(dev.addr(port)).await.unwrap();
            to_the_end(&mut tcp, &format!("{what} on {port}"), bytes).await;
        }
        neighbour.is_well_after(port).await;
    }
    assert_eq!(get(dev.addr("admin"), "/livez").await.unwrap().0, 200);
}

/// Posts a body to a polling transport; says the status.
async fn post(http: SocketAddr, sid: &str, body: &[u8]) -> Option<u16> {
    let mut tcp = TcpStream::connect(http).await.unwrap();
    let head = format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = to_the_end(&mut tcp, "an answer", &[head.as_bytes(), body].concat()).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// Opens a polling transport and asks for the namespace; says its Engine.IO id.
async fn open_polling(http: SocketAddr, user: &str) -> String {
    let (status, opened) = get(http, "/socket.io/?EIO=4&transport=polling").await.unwrap();
    assert_eq!(status, 200);
    let (_, after) = opened.split_once("\"sid\":\"").unwrap();
    let (sid, _) = after.split_once('"').unwrap();
    let connect = format!("40{{\"token\":\"{}\"}}", token(user));
    assert_eq!(post(http, sid, connect.as_bytes()).await, Some(200));
    sid.to_owned()
}

#[tokio::test]
async fn a_polling_browser_that_leaves_has_its_poll_answered() {
    let dev = Process::dev(&[]).await;
    let http = dev.addr("http");
    // As stock clients do: in one request, or in two.
    for goodbyes in [&["41\u{1e}1"][..], &["41", "1"]] {
        // Where the poll, on a connection of its own, comes after the goodbye, it is one of nobody: then once more.
        eventually("a poll that is answered", async || {
            let sid = open_polling(http, "eve").await;
            let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
            while !get(http, &path).await?.1.contains("40{") {}
            let leave = async {
                for goodbye in goodbyes {
                    post(http, &sid, goodbye.as_bytes()).await;
                }
            };
            let (answer, ()) = tokio::join!(get(http, &path), leave);
            (answer? == (200, "6".to_owned())).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn broken_posts_end_only_their_own_connection() {
    let dev = Process::dev(&[]).await;
    let http = dev.addr("http");
    let mut neighbour = Neighbour::of(&dev).await;
    for (what, body) in [
        ("no packet", b"x".to_vec()),
        ("an empty body", Vec::new()),
        ("only separators", vec![0x1e; 1_000]),
        ("not UTF-8", b"42[\"\xff\xfe\"]".to_vec()),
        ("no base64", b"b!!!!".to_vec()),
        ("ten megabytes", vec![b'4'; 10_000_000]),
    ] {
        let sid = open_polling(http, "eve").await;
        // No answer at all is a connection that was closed on a body nobody wants.
        let status = post(http, &sid, &body).await;
        assert!(status.is_none_or(|status| status < 500), "{what}: {status:?}");
        neighbour.is_well_after(what).await;
    }
}
