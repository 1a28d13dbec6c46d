//! Whoever writes to a wire does so under its lock, so what threads do at the same time is some order of these steps.
//! Here they come in any order, over a real socket with small buffers, beside a model of what D1 to D5 promise.

use std::{
    io::{ErrorKind, Read},
    net::Ipv4Addr,
    sync::Weak,
    time::{Duration, Instant},
};

use bytes::Bytes;
use proptest::prelude::*;
use socket2::{Domain, Socket, Type};
use tokio::task::yield_now;

use super::{
    Full, Next, Phase, When, Wire,
    frame::{Frame, tests::bytes},
    queue::Part,
};

/// Bytes that may wait.
const CAP: usize = 24 * 1024;
/// Bytes of the kernel's buffers, which are not smaller than it allows.
const KERNEL_BYTES: usize = 2 * 1024;
/// Longer than the kernel may let a full connection rest.
const NOTHING_COMES: Duration = Duration::from_secs(2);
const GREETING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

#[derive(Debug, Clone)]
enum Step {
    /// The switch sends a frame.
    Send(usize, When),
    /// The switch sends a replay.
    Replay(Vec<usize>),
    /// The switch sends the last frame.
    Disconnect(When),
    /// What was entered by the ordinary path is taken over.
    Hold(Vec<usize>),
    /// The crate writes a frame; it lists the wire some steps later.
    Enter(usize),
    List,
    Release,
    End,
    /// A flusher has its turn.
    Flush,
    /// The browser reads so much.
    Read(usize),
    Shut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = 0_usize..6_000;
    let lengths = prop::collection::vec(length.clone(), 0..4);
    let when = prop_oneof![Just(When::Now), Just(When::Soon)];
    let step = prop_oneof![
        30 => (length.clone(), when.clone()).prop_map(|(length, when)| Step::Send(length, when)),
        10 => lengths.clone().prop_map(Step::Replay),
        5 => lengths.prop_map(Step::Hold),
        20 => length.prop_map(Step::Enter),
        20 => Just(Step::List),
        15 => Just(Step::Release),
        30 => Just(Step::Flush),
        30 => (0_usize..20_000).prop_map(Step::Read),
        // Seldom, since little happens after them.
        1 => when.prop_map(Step::Disconnect),
        1 => Just(Step::End),
        1 => Just(Step::Shut),
    ];
    prop::collection::vec(step, 1..60)
}

/// What may leave, as the model has it.
#[derive(Debug)]
enum Gate {
    Held { bytes: Vec<u8>, ends: bool },
    Open,
    Ending,
    Closed,
}

