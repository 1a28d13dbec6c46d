//! The order in which the rooms task handles its inputs. `tests/it` tests the task with the whole edge.

use std::sync::atomic::{AtomicI64, Ordering};

use roomcast_core::{Entry, Epoch, ErrorCode, Event, Offset, Position, RoomId, RoomState, Snapshot};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use super::*;
use crate::{
    config::Limits,
    inbox::{self, Denial, Inbox},
    link::{self, Dialer, LinkConfig},
    transport::{
        InitialTransport, SocketStream,
        tests::{connect, frame, read},
    },
};

/// A rooms task that does not run yet, with one socket of alice, which is in her user's room.
struct Fixture {
    rooms: RoomsTask,
    inbox: Inbox,
    inputs: InboxReceiver,
    handle: Arc<SocketHandle>,
    browser: TcpStream,
    _stream: SocketStream,
}

impl Fixture {
    /// The token of alice expires at this time.
    async fn start(clock: Clock, expires_at: i64) -> Self {
        let (mut stream, transport, mut browser) =
            connect(InitialTransport::WebSocket, Limits::DEFAULT).await;
        stream.write_all(&frame(r#"40{"sid":"abc"}"#)).await.unwrap();
        assert_eq!(read(&mut browser, 1).await, [r#"40{"sid":"abc","pid":"P"}"#]);
        let (inbox, inputs) = inbox::channel();
        let mut rooms = RoomsTask::new(16, clock, 1, unused_link(&inbox), Metrics::default());
        let handle = Arc::new(SocketHandle::new(
            SocketId(1),
            "alice".parse().unwrap(),
            transport,
            None,
        ));
        let (user_room_joined, mut joined) = oneshot::channel();
        rooms.handle_input(RoomsInput::Connected {
            socket: handle.clone(),
            expires_at,
            user_room_joined,
        });
        rooms.handle_link(LinkInput::Attached(AttachmentId(1)));
        let state = RoomState::User {
            pending_feedback: Default::default(),
        };
        let position = Position::NONE;
        let snapshot = Input::Snapshot(alice(), Snapshot { position, state });
        rooms.handle_link(LinkInput::Rooms(snapshot));
        rooms.act();
        joined.try_recv().unwrap();
        Self {
            rooms,
            inbox,
            inputs,
            handle,
            browser,
            _stream: stream,
        }
    }

    /// Queues a denial, which the task sends as the acknowledgement `7`.
    fn queue_denial(&self) {
        let denial = Denial {
            session: None,
            code: ErrorCode::BadRequest,
            message: String::new(),
        };
        let (socket, ack) = (self.handle.id, AckId(Some(7)));
        assert!(
            self.inbox
                .try_send(RoomsInput::Deny { socket, denial, ack })
                .is_ok()
        );
    }
}

fn alice() -> RoomId {
    RoomId::User("alice".parse().unwrap())
}

/// A link without its tasks.
fn unused_link(inbox: &Inbox) -> LinkHandle {
    let config = LinkConfig {
        edge_id: "edge".parse().unwrap(),
        control_planes: Vec::new(),
        dialer: Dialer::new(None, Default::default()),
        rebalance: Duration::MAX,
        interests_limit: 16,
    };
    let readiness = roomcast_runtime::admin::Readiness::new(Default::default());
    link::link(
        config,
        inbox.clone(),
        readiness.register("link"),
        Metrics::default(),
    )
    .handle
}

/// An entry of alice's room: `feedback-required`.
fn entry() -> LinkInput {
    let session = "s1".parse().unwrap();
    let event = Event::FeedbackRequired { session };
    let entry = Entry::new(Epoch::from_random(1), Offset(1), 1, event);
    LinkInput::Rooms(Input::Entries(alice(), vec![entry.into()]))
}

fn names(packets: &[String]) -> Vec<&str> {
    let names = packets
        .iter()
        .map(|packet| packet.split([',', '{']).next().unwrap());
    names.collect()
}

#[tokio::test]
async fn the_link_is_handled_before_the_requests_of_sockets() {
    let mut fixture = Fixture::start(Clock::new(|| 0), 1).await;
    fixture.queue_denial();
    let (link, link_inputs) = mpsc::channel(16);
    link.try_send(entry()).unwrap();
    let task = tokio::spawn(fixture.rooms.run(fixture.inputs, link_inputs));
    let packets = read(&mut fixture.browser, 2).await;
    assert_eq!(names(&packets), [r#"42["feedback-required""#, "437["]);
    task.abort();
}

#[tokio::test]
async fn a_socket_that_has_disconnected_gets_nothing_that_was_queued_before() {
    let mut fixture = Fixture::start(Clock::new(|| 0), 1).await;
    fixture.queue_denial();
    fixture.inbox.disconnect(&fixture.handle);
    let (link, link_inputs) = mpsc::channel(16);
    drop(fixture.inbox);
    let handle = Arc::downgrade(&fixture.handle);
    fixture.handle.transport.kill();
    drop(fixture.handle);
    // The task ends, because its inbox has no sender, after it has handled everything.
    fixture.rooms.run(fixture.inputs, link_inputs).await;
    let mut rest = Vec::new();
    fixture.browser.read_to_end(&mut rest).await.unwrap();
    assert_eq!((rest, handle.strong_count()), (Vec::new(), 0));
    drop(link);
}

#[tokio::test(start_paused = true)]
async fn i6_an_expired_token_kills_the_transport_within_the_interval() {
    let time = Arc::new(AtomicI64::new(4_000));
    let clock = {
        let time = time.clone();
        Clock::new(move || time.load(Ordering::SeqCst))
    };
    let fixture = Fixture::start(clock, 5).await;
    let transport = fixture.handle.transport.clone();
    let (_link, link_inputs) = mpsc::channel(16);
    let task = tokio::spawn(fixture.rooms.run(fixture.inputs, link_inputs));
    tokio::time::sleep(10 * EXPIRY_INTERVAL).await;
    assert!(!transport.is_killed());
    // A new token counts from the next sweep on.
    let socket = fixture.handle.id;
    let refreshed = RoomsInput::TokenRefreshed {
        socket,
        expires_at: 6,
    };
    fixture.inbox.send(refreshed).await;
    time.store(5_000, Ordering::SeqCst);
    tokio::time::sleep(10 * EXPIRY_INTERVAL).await;
    assert!(!transport.is_killed());
    time.store(6_000, Ordering::SeqCst);
    let expired = Instant::now();
    let killed = tokio::time::timeout(2 * EXPIRY_INTERVAL, transport.killed());
    killed.await.unwrap();
    assert!(expired.elapsed() <= EXPIRY_INTERVAL);
    task.abort();
}
