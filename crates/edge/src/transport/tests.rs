//! Wires over real sockets: threads meet here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Origin, Transport, Transports, stream::SocketStream};
use crate::{
    config::Limits,
    direct::{
        Full, When,
        frame::{Frame, tests::bytes},
        frame_splitter::{Cut, Cutter, SENTINEL},
        queue::Part,
    },
};

const LIMITS: Limits = Limits {
    outbound_bytes: 64 * 1024 * 1024,
    write_stall: Duration::from_millis(200),
    ..Limits::DEFAULT
};

/// A WebSocket as the crate has it, its transport, and the browser's end.
async fn wire(origin: Origin, limits: Limits) -> (SocketStream, Arc<Transport>, TcpStream) {
    let transports = Transports::new(prometheus_client::metrics::gauge::Gauge::default(), limits);
    for flusher in transports.flushers().tasks() {
        tokio::spawn(flusher);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let browser = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    let transport = transports.open(origin);
    transport.set_pid("P".to_owned());
    let stream = SocketStream::new(
        tcp,
        bytes::Bytes::new(),
        bytes::Bytes::new(),
        transport.clone(),
        origin == Origin::Polling,
    );
    (stream, transport, browser)
}

fn frame(payload: &str) -> Vec<u8> {
    bytes(&Frame::text(payload))
}

fn part(payload: &str) -> Part {
    Part::Frame(Frame::text(payload))
}

/// The payloads of the next frames.
async fn read(browser: &mut TcpStream, frames: usize) -> Vec<String> {
    let (mut cutter, mut read, mut buffer) = (Cutter::default(), Vec::new(), vec![0; 70_000]);
    while read.len() < frames {
        let length = browser.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "closed after {read:?}");
        let each = |cut: Cut<'_>| {
            read.push(String::from_utf8(cut.bytes[cut.payload_at..].to_vec()).unwrap());
            Ok(())
        };
        cutter.take(&buffer[..length], each).unwrap();
    }
    read
}

#[tokio::test]
async fn nothing_of_ours_leaves_before_connect_which_gets_its_pid() {
    let (mut stream, transport, mut browser) = wire(Origin::WebSocket, LIMITS).await;
    transport.send(part("42[1]"), When::Now).unwrap();
    stream.write_all(&frame("0{}")).await.unwrap();
    transport.send(part("42[2]"), When::Soon).unwrap();
    let connect = frame(r#"40{"sid":"abc"}"#);
    let (first, rest) = connect.split_at(7);
    stream.write_all(first).await.unwrap();
    transport.send(part("42[3]"), When::Now).unwrap();
    stream.write_all(rest).await.unwrap();
    transport.send(part("42[4]"), When::Now).unwrap();
    let expected = [
        "0{}",
        r#"40{"sid":"abc","pid":"P"}"#,
        "42[1]",
        "42[2]",
        "42[3]",
        "42[4]",
    ];
    assert_eq!(read(&mut browser, 6).await, expected);
}

#[tokio::test]
async fn a_pid_is_put_into_connect_and_nothing_else_is_changed_whatever_the_chunks() {
    let event = format!("42[\"{}\"]", "y".repeat(300));
    let payloads = [
        "0{\"sid\":\"x\"}",
        "40{\"sid\":\"abc\"}",
        &event,
        "40{\"sid\":\"abc\"}",
    ];
    let mut expected = payloads;
    expected[1] = "40{\"sid\":\"abc\",\"pid\":\"P\"}";
    let written = payloads.map(frame).concat();
    for chunk in 1..written.len() {
        let (mut stream, _transport, mut browser) = wire(Origin::WebSocket, LIMITS).await;
        for bytes in written.chunks(chunk) {
            stream.write_all(bytes).await.unwrap();
        }
        assert_eq!(read(&mut browser, 4).await, expected, "chunks of {chunk}");
    }
}

#[tokio::test]
async fn a_wire_that_took_the_place_of_polling_goes_on_after_the_sentinel_which_nobody_sees() {
    let (mut stream, transport, mut browser) = wire(Origin::Polling, LIMITS).await;
    // The browser says that it has upgraded.
    browser.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'5']).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    let mut rest = [0; 6];
    stream.read_exact(&mut rest).await.unwrap();
    transport.turned_direct().await;
    transport.send(part("42[2]"), When::Now).unwrap();
    transport.hold([part("42[3]")].into_iter());
    stream.write_all(&frame("42[1]")).await.unwrap();
    transport.window(1, 0).await;
    stream
        .write_all(&frame(&format!("42[\"{SENTINEL}\"]")))
        .await
        .unwrap();
    transport.send(part("42[4]"), When::Now).unwrap();
    assert_eq!(read(&mut browser, 4).await, ["42[1]", "42[2]", "42[3]", "42[4]"]);
}

