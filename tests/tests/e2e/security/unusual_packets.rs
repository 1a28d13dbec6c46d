//! Packets that stock clients rarely send: they are handled as documented, and grant no access.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, session, token};
use serde_json::{Value, json};

#[tokio::test]
async fn a_lone_surrogate_is_a_bad_request_and_closes_nothing() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    for transport in ["websocket", "polling"] {
        let options = json!({ "token": token("alice"), "transports": [transport], "options": { "reconnection": false } });
        let mut alice = browsers.open_with(&dev.url(), options).await;
        alice.connected().await;
        // JSON.stringify produces these escapes for a text that was cut in the middle of an emoji.
        for packet in [
            r#"2["join-session","\ud83d"]"#,
            r#"2["join-session","s1",{"after":"\udc00"}]"#,
            r#"2["leave-session",{"\ud83d":1}]"#,
            r#"2["refresh-token","\ud83d"]"#,
            r#"2["\ud83d"]"#,
        ] {
            alice.send_raw(packet).await;
            let error = alice.expect_event("session-error").await;
            assert!(
                ["bad_request", "token_invalid"].contains(&error["code"].as_str().unwrap()),
                "{packet}: {error}"
            );
        }
        alice.send_raw(r#"27["join-session","\ud83d"]"#).await;
        let response = alice.request("leave-session", json!(["s1"])).await;
        assert_eq!(response["ok"], true);
    }
}

#[tokio::test]
async fn reserved_event_names_and_odd_packets_affect_no_other_socket() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=observer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    for name in [
        "connect",
        "disconnect",
        "disconnecting",
        "error",
        "connect_error",
        "message",
        "newListener",
        "",
    ] {
        alice.send_raw(&format!("2{}", json!([name, "s1"]))).await;
        assert_eq!(
            alice.expect_event("session-error").await["code"],
            "bad_request",
            "{name}"
        );
    }
    backend.publish(session("s1", "b", "alice=observer")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "b"
    );
    // Packets that are not events may close their own connection, and no other.
    for packet in ["2[]", "2[7]", "2{}", "2null", "2", "2-1[\"x\"]"] {
        let options = json!({ "token": token("alice"), "options": { "reconnection": false } });
        let mut eve = browsers.open_with(&dev.url(), options).await;
        eve.connected().await;
        eve.send_raw(packet).await;
        eve.closed_or_responds().await;
        eve.close().await;
    }
    backend.publish(session("s1", "c", "alice=observer")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "c"
    );
}

#[tokio::test]
async fn a_second_connect_packet_does_not_change_the_user() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut eve = websocket(&browsers, &dev, "eve").await;
    eve.send_raw(&format!("0{}", json!({ "token": token("alice") })))
        .await;
    eve.send_raw(r#"2["join-session","s1"]"#).await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    backend.require_feedback("s1", &["alice"]).await;
    assert_eq!(
        eve.expect_event("session-error").await["code"],
        "not_a_participant"
    );
    backend.publish(session("s2", "a", "eve=interviewer")).await;
    backend.require_feedback("s2", &["eve"]).await;
    assert_eq!(
        eve.expect_event("feedback-required").await,
        json!({ "sessionId": "s2" })
    );
}

#[tokio::test]
async fn packets_after_a_disconnect_packet_are_ignored() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = websocket(&browsers, &dev, "alice").await;
    alice.join("s1").await;
    alice.send_raw("1").await;
    alice.send_raw(r#"2["join-session","s1"]"#).await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    // An event of the join would come before the disconnection.
    let reports = alice.reports_until("disconnect").await;
    let joined = reports
        .iter()
        .filter(|report| report["event"] == "session-joined");
    assert_eq!(joined.count(), 0, "{reports:?}");
}

async fn websocket(browsers: &Browsers, dev: &Process, user: &str) -> Browser {
    let options =
        json!({ "token": token(user), "transports": ["websocket"], "options": { "reconnection": false } });
    let mut browser = browsers.open_with(&dev.url(), options).await;
    browser.connected().await;
    browser
}

