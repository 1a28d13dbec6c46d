//! The direct path over real sockets and threads; the names of the invariants D1 to D6 are those of `direct/`.

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

use super::{InitialTransport, SocketStream, Transport, Transports};
use crate::{
    config::Limits,
    direct::{
        Full, WriteMode,
        frame::{Frame, tests::bytes},
        frame_splitter::{FrameSplitter, RawFrame, SENTINEL},
        queue::QueueItem,
    },
};

const LIMITS: Limits = Limits {
    outbound_bytes: 64 * 1024 * 1024,
    write_stall: Duration::from_millis(200),
    ..Limits::DEFAULT
};

/// A WebSocket as socketioxide gets it, its transport, and the browser's end.
pub(crate) async fn connect(
    initial: InitialTransport,
    limits: Limits,
) -> (SocketStream, Arc<Transport>, TcpStream) {
    let transports = Transports::new(prometheus_client::metrics::gauge::Gauge::default(), limits);
    for flusher in transports.flushers().tasks() {
        tokio::spawn(flusher);
    }
    connect_in(&transports, initial).await
}

async fn connect_in(
    transports: &Transports,
    initial: InitialTransport,
) -> (SocketStream, Arc<Transport>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let browser = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    let transport = transports.open(initial);
    transport.set_pid("P".to_owned());
    let stream = SocketStream::new(
        tcp,
        bytes::Bytes::new(),
        bytes::Bytes::new(),
        transport.clone(),
        initial == InitialTransport::Polling,
    );
    (stream, transport, browser)
}

pub(crate) fn frame(payload: &str) -> Vec<u8> {
    bytes(&Frame::text(payload))
}

fn item(payload: &str) -> QueueItem {
    QueueItem::Frame(Frame::text(payload))
}

/// Reads the payloads of the next frames.
pub(crate) async fn read(browser: &mut TcpStream, frames: usize) -> Vec<String> {
    let (mut splitter, mut read, mut buffer) = (FrameSplitter::default(), Vec::new(), vec![0; 70_000]);
    while read.len() < frames {
        let length = browser.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "closed after {read:?}");
        let each = |frame: RawFrame<'_>| {
            read.push(String::from_utf8(frame.bytes[frame.payload_at..].to_vec()).unwrap());
            Ok(())
        };
        splitter.split(&buffer[..length], each).unwrap();
    }
    read
}

#[tokio::test]
async fn d2_no_direct_frame_leaves_before_connect_which_gets_its_pid() {
    let (mut stream, transport, mut browser) = connect(InitialTransport::WebSocket, LIMITS).await;
    transport.send(item("42[1]"), WriteMode::Inline).unwrap();
    stream.write_all(&frame("0{}")).await.unwrap();
    transport.send(item("42[2]"), WriteMode::Flusher).unwrap();
    let connect = frame(r#"40{"sid":"abc"}"#);
    let (first, rest) = connect.split_at(7);
    stream.write_all(first).await.unwrap();
    transport.send(item("42[3]"), WriteMode::Inline).unwrap();
    stream.write_all(rest).await.unwrap();
    transport.send(item("42[4]"), WriteMode::Inline).unwrap();
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
async fn a_pid_is_inserted_into_connect_only_in_chunks_of_any_size() {
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
        let (mut stream, _transport, mut browser) = connect(InitialTransport::WebSocket, LIMITS).await;
        for bytes in written.chunks(chunk) {
            stream.write_all(bytes).await.unwrap();
        }
        assert_eq!(read(&mut browser, 4).await, expected, "chunks of {chunk}");
    }
}

#[tokio::test]
async fn d2_a_wire_that_replaced_polling_continues_after_the_sentinel_which_no_browser_sees() {
    let (mut stream, transport, mut browser) = connect(InitialTransport::Polling, LIMITS).await;
    // The browser completes the upgrade.
    browser.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'5']).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x81);
    let mut rest = [0; 6];
    stream.read_exact(&mut rest).await.unwrap();
    transport.direct_path_ready().await;
    transport.send(item("42[2]"), WriteMode::Inline).unwrap();
    transport.hold([item("42[3]")].into_iter());
    stream.write_all(&frame("42[1]")).await.unwrap();
    transport.in_flight_at_most(0, 1).await;
    stream
        .write_all(&frame(&format!("42[\"{SENTINEL}\"]")))
        .await
        .unwrap();
    transport.send(item("42[4]"), WriteMode::Inline).unwrap();
    assert_eq!(read(&mut browser, 4).await, ["42[1]", "42[2]", "42[3]", "42[4]"]);
}

#[tokio::test]
async fn d4_socketioxide_waits_for_space_and_loses_nothing() {
    let limits = Limits {
        outbound_bytes: 1_000,
        write_stall: Duration::from_secs(60),
        ..LIMITS
    };
    let (mut stream, _transport, mut browser) = connect(InitialTransport::WebSocket, limits).await;
    // More than fits into the kernel's buffers.
    let events: Vec<_> = (0..40)
        .map(|n| format!("42[{n},\"{}\"]", "y".repeat(1_000_000)))
        .collect();
    let written = events.clone();
    let socketioxide = tokio::spawn(async move {
        for event in written {
            stream.write_all(&frame(&event)).await.unwrap();
        }
        stream
    });
    assert!(read(&mut browser, events.len()).await == events);
    socketioxide.await.unwrap();
}