#[tokio::test]
async fn the_library_waits_for_room_and_loses_nothing() {
    let limits = Limits {
        outbound_bytes: 1_000,
        write_stall: Duration::from_secs(60),
        ..LIMITS
    };
    let (mut stream, _transport, mut browser) = wire(Origin::WebSocket, limits).await;
    // More than the kernel's buffers take.
    let events: Vec<_> = (0..40)
        .map(|n| format!("42[{n},\"{}\"]", "y".repeat(1_000_000)))
        .collect();
    let written = events.clone();
    let library = tokio::spawn(async move {
        for event in written {
            stream.write_all(&frame(&event)).await.unwrap();
        }
        stream
    });
    assert!(read(&mut browser, events.len()).await == events);
    library.await.unwrap();
}

#[tokio::test]
async fn a_library_that_waits_for_room_learns_that_the_transport_was_killed() {
    let (mut stream, transport, _browser) = wire(Origin::WebSocket, LIMITS).await;
    let library = tokio::spawn(async move {
        let event = frame(&"y".repeat(1_000_000));
        while stream.write_all(&event).await.is_ok() {}
    });
    // Some time while or after the kernel's buffers fill.
    tokio::task::yield_now().await;
    transport.kill();
    library.await.unwrap();
}

#[tokio::test]
async fn a_browser_that_takes_nothing_is_closed_and_a_full_queue_gives_back() {
    let limits = Limits {
        outbound_bytes: 100_000,
        ..LIMITS
    };
    let (mut stream, transport, _browser) = wire(Origin::WebSocket, limits).await;
    stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
    let large = "x".repeat(50_000);
    let full = loop {
        if let Err(full) = transport.send(part(&large), When::Now) {
            break full;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(full, Full);
    assert!(!transport.is_killed());
    transport.killed().await;
    assert!(stream.read_u8().await.is_err());
    assert!(stream.write_all(&frame("2")).await.is_err());
    assert_eq!(transport.send(part("42[1]"), When::Now), Ok(()));
}

#[tokio::test]
async fn nothing_of_ours_follows_a_disconnect() {
    let (mut stream, transport, mut browser) = wire(Origin::WebSocket, LIMITS).await;
    transport
        .send(Part::Frame(Frame::disconnect()), When::Now)
        .unwrap();
    transport.send(part("42[1]"), When::Now).unwrap();
    stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
    transport.send(part("42[2]"), When::Now).unwrap();
    stream.write_all(&frame("2")).await.unwrap();
    assert_eq!(read(&mut browser, 3).await[1..], ["41", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_of_many_writers_arrive_whole_and_in_the_order_of_each() {
    const FRAMES: usize = 3_000;
    let limits = Limits {
        write_stall: Duration::from_secs(60),
        ..LIMITS
    };
    let (mut stream, transport, mut browser) = wire(Origin::WebSocket, limits).await;
    let payload = |writer: &str, n: usize| format!("42[{writer},{n},{}]", "x".repeat(n * 37 % 900));
    let writes = |writer: &'static str, when| {
        let transport = transport.clone();
        async move {
            for n in 0..FRAMES {
                if n % 50 == 7 {
                    let frames = [Frame::text(payload(writer, n))];
                    transport
                        .send(Part::Lazy(Box::new(frames.into_iter())), when)
                        .unwrap();
                } else {
                    transport.send(part(&payload(writer, n)), when).unwrap();
                }
                if n % 64 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    tokio::spawn(writes("0", When::Now));
    tokio::spawn(writes("1", When::Soon));
    tokio::spawn(writes("2", When::Now));
    let closing = Arc::new(AtomicBool::new(false));
    let keep = closing.clone();
    tokio::spawn(async move {
        stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
        for n in 0..FRAMES {
            stream.write_all(&frame(&payload("3", n))).await.unwrap();
            if n % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        while !keep.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
    });
    // The kernel's buffers fill up while the browser reads nothing.
    let mut peeked = [0; 1];
    browser.peek(&mut peeked).await.unwrap();
    let read = read(&mut browser, 1 + 4 * FRAMES).await;
    closing.store(true, Ordering::Release);
    assert_eq!(read[0], r#"40{"sid":"abc","pid":"P"}"#);
    for writer in ["0", "1", "2", "3"] {
        let start = format!("42[{writer},");
        let of_one = read.iter().filter(|frame| frame.starts_with(&start));
        let expected: Vec<_> = (0..FRAMES).map(|n| payload(writer, n)).collect();
        assert!(of_one.eq(&expected), "{writer}");
    }
}
