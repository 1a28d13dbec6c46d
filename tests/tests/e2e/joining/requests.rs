//! Requests of browsers, and their responses.

use roomcast_tests::{Backend, Browser, Browsers, Client, Process, expiring, session, token};
use serde_json::{Value, json};

#[tokio::test]
async fn every_request_has_its_documented_response() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend
        .publish(session("s1", "scheduled", "alice=interviewer"))
        .await;
    for client in [Client::Js48, Client::Python] {
        let browsers = Browsers::start(client);
        let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
        let eve = browsers.connect(&dev.url(), &token("eve")).await;
        alice.join("s1").await;
        // A second join of the same session has the same response.
        alice.join("s1").await;
        assert_eq!(
            alice.request("leave-session", json!(["s1"])).await,
            json!({ "ok": true, "sessionId": "s1" })
        );
        assert_eq!(
            alice.request("leave-session", json!(["s1"])).await,
            json!({ "ok": true, "sessionId": "s1" })
        );
        denied(
            &eve.request("join-session", json!(["s1"])).await,
            "s1",
            "not_a_participant",
        );
        denied(
            &eve.request("join-session", json!(["nowhere"])).await,
            "nowhere",
            "session_not_found",
        );
    }
}

fn denied(response: &Value, session: &str, code: &str) {
    assert_eq!(
        (&response["ok"], &response["sessionId"]),
        (&json!(false), &json!(session)),
        "{response}"
    );
    assert_eq!(response["error"]["code"], code, "{response}");
    assert!(response["error"]["message"].is_string(), "{response}");
}

