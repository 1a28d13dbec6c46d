//! Every operation on a wire runs under its lock, so that concurrent operations are equivalent to some order of these
//! steps. The test runs steps in random order, over a real socket with small buffers, and compares the result with a model
//! of D1 to D5.

use std::{
    io::{ErrorKind, Read},
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use proptest::prelude::*;
use socket2::{Domain, Socket, Type};
use tokio::task::yield_now;

use super::{
    Flushers, FollowUp, Full, Wire, WireOwner, WriteMode,
    frame::{Frame, tests::bytes},
    queue::QueueItem,
    wire::WirePhase,
};

/// The limit of held and queued bytes.
const LIMIT: usize = 24 * 1024;
/// The requested size of the kernel's buffers; the kernel may use its own minimum.
const KERNEL_BYTES: usize = 2 * 1024;
/// Longer than the kernel may pause a connection whose buffers were full.
const SILENCE: Duration = Duration::from_secs(2);
const GREETING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// The owner of the wire. Nothing runs its flusher; the model calls flush instead.
struct NoOwner;

impl WireOwner for NoOwner {
    fn flush(self: &Arc<Self>) {}
}

#[derive(Debug, Clone)]
enum Step {
    /// The rooms task sends a frame with this many bytes.
    Send(usize, WriteMode),
    /// The rooms task sends a replay.
    Replay(Vec<usize>),
    /// The rooms task sends the last frame.
    Disconnect(WriteMode),
    /// The wire takes over the items of socketioxide's path.
    Hold(Vec<usize>),
    /// socketioxide writes a frame; it requests the flush some steps later.
    Enqueue(usize),
    RequestFlush,
    Release,
    EndDirect,
    /// The flusher runs.
    Flush,
    /// The browser reads at most this many bytes.
    Read(usize),
    ShutDown,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = 0_usize..6_000;
    let lengths = prop::collection::vec(length.clone(), 0..4);
    let mode = prop_oneof![Just(WriteMode::Inline), Just(WriteMode::Flusher)];
    let step = prop_oneof![
        30 => (length.clone(), mode.clone()).prop_map(|(length, mode)| Step::Send(length, mode)),
        10 => lengths.clone().prop_map(Step::Replay),
        5 => lengths.prop_map(Step::Hold),
        20 => length.prop_map(Step::Enqueue),
        20 => Just(Step::RequestFlush),
        15 => Just(Step::Release),
        30 => Just(Step::Flush),
        30 => (0_usize..20_000).prop_map(Step::Read),
        // Rare, because little happens after them.
        1 => mode.prop_map(Step::Disconnect),
        1 => Just(Step::EndDirect),
        1 => Just(Step::ShutDown),
    ];
    prop::collection::vec(step, 1..60)
}

/// The phase of the model's wire.
#[derive(Debug)]
enum Gate {
    Held { bytes: Vec<u8>, ends: bool },
    Open,
    Ending,
    Closed,
}

struct Model {
    wire: Wire<NoOwner>,
    owner: Arc<NoOwner>,
    browser: std::net::TcpStream,
    gate: Gate,
    /// What the browser has to receive, in order.
    expected: Vec<u8>,
    received: Vec<u8>,
    /// A frame was queued, and its flush was not requested yet.
    flush_is_due: bool,
    /// The number of frames so far.
    count: usize,
}

impl Model {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.set_recv_buffer_size(KERNEL_BYTES).unwrap();
        listener
            .bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .unwrap();
        listener.listen(1).unwrap();
        let server = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        server.set_send_buffer_size(KERNEL_BYTES).unwrap();
        server.connect(&listener.local_addr().unwrap()).unwrap();
        server.set_nonblocking(true).unwrap();
        let (browser, _) = listener.accept().unwrap();
        browser.set_nonblocking(true).unwrap();
        let (_, half) = tokio::net::TcpStream::from_std(server.into())
            .unwrap()
            .into_split();
        Self {
            wire: Wire::new(half, &Flushers::default(), 0, Bytes::from_static(GREETING), LIMIT),
            owner: Arc::new(NoOwner),
            browser: browser.into(),
            gate: Gate::Held {
                bytes: Vec::new(),
                ends: false,
            },
            expected: GREETING.to_vec(),
            received: Vec::new(),
            flush_is_due: true,
            count: 0,
        }
    }

    /// A frame that differs from all others.
    fn frame(&mut self, length: usize) -> Frame {
        self.count += 1;
        Frame::text(format!("{}:{}", self.count, "x".repeat(length)))
    }

    fn frames(&mut self, lengths: Vec<usize>) -> Vec<Frame> {
        lengths.into_iter().map(|length| self.frame(length)).collect()
    }

    fn is_registered(&self) -> bool {
        self.wire.lock().registered
    }

    /// Bytes that are held and queued, and whether the queue that the next direct frame enters is empty.
    fn waiting(&self) -> (usize, bool) {
        let state = self.wire.lock();
        match &state.phase {
            WirePhase::Held(held) => (held.queue.bytes() + state.queue.bytes(), held.queue.is_empty()),
            WirePhase::Open | WirePhase::Ending | WirePhase::Closed => {
                (state.queue.bytes(), state.queue.is_empty())
            }
        }
    }

    /// Sends a direct item; `content` is all of its bytes.
    fn send(&mut self, item: QueueItem, content: &[u8], mode: WriteMode) -> Result<(), TestCaseError> {
        let (is_last, cost) = (item.is_last(), item.bytes());
        let ((waiting, is_empty), was_registered) = (self.waiting(), self.is_registered());
        match self.wire.send(&self.owner, item, mode) {
            Ok(follow_up) => {
                self.check_registration(was_registered, follow_up.unwrap())?;
                let takes_item = matches!(self.gate, Gate::Held { .. } | Gate::Open);
                prop_assert!(
                    !takes_item || is_empty || waiting + cost <= LIMIT,
                    "D4: {waiting} bytes are waiting"
                );
                match &mut self.gate {
                    Gate::Held { bytes, ends } if !*ends => {
                        bytes.extend_from_slice(content);
                        *ends = is_last;
                    }
                    Gate::Open => {
                        self.expected.extend_from_slice(content);
                        if is_last {
                            self.gate = Gate::Ending;
                        }
                    }
                    Gate::Held { .. } | Gate::Ending | Gate::Closed => {}
                }
            }
            Err(Full) => {
                prop_assert!(waiting + cost > LIMIT, "D4: only {waiting} bytes are waiting");
                self.shut_down();
            }
        }
        Ok(())
    }

    fn send_frame(&mut self, frame: Frame, mode: WriteMode) -> Result<(), TestCaseError> {
        let content = bytes(&frame);
        self.send(QueueItem::Frame(frame), &content, mode)
    }

    /// D3: exactly the operation that marks the wire as registered returns [`FollowUp::Register`].
    fn check_registration(&self, was_registered: bool, follow_up: FollowUp) -> Result<(), TestCaseError> {
        prop_assert_eq!(
            follow_up == FollowUp::Register,
            !was_registered && self.is_registered(),
            "D3: {:?}",
            follow_up
        );
        Ok(())
    }

    fn shut_down(&mut self) {
        self.wire.shut_down();
        self.gate = Gate::Closed;
    }

    fn flush(&mut self) -> Result<(), TestCaseError> {
        let (follow_up, _) = self.wire.flush(&self.owner).unwrap();
        self.check_registration(false, follow_up)
    }

    fn read(&mut self, most: usize) {
        let mut buffer = vec![0; most];
        match self.browser.read(&mut buffer) {
            Ok(count) => self.received.extend_from_slice(&buffer[..count]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send(length, mode) => {
                let frame = self.frame(length);
                self.send_frame(frame, mode)?;
            }
            Step::Replay(lengths) => {
                let frames = self.frames(lengths);
                let content: Vec<_> = frames.iter().flat_map(bytes).collect();
                self.send(
                    QueueItem::Lazy(Box::new(frames.into_iter())),
                    &content,
                    WriteMode::Flusher,
                )?;
            }
            Step::Disconnect(mode) => self.send_frame(Frame::disconnect(), mode)?,
            Step::Hold(lengths) => {
                let frames = self.frames(lengths);
                if let Gate::Held {
                    bytes: held,
                    ends: false,
                } = &mut self.gate
                {
                    held.extend(frames.iter().flat_map(bytes));
                }
                self.wire.hold(frames.into_iter().map(QueueItem::Frame));
            }
            Step::Enqueue(length) => {
                let frame = self.frame(length);
                let content = bytes(&frame);
                let queued = self.wire.enqueue(frame);
                if matches!(self.gate, Gate::Closed) {
                    prop_assert!(queued.is_err(), "D5");
                } else {
                    prop_assert!(queued.is_ok());
                    self.expected.extend(content);
                    self.flush_is_due = true;
                }
            }
            Step::RequestFlush => {
                let was_registered = self.is_registered();
                let follow_up = self.wire.request_flush();
                self.check_registration(was_registered, follow_up)?;
                self.flush_is_due = false;
            }
            Step::Release => {
                self.wire.release();
                if let Gate::Held { bytes, ends } = &mut self.gate {
                    self.expected.append(bytes);
                    self.gate = if *ends { Gate::Ending } else { Gate::Open };
                    self.flush_is_due = true;
                }
            }
            Step::EndDirect => {
                self.wire.end_direct();
                match &mut self.gate {
                    Gate::Held { ends, .. } => *ends = true,
                    Gate::Open => self.gate = Gate::Ending,
                    Gate::Ending | Gate::Closed => {}
                }
            }
            Step::Flush => self.flush()?,
            Step::Read(most) => self.read(most),
            Step::ShutDown => self.shut_down(),
        }
        let state = self.wire.lock();
        let will_be_flushed = state.queue.is_empty() || state.registered || state.blocked;
        prop_assert!(self.flush_is_due || will_be_flushed, "D3: no flush follows");
        prop_assert!(
            !state.blocked || state.watched,
            "D6: a blocked wire is not watched"
        );
        Ok(())
    }

    /// The browser reads everything, until no bytes have arrived for a while.
    async fn drain(&mut self) -> Result<(), TestCaseError> {
        let mut last = Instant::now();
        while self.received.len() < self.expected.len() && last.elapsed() < SILENCE {
            let before = self.received.len();
            self.flush()?;
            self.read(64 * 1024);
            if self.received.len() > before {
                last = Instant::now();
            } else if matches!(self.gate, Gate::Closed) {
                break;
            }
            yield_now().await;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn d1_to_d5_hold_for_operations_in_any_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new();
            for step in steps {
                model.run(step)?;
                // Lets tokio notice that the socket is writable.
                yield_now().await;
            }
            model.drain().await?;
            let (received, expected) = (&model.received, &model.expected);
            if matches!(model.gate, Gate::Closed) {
                prop_assert!(expected.starts_with(received), "D1, D2: out of order");
            } else {
                prop_assert!(received == expected, "D1, D2: {} of {} bytes", received.len(), expected.len());
            }
            Ok(())
        })?;
    }
}