#[tokio::test]
async fn only_the_token_of_an_auth_payload_is_read() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    for (case, auth) in [
        (
            "more fields",
            json!({ "token": token("alice"), "x": [1, { "y": null }] }),
        ),
        (
            "a large field",
            json!({ "token": token("alice"), "x": "x".repeat(60_000) }),
        ),
        ("a NUL", json!({ "token": token("alice"), "x": "\u{0}" })),
    ] {
        let mut alice = browsers.open_with(&dev.url(), json!({ "auth": auth })).await;
        let report = alice.next_of("connect", "connect_error").await;
        assert_eq!(report["on"], "connect", "{case}");
    }
    let deep = (0..200).fold(json!(1), |deep, _| json!([deep]));
    for (case, auth) in [
        ("a list", json!([token("alice")])),
        ("a text", json!(token("alice"))),
        ("a list as token", json!({ "token": [token("alice")] })),
        ("binary", json!({ "token": { "$binary": "AAEC" } })),
        ("deep", json!({ "token": deep })),
    ] {
        let options = json!({ "auth": auth, "options": { "reconnection": false } });
        let code = browsers.open_with(&dev.url(), options).await.denied().await;
        assert!(
            ["token_missing", "token_invalid"].contains(&code.as_str()),
            "{case}: {code}"
        );
    }
}

#[tokio::test]
async fn events_during_the_upgrade_are_neither_lost_nor_reordered() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "0", "alice=interviewer")).await;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut publisher = backend.clone();
    let publishing = tokio::spawn(async move {
        let mut n = 0;
        while !*stopped.borrow_and_update() {
            n += 1;
            publisher
                .publish(session("s1", &n.to_string(), "alice=interviewer"))
                .await;
        }
        n
    });
    let mut sockets = Vec::new();
    for client in [Client::Js48, Client::Js46, Client::Python] {
        let browsers = Browsers::start(client);
        for _ in 0..10 {
            let mut alice = browsers.open(&dev.url(), &token("alice")).await;
            alice.connected().await;
            alice.emit("join-session", json!(["s1"])).await;
            sockets.push(alice);
        }
    }
    for alice in &mut sockets {
        alice.expect_event("session-joined").await;
    }
    stop.send(true).unwrap();
    let last: u64 = publishing.await.unwrap();
    backend.publish(session("s1", "end", "alice=interviewer")).await;
    for alice in &mut sockets {
        let mut next: Option<u64> = None;
        loop {
            let update = alice.expect_event("session-updated").await;
            let status = update["session"]["status"].as_str().unwrap().to_owned();
            if status == "end" {
                assert!(next.is_none_or(|next| next == last + 1), "{next:?}");
                break;
            }
            let n: u64 = status.parse().unwrap();
            assert!(next.is_none_or(|next| next == n), "{next:?} {n}");
            next = Some(n + 1);
        }
    }
}

#[tokio::test]
async fn a_socket_in_the_maximum_number_of_sessions_is_recovered() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let ids: Vec<String> = (0..32).map(|n| format!("{n:0>128}")).collect();
    for id in &ids {
        backend.publish(session(id, "a", "alice=observer")).await;
    }
    for client in [Client::Js48, Client::Js46] {
        let browsers = Browsers::start(client);
        for transports in [
            json!(["websocket"]),
            json!(["polling"]),
            json!(["polling", "websocket"]),
        ] {
            let options = json!({ "token": token("alice"), "transports": transports });
            let mut alice = browsers.open_with(&dev.url(), options).await;
            alice.connected().await;
            for id in &ids {
                alice.join(id).await;
            }
            alice.close_transport().await;
            alice.disconnected().await;
            for id in &ids {
                let unset = v1::Session {
                    participants: None,
                    ..session(id, "b", "")
                };
                backend.publish(unset).await;
            }
            let connected = alice.connected().await;
            assert_eq!(connected["recovered"], Value::Bool(true), "{transports}");
            let mut seen = Vec::new();
            while seen.len() < 32 {
                let (name, payload, _) = alice.next_event().await;
                if name == "session-updated" {
                    seen.push(payload["sessionId"].as_str().unwrap().to_owned());
                }
            }
            seen.sort();
            assert_eq!(seen, ids);
            alice.close().await;
        }
    }
}
