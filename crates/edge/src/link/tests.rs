//! The limits of the link's queues. `tests/it` tests the link with the whole edge.

use tokio::time::advance;

use super::*;
use crate::inbox;
use control_plane::{Call, ControlPlane};
use time::{StoppedTime, eventually};

#[expect(dead_code, reason = "tests/it uses more of it")]
#[path = "../../tests/it/control_plane.rs"]
mod control_plane;
#[expect(dead_code, reason = "tests/it uses more of it")]
#[path = "../../tests/it/logs.rs"]
mod logs;
#[path = "../../tests/it/time.rs"]
mod time;

fn link_to(control_planes: Vec<http::Uri>) -> (Link, inbox::InboxReceiver) {
    let config = LinkConfig {
        edge_id: "edge".parse().unwrap(),
        control_planes,
        dialer: Dialer::new(None, Default::default()),
        rebalance: Duration::MAX,
        interests_limit: 4,
    };
    let (inbox, receiver) = inbox::channel();
    let readiness = roomcast_runtime::admin::Readiness::new(Default::default());
    let link = link(config, inbox, readiness.register("link"), Metrics::default());
    (link, receiver)
}

#[tokio::test]
async fn i7_a_full_queue_of_joins_returns_the_failure() {
    let (link, _receiver) = link_to(Vec::new());
    let authorize = || {
        let (session, user) = ("s1".parse().unwrap(), "alice".parse().unwrap());
        link.handle
            .authorize(SocketId(1), session, user, SocketRequestId(1))
    };
    for _ in 0..JOINS_LIMIT {
        assert_eq!(authorize(), Ok(()));
    }
    assert_eq!(authorize(), Err(LinkFull));
}

#[tokio::test]
async fn i7_a_full_queue_of_reads_returns_the_failure() {
    let (link, _receiver) = link_to(Vec::new());
    let read = || link.handle.read("session:s1".parse().unwrap(), Position::NONE);
    for _ in 0..READS_LIMIT {
        assert_eq!(read(), Ok(()));
    }
    assert_eq!(read(), Err(LinkFull));
}

#[tokio::test(start_paused = true)]
async fn i7_more_interests_than_the_limit_make_the_edge_attach_again() {
    let _stopped_time = StoppedTime::begin();
    let control_plane = ControlPlane::start("control-plane", &logs::Logs::default()).await;
    let address = format!("http://{}", control_plane.address).parse().unwrap();
    let (mut link, _receiver) = link_to(vec![address]);
    let attacher = tokio::spawn(link.attacher.run(Default::default()));
    let attached = |input| matches!(input, Some(LinkInput::Attached(_)));
    assert!(attached(link.inputs.recv().await));
    // Nothing is awaited here, so that the link takes no interest from the queue.
    for user in ["a", "b", "c", "d", "e"] {
        let room = RoomId::User(user.parse().unwrap());
        link.handle.interest(AttachmentId(1), room, None);
    }
    control_plane.called(&Call::Detach, 1).await;
    // The longest first pause.
    advance(Duration::from_millis(100)).await;
    assert!(attached(link.inputs.recv().await));
    // The interests of the first attachment are not sent on the second one.
    let room = RoomId::User("f".parse().unwrap());
    link.handle.interest(AttachmentId(2), room.clone(), None);
    let interests = || {
        let mut calls = control_plane.calls();
        calls.retain(|call| matches!(call, Call::Interest(..)));
        (!calls.is_empty()).then_some(calls)
    };
    let interests = eventually("an interest", interests).await;
    assert_eq!(interests, [Call::Interest(room, None)]);
    attacher.abort();
}