#[tokio::test]
async fn a_denial_without_an_acknowledgement_is_a_session_error() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut eve = browsers.connect(&dev.url(), &token("eve")).await;
    for (event, args, session, code) in [
        (
            "join-session",
            json!(["nowhere"]),
            json!("nowhere"),
            "session_not_found",
        ),
        ("join-session", json!(["a b"]), json!("a b"), "bad_request"),
        (
            "custom-event",
            json!([{ "data": "value" }]),
            Value::Null,
            "bad_request",
        ),
        ("refresh-token", json!(["x"]), Value::Null, "token_invalid"),
    ] {
        eve.emit(event, args).await;
        let error = eve.expect_event("session-error").await;
        assert_eq!(
            (&error["sessionId"], &error["code"]),
            (&session, &json!(code)),
            "{error}"
        );
        assert!(error["message"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn malformed_requests_are_bad_requests_and_close_nothing() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend
        .publish(session("s1", "scheduled", "alice=interviewer"))
        .await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    let deep = (0..500).fold(json!(1), |deep, _| json!([deep]));
    for (event, args) in [
        ("join-session", json!([])),
        ("join-session", json!([7])),
        ("join-session", json!([null])),
        ("join-session", json!([["s1"]])),
        ("join-session", json!([""])),
        ("join-session", json!(["x".repeat(129)])),
        ("join-session", json!(["s1\n"])),
        ("join-session", json!(["s1", "after"])),
        ("join-session", json!(["s1", { "after": 7 }])),
        ("join-session", json!(["s1", { "after": "x" }])),
        ("join-session", json!([{ "$binary": "AAEC" }])),
        ("join-session", json!(["s1", deep])),
        ("leave-session", json!([])),
        ("leave-session", json!([{}])),
        ("refresh-token", json!([])),
        ("refresh-token", json!([7])),
        ("no-such-event", json!([1, 2, 3])),
        ("ünknown \"event\"", json!([])),
    ] {
        let response = alice.request(event, args.clone()).await;
        assert_eq!(response["ok"], false, "{event}");
        assert_eq!(response["error"]["code"], "bad_request", "{event} {response}");
    }
    alice.join("s1").await;
}

#[tokio::test]
async fn requests_sent_before_the_connection_all_have_a_response() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend
        .publish(session("s1", "scheduled", "alice=interviewer"))
        .await;
    let browsers = Browsers::start(Client::Js48);
    // A stock client sends the requests that were emitted before CONNECT in one batch after it.
    let mut alice = browsers
        .open_with(
            &dev.url(),
            json!({ "token": token("alice"), "transports": ["websocket"] }),
        )
        .await;
    let requests = (0..1_000).map(|n| {
        let alice = &alice;
        async move {
            let wrong = format!("no such session {n}");
            let response = alice.request("leave-session", json!([wrong])).await;
            assert_eq!(response["sessionId"], wrong);
        }
    });
    join_all(requests.collect()).await;
    alice.connected().await;
    // After many joins and leaves, the last request determines the result.
    for _ in 0..50 {
        alice.emit("join-session", json!(["s1"])).await;
        alice.emit("leave-session", json!(["s1"])).await;
    }
    let response = alice.request("join-session", json!(["s1"])).await;
    assert_eq!(response["ok"], true);
    backend.publish(session("s1", "done", "alice=interviewer")).await;
    loop {
        let (name, payload, _) = alice.next_event().await;
        if name == "session-updated" {
            assert_eq!(payload["session"]["status"], "done");
            break;
        }
    }
}

#[tokio::test]
async fn requests_sent_before_the_connection_have_responses_in_order() {
    let dev = Process::dev(&[]).await;
    for client in [Client::Js48, Client::Js46] {
        let browsers = Browsers::start(client);
        for transport in ["websocket", "polling"] {
            let options = json!({ "token": token("alice"), "transports": [transport] });
            let mut alice = browsers.open_with(&dev.url(), options).await;
            let wrong = |n: usize| format!("no such session {n}");
            // Without acknowledgements, so that the order of the responses is visible.
            let emits = (0..2_000).map(|n| alice.emit("join-session", json!([wrong(n)])));
            join_all(emits.collect()).await;
            alice.connected().await;
            for n in 0..2_000 {
                let error = alice.expect_event("session-error").await;
                assert_eq!(
                    (&error["sessionId"], &error["code"]),
                    (&json!(wrong(n)), &json!("bad_request")),
                    "{transport}"
                );
            }
        }
    }
}

async fn join_all(tasks: Vec<impl Future<Output = ()>>) {
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| Some(Box::pin(task))).collect();
    std::future::poll_fn(|cx| {
        for slot in &mut tasks {
            if let Some(task) = slot
                && task.as_mut().poll(cx).is_ready()
            {
                *slot = None;
            }
        }
        if tasks.iter().all(Option::is_none) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_per_socket_and_event_rate_are_limited() {
    let dev = Process::dev(&[
        "--sessions-per-socket",
        "2",
        "--event-burst",
        "5",
        "--event-rate",
        "1",
    ])
    .await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    for id in ["s1", "s2", "s3"] {
        backend.publish(session(id, "scheduled", "alice=observer")).await;
    }
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice.join("s2").await;
    denied(
        &alice.request("join-session", json!(["s3"])).await,
        "s3",
        "too_many_sessions",
    );
    let mut codes = Vec::new();
    for _ in 0..10 {
        codes.push(alice.request("join-session", json!(["s3"])).await["error"]["code"].clone());
    }
    assert!(codes.contains(&json!("rate_limited")), "{codes:?}");
}

/// Connects a socket whose token expires after `lifetime` seconds; later if that is too soon for a slow machine, which
/// then increases `lifetime`.
async fn connect_until_expiry(browsers: &Browsers, url: &str, lifetime: &mut i64) -> Browser {
    while *lifetime < 60 {
        let mut alice = browsers.open(url, &expiring("alice", *lifetime)).await;
        if alice.next_of("connect", "connect_error").await["on"] == "connect" {
            return alice;
        }
        *lifetime *= 2;
    }
    panic!("no token lived long enough for a connection")
}

#[tokio::test]
async fn a_refreshed_token_prolongs_the_connection() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut lifetime = 3;
    let (mut alice, response) = loop {
        let alice = connect_until_expiry(&browsers, &dev.url(), &mut lifetime).await;
        let refreshed = json!([token("alice")]);
        match alice.try_request("refresh-token", refreshed).await {
            Some(response) => break (alice, response),
            None => lifetime *= 2,
        }
    };
    assert_eq!(response["ok"], true, "{response}");
    assert!(
        response["expiresAt"].as_str().is_some_and(|at| at.ends_with("Z")),
        "{response}"
    );
    let response = alice.request("refresh-token", json!([token("bob")])).await;
    assert_eq!(
        (&response["ok"], &response["error"]["code"]),
        (&json!(false), &json!("token_invalid")),
        "{response}"
    );
    let response = alice
        .request("refresh-token", json!([expiring("alice", -1)]))
        .await;
    assert_eq!(response["error"]["code"], "token_expired", "{response}");
    // Another socket, whose token expires later than the first one of Alice, is closed; Alice's socket is not.
    let mut other = connect_until_expiry(&browsers, &dev.url(), &mut lifetime).await;
    assert_eq!(other.disconnected().await, "transport close");
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend
        .publish(session("s1", "scheduled", "alice=observer"))
        .await;
    alice.join("s1").await;
}