#[tokio::test]
async fn d5_socketioxide_gets_an_error_when_the_transport_is_killed_while_it_waits() {
    let (mut stream, transport, _browser) = connect(InitialTransport::WebSocket, LIMITS).await;
    let socketioxide = tokio::spawn(async move {
        let event = frame(&"y".repeat(1_000_000));
        while stream.write_all(&event).await.is_ok() {}
    });
    // At some time while the kernel's buffers fill, or after.
    tokio::task::yield_now().await;
    transport.kill();
    socketioxide.await.unwrap();
}

#[tokio::test]
async fn d4_and_d6_a_full_queue_returns_full_and_a_stalled_transport_is_killed() {
    let limits = Limits {
        outbound_bytes: 100_000,
        ..LIMITS
    };
    let (mut stream, transport, _browser) = connect(InitialTransport::WebSocket, limits).await;
    stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
    let large = "x".repeat(50_000);
    let full = loop {
        if let Err(full) = transport.send(item(&large), WriteMode::Inline) {
            break full;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(full, Full);
    assert!(!transport.is_killed());
    transport.killed().await;
    assert!(stream.read_u8().await.is_err());
    assert!(stream.write_all(&frame("2")).await.is_err());
    assert_eq!(transport.send(item("42[1]"), WriteMode::Inline), Ok(()));
}

#[tokio::test]
async fn d5_no_direct_frame_follows_a_disconnect() {
    let (mut stream, transport, mut browser) = connect(InitialTransport::WebSocket, LIMITS).await;
    transport
        .send(QueueItem::Frame(Frame::disconnect()), WriteMode::Inline)
        .unwrap();
    transport.send(item("42[1]"), WriteMode::Inline).unwrap();
    stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
    transport.send(item("42[2]"), WriteMode::Inline).unwrap();
    stream.write_all(&frame("2")).await.unwrap();
    assert_eq!(read(&mut browser, 3).await[1..], ["41", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d1_frames_of_many_writers_arrive_complete_and_in_the_order_of_each_writer() {
    const FRAMES: usize = 3_000;
    let limits = Limits {
        write_stall: Duration::from_secs(60),
        ..LIMITS
    };
    let (mut stream, transport, mut browser) = connect(InitialTransport::WebSocket, limits).await;
    let payload = |writer: &str, n: usize| format!("42[{writer},{n},{}]", "x".repeat(n * 37 % 900));
    let writes = |writer: &'static str, mode| {
        let transport = transport.clone();
        async move {
            for n in 0..FRAMES {
                if n % 50 == 7 {
                    let frames = [Frame::text(payload(writer, n))];
                    transport
                        .send(QueueItem::Lazy(Box::new(frames.into_iter())), mode)
                        .unwrap();
                } else {
                    transport.send(item(&payload(writer, n)), mode).unwrap();
                }
                if n % 64 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    tokio::spawn(writes("0", WriteMode::Inline));
    tokio::spawn(writes("1", WriteMode::Flusher));
    tokio::spawn(writes("2", WriteMode::Inline));
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
        let of_writer = read.iter().filter(|frame| frame.starts_with(&start));
        let expected: Vec<_> = (0..FRAMES).map(|n| payload(writer, n)).collect();
        assert!(of_writer.eq(&expected), "{writer}");
    }
}

#[tokio::test]
async fn d6_and_i7_a_browser_that_reads_nothing_does_not_delay_another_socket() {
    let transports = Transports::new(prometheus_client::metrics::gauge::Gauge::default(), LIMITS);
    // The test runs on one thread, so that a write that waits would delay the other socket.
    for flusher in transports.flushers().tasks() {
        tokio::spawn(flusher);
    }
    let (mut slow_stream, slow, _slow_browser) = connect_in(&transports, InitialTransport::WebSocket).await;
    let (mut stream, transport, mut browser) = connect_in(&transports, InitialTransport::WebSocket).await;
    for stream in [&mut slow_stream, &mut stream] {
        stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
    }
    assert_eq!(read(&mut browser, 1).await.len(), 1);
    // More than the kernel's buffers accept: the slow socket's queue keeps the rest.
    let large = item(&"x".repeat(LIMITS.outbound_bytes / 2));
    slow.send(large, WriteMode::Flusher).unwrap();
    for n in 0..100 {
        let mode = if n % 2 == 0 {
            WriteMode::Inline
        } else {
            WriteMode::Flusher
        };
        slow.send(item("42[0]"), mode).unwrap();
        let payload = format!("42[{n}]");
        transport.send(item(&payload), mode).unwrap();
        assert_eq!(read(&mut browser, 1).await, [payload]);
    }
    slow.killed().await;
    assert!(!transport.is_killed());
}
