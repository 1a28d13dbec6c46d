//! Several control planes and edges over one Redis.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Cluster, Process, eventually, metric, reason, session, token,
};
use serde_json::json;

/// The statuses of the next updates, up to and including the last.
async fn statuses(browser: &mut Browser, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|status| status != last) {
        let update = browser.expect_event("session-updated").await;
        seen.push(update["session"]["status"].as_str().unwrap().to_owned());
    }
    seen
}

/// Connects a socket of the user on each edge, and joins `s1`.
async fn join_everywhere(cluster: &Cluster, browsers: &Browsers, user: &str) -> Vec<Browser> {
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        let mut browser = browsers.connect(&edge.url(), &token(user)).await;
        browser.join("s1").await;
        sockets.push(browser);
    }
    sockets
}

#[tokio::test]
async fn events_of_all_control_planes_reach_all_edges_in_one_order() {
    let cluster = Cluster::start(2, 3).await;
    let browsers = Browsers::start(Client::Js48);
    let mut first = cluster.backend(0).await;
    let second = cluster.backend(1).await;
    first
        .publish(session(
            "s1",
            "start",
            "alice=interviewer bob=interviewee carol=observer",
        ))
        .await;
    let mut sockets = Vec::new();
    for edge in &cluster.edges {
        for user in ["alice", "bob", "carol"] {
            let mut browser = browsers.connect(&edge.url(), &token(user)).await;
            browser.join("s1").await;
            sockets.push(browser);
        }
    }
    let publishers: Vec<_> = (0..8)
        .map(|n| {
            let mut backend = if n % 2 == 0 { first.clone() } else { second.clone() };
            tokio::spawn(async move {
                for m in 0..25 {
                    backend
                        .publish(v1::Session {
                            participants: None,
                            ..session("s1", &format!("{n}.{m}"), "")
                        })
                        .await;
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    first
        .publish(v1::Session {
            participants: None,
            ..session("s1", "end", "")
        })
        .await;
    let expected = statuses(&mut sockets[0], "end").await;
    assert_eq!(expected.len(), 201, "each event once");
    for socket in &mut sockets[1..] {
        assert_eq!(
            statuses(socket, "end").await,
            expected,
            "every socket receives the same order"
        );
    }
}

#[tokio::test]
async fn a_killed_control_plane_loses_no_event() {
    let cluster = Cluster::start(2, 3).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(1).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut sockets = join_everywhere(&cluster, &browsers, "alice").await;
    for n in 0..300 {
        if n == 100 {
            cluster.control_planes[0].signal("KILL");
        }
        backend
            .publish(session("s1", &n.to_string(), "alice=interviewer"))
            .await;
    }
    let expected: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    for socket in &mut sockets {
        assert_eq!(statuses(socket, "299").await, expected);
    }
    // Joins are authorized by the other control plane.
    join_everywhere(&cluster, &browsers, "alice").await;
}

#[tokio::test]
async fn edges_of_a_draining_control_plane_attach_to_another() {
    let mut cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(1).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut sockets = join_everywhere(&cluster, &browsers, "alice").await;
    cluster.control_planes[0].signal("TERM");
    for n in 0..50 {
        backend
            .publish(session("s1", &n.to_string(), "alice=interviewer"))
            .await;
    }
    assert!(cluster.control_planes[0].exited().await.success());
    let expected: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    for socket in &mut sockets {
        assert_eq!(statuses(socket, "49").await, expected);
    }
}

#[tokio::test]
async fn a_removal_at_one_control_plane_applies_on_every_edge() {
    let cluster = Cluster::start(2, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut first = cluster.backend(0).await;
    let mut second = cluster.backend(1).await;
    first
        .publish(session("s1", "a", "alice=interviewer bob=interviewee"))
        .await;
    let mut sockets = join_everywhere(&cluster, &browsers, "bob").await;
    first.remove("s1", "bob").await;
    // A join after the response to the removal is denied, wherever it is sent.
    for bob in &mut sockets {
        let response = bob.request("join-session", json!(["s1"])).await;
        assert_eq!(response["error"]["code"], "not_a_participant", "{response}");
    }
    second.publish(session("s1", "b", "alice=interviewer")).await;
    second.require_feedback("s1", &["bob"]).await;
    for bob in &mut sockets {
        bob.expect_event("session-revoked").await;
        bob.expect_event("feedback-required").await;
    }
}

#[tokio::test]
async fn of_two_concurrent_selections_of_an_exclusive_role_one_succeeds() {
    let cluster = Cluster::start(2, 1).await;
    let mut backends = Vec::new();
    for control_plane in &cluster.control_planes {
        backends.push(Backend::connect(control_plane.addr("grpc")).await);
    }
    for round in 0..30 {
        let id = format!("s{round}");
        backends[0].publish(session(&id, "a", "")).await;
        let (left, right) = backends.split_at_mut(1);
        let (alice, bob) = tokio::join!(
            left[0].select_role(&id, "alice", "interviewer"),
            right[0].select_role(&id, "bob", "interviewer"),
        );
        let loser = match (alice, bob) {
            (Ok(_), Err(loser)) | (Err(loser), Ok(_)) => loser,
            both => panic!("round {round}: {both:?}"),
        };
        assert_eq!(reason(&loser), "ROLE_TAKEN");
    }
}

#[tokio::test]
async fn a_call_repeated_at_another_control_plane_takes_effect_once() {
    let cluster = Cluster::start(2, 1).await;
    let browsers = Browsers::start(Client::Js48);
    let first = cluster.backend(0).await;
    let mut second = cluster.backend(1).await;
    second.publish(session("s1", "start", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    // The control plane is killed while a backend calls it. The backend repeats every call without a response at the
    // other one, as UNAVAILABLE allows.
    let (mut repeated_calls, mut expected) = (0, Vec::new());
    for n in 0..200 {
        if n == 60 {
            cluster.control_planes[0].signal("KILL");
        }
        let request = v1::PublishSessionUpdateRequest {
            session: Some(session("s1", &n.to_string(), "alice=interviewer")),
            request_id: format!("request {n}"),
            ..Default::default()
        };
        expected.push(n.to_string());
        if first
            .0
            .clone()
            .publish_session_update(request.clone())
            .await
            .is_ok()
        {
            continue;
        }
        repeated_calls += 1;
        eventually("a response of the other control plane", || {
            let (mut client, request) = (second.0.clone(), request.clone());
            async move { client.publish_session_update(request).await.ok() }
        })
        .await;
    }
    assert!(repeated_calls >= 140, "{repeated_calls}");
    // A call that had a response has the same one at the other control plane.
    let repeated = v1::PublishSessionUpdateRequest {
        session: Some(session("s1", "7", "alice=interviewer")),
        request_id: "request 7".to_owned(),
        ..Default::default()
    };
    let response = second
        .0
        .publish_session_update(repeated)
        .await
        .unwrap()
        .into_inner();
    assert!(response.duplicate);
    second.publish(session("s1", "end", "alice=interviewer")).await;
    expected.push("end".to_owned());
    assert_eq!(statuses(&mut alice, "end").await, expected);
}

#[tokio::test]
async fn edges_rebalance_to_a_new_control_plane_without_a_lost_event() {
    let mut cluster = Cluster::start(2, 0).await;
    let planes: Vec<_> = cluster.control_planes.iter().map(|it| it.addr("grpc")).collect();
    let mut late = cluster.control_planes.pop().unwrap();
    late.signal("KILL");
    late.exited().await;
    for _ in 0..4 {
        let edge = Process::edge(&planes, &["--rebalance-interval", "200ms"]).await;
        edge.ready().await;
        cluster.edges.push(edge);
    }
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut sockets = join_everywhere(&cluster, &browsers, "alice").await;
    late.start_again().await;
    let (first, late) = (&cluster.control_planes[0], &late);
    let mut expected = Vec::new();
    eventually("edges at both control planes", async || {
        let number = expected.len().to_string();
        backend.publish(session("s1", &number, "alice=interviewer")).await;
        expected.push(number);
        let attached = |process| metric(process, "roomcast_control_plane_edges_attached");
        (attached(late).await >= 2.0 && attached(first).await <= 2.0).then_some(())
    })
    .await;
    backend.publish(session("s1", "end", "alice=interviewer")).await;
    expected.push("end".to_owned());
    for socket in &mut sockets {
        assert_eq!(statuses(socket, "end").await, expected);
    }
}

#[tokio::test]
async fn i8_sockets_of_a_draining_edge_resume_at_another() {
    let mut cluster = Cluster::start(1, 2).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = cluster.backend(0).await;
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut alice = browsers.connect(&cluster.edges[0].url(), &token("alice")).await;
    alice.join("s1").await;
    backend
        .publish(session("s1", "before", "alice=interviewer"))
        .await;
    let (_, _, cursor) = alice.next_event().await;
    cluster.edges[0].signal("TERM");
    let reason = alice.disconnected().await;
    assert!(reason.starts_with("transport"), "{reason}");
    alice.close().await;
    backend
        .publish(session("s1", "meanwhile", "alice=interviewer"))
        .await;
    let mut alice = browsers.connect(&cluster.edges[1].url(), &token("alice")).await;
    let response = alice
        .request("join-session", json!(["s1", { "after": cursor }]))
        .await;
    assert_eq!(response["recovered"], true, "{response}");
    alice.expect_event("session-joined").await;
    assert_eq!(statuses(&mut alice, "meanwhile").await, ["meanwhile"]);
    assert!(cluster.edges[0].exited().await.success());
}