struct Model {
    wire: Wire,
    browser: std::net::TcpStream,
    gate: Gate,
    /// What has to come to the browser, in order.
    expected: Vec<u8>,
    received: Vec<u8>,
    /// Something was entered, and whoever entered it has not listed the wire yet.
    is_unlisted: bool,
    /// How many frames there were.
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
            wire: Wire::new(half, Weak::new(), Bytes::from_static(GREETING), CAP),
            browser: browser.into(),
            gate: Gate::Held {
                bytes: Vec::new(),
                ends: false,
            },
            expected: GREETING.to_vec(),
            received: Vec::new(),
            is_unlisted: true,
            count: 0,
        }
    }

    /// A frame like no other.
    fn frame(&mut self, length: usize) -> Frame {
        self.count += 1;
        Frame::text(format!("{}:{}", self.count, "x".repeat(length)))
    }

    fn frames(&mut self, lengths: Vec<usize>) -> Vec<Frame> {
        lengths.into_iter().map(|length| self.frame(length)).collect()
    }

    fn listed(&self) -> bool {
        self.wire.lock().listed
    }

    /// Bytes that wait, and whether nothing does where the next of ours would go.
    fn waiting(&self) -> (usize, bool) {
        let state = self.wire.lock();
        match &state.phase {
            Phase::Held(held) => (held.queue.bytes() + state.queue.bytes(), held.queue.is_empty()),
            Phase::Open | Phase::Ending | Phase::Closed => (state.queue.bytes(), state.queue.is_empty()),
        }
    }

    /// Ours: `content` is all of its bytes.
    fn send(&mut self, part: Part, content: &[u8], when: When) -> Result<(), TestCaseError> {
        let (is_last, cost) = (part.is_last(), part.bytes());
        let ((waiting, is_free), was_listed) = (self.waiting(), self.listed());
        match self.wire.send(part, when) {
            Ok(next) => {
                self.told(was_listed, next.unwrap())?;
                let takes_part = matches!(self.gate, Gate::Held { .. } | Gate::Open);
                prop_assert!(
                    !takes_part || is_free || waiting + cost <= CAP,
                    "D4: {waiting} bytes wait"
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
                prop_assert!(waiting + cost > CAP, "D4: only {waiting} bytes wait");
                self.shut();
            }
        }
        Ok(())
    }

    fn send_frame(&mut self, frame: Frame, when: When) -> Result<(), TestCaseError> {
        let content = bytes(&frame);
        self.send(Part::Frame(frame), &content, when)
    }

    /// D3: who puts the wire on a list is told to, and nobody else is.
    fn told(&self, was_listed: bool, next: Next) -> Result<(), TestCaseError> {
        prop_assert_eq!(next == Next::List, !was_listed && self.listed(), "D3: {:?}", next);
        Ok(())
    }

    fn shut(&mut self) {
        self.wire.shut();
        self.gate = Gate::Closed;
    }

    fn flush(&mut self) -> Result<(), TestCaseError> {
        let (next, _) = self.wire.flush().unwrap();
        self.told(false, next)
    }

    fn read(&mut self, most: usize) {
        let mut buffer = vec![0; most];
        match self.browser.read(&mut buffer) {
            Ok(count) => self.received.extend_from_slice(&buffer[..count]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send(length, when) => {
                let frame = self.frame(length);
                self.send_frame(frame, when)?;
            }
            Step::Replay(lengths) => {
                let frames = self.frames(lengths);
                let content: Vec<_> = frames.iter().flat_map(bytes).collect();
                self.send(Part::Lazy(Box::new(frames.into_iter())), &content, When::Soon)?;
            }
            Step::Disconnect(when) => self.send_frame(Frame::disconnect(), when)?,
            Step::Hold(lengths) => {
                let frames = self.frames(lengths);
                if let Gate::Held {
                    bytes: held,
                    ends: false,
                } = &mut self.gate
                {
                    held.extend(frames.iter().flat_map(bytes));
                }
                self.wire.hold(frames.into_iter().map(Part::Frame));
            }
            Step::Enter(length) => {
                let frame = self.frame(length);
                let content = bytes(&frame);
                let entered = self.wire.enter(frame);
                if matches!(self.gate, Gate::Closed) {
                    prop_assert!(entered.is_err(), "D5");
                } else {
                    prop_assert!(entered.is_ok());
                    self.expected.extend(content);
                    self.is_unlisted = true;
                }
            }
            Step::List => {
                let was_listed = self.listed();
                let next = self.wire.list();
                self.told(was_listed, next)?;
                self.is_unlisted = false;
            }
            Step::Release => {
                self.wire.release();
                if let Gate::Held { bytes, ends } = &mut self.gate {
                    self.expected.append(bytes);
                    self.gate = if *ends { Gate::Ending } else { Gate::Open };
                    self.is_unlisted = true;
                }
            }
            Step::End => {
                self.wire.end();
                match &mut self.gate {
                    Gate::Held { ends, .. } => *ends = true,
                    Gate::Open => self.gate = Gate::Ending,
                    Gate::Ending | Gate::Closed => {}
                }
            }
            Step::Flush => self.flush()?,
            Step::Read(most) => self.read(most),
            Step::Shut => self.shut(),
        }
        let state = self.wire.lock();
        let is_looked_after = state.queue.is_empty() || state.listed || state.blocked;
        prop_assert!(self.is_unlisted || is_looked_after, "D3: nobody comes");
        prop_assert!(!state.blocked || state.watched, "D3: nobody watches");
        Ok(())
    }

    /// The browser reads everything, until nothing has come for a while.
    async fn drain(&mut self) -> Result<(), TestCaseError> {
        let mut last = Instant::now();
        while self.received.len() < self.expected.len() && last.elapsed() < NOTHING_COMES {
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
    fn any_order_of_what_writers_do_is_what_the_invariants_say(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new();
            for step in steps {
                model.take(step)?;
                // The runtime learns what the kernel takes again.
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
