//! What browsers can send that stock clients rarely do: it is answered by the contract, and gives nobody what is not
//! theirs.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, session, token};
use serde_json::{Value, json};

#[tokio::test]
async fn half_of_a_surrogate_pair_is_a_bad_request_and_ends_nothing() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    for transport in ["websocket", "polling"] {
        let options = json!({ "token": token("alice"), "transports": [transport], "options": { "reconnection": false } });
        let mut alice = browsers.open_with(&dev.url(), options).await;
        alice.connected().await;
        // JSON.stringify of any text that was cut in the middle of an emoji.
        for packet in [
            r#"2["join-session","\ud83d"]"#,
            r#"2["join-session","s1",{"after":"\udc00"}]"#,
            r#"2["leave-session",{"\ud83d":1}]"#,
            r#"2["refresh-token","\ud83d"]"#,
            r#"2["\ud83d"]"#,
        ] {
            alice.send_raw(packet).await;
            let error = alice.told("session-error").await;
            assert!(
                ["bad_request", "token_invalid"].contains(&error["code"].as_str().unwrap()),
                "{packet}: {error}"
            );
        }
        alice.send_raw(r#"27["join-session","\ud83d"]"#).await;
        let answer = alice.ask("leave-session", json!(["s1"])).await;
        assert_eq!(answer["ok"], true);
    }
}

#[tokio::test]
async fn reserved_names_and_odd_packets_give_nothing_and_take_nothing() {
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
        assert_eq!(alice.told("session-error").await["code"], "bad_request", "{name}");
    }
    backend.publish(session("s1", "b", "alice=observer")).await;
    assert_eq!(alice.told("session-updated").await["session"]["status"], "b");
    // No event at all: it may end its own connection, and nobody else's.
    for packet in ["2[]", "2[7]", "2{}", "2null", "2", "2-1[\"x\"]"] {
        let options = json!({ "token": token("alice"), "options": { "reconnection": false } });
        let mut eve = browsers.open_with(&dev.url(), options).await;
        eve.connected().await;
        eve.send_raw(packet).await;
        eve.ended_or_answers().await;
        eve.close().await;
    }
    backend.publish(session("s1", "c", "alice=observer")).await;
    assert_eq!(alice.told("session-updated").await["session"]["status"], "c");
}

#[tokio::test]
async fn a_second_connect_makes_nobody_somebody_else() {
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
    assert_eq!(eve.told("session-error").await["code"], "not_a_participant");
    backend.publish(session("s2", "a", "eve=interviewer")).await;
    backend.require_feedback("s2", &["eve"]).await;
    assert_eq!(eve.told("feedback-required").await, json!({ "sessionId": "s2" }));
}

#[tokio::test]
async fn a_disconnect_packet_ends_the_connection_and_what_follows_it_is_not_taken() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    backend.publish(session("s1", "a", "alice=interviewer")).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = websocket(&browsers, &dev, "alice").await;
    alice.join("s1").await;
    alice.send_raw("1").await;
    alice.send_raw(r#"2["join-session","s1"]"#).await;
    backend.publish(session("s1", "b", "alice=interviewer")).await;
    // An answer to the join would come first.
    let reports = alice.until("disconnect").await;
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
async fn an_auth_payload_is_taken_for_its_token_whatever_else_it_has() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    for (what, auth) in [
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
        let report = alice.either("connect", "connect_error").await;
        assert_eq!(report["on"], "connect", "{what}");
    }
    let deep = (0..200).fold(json!(1), |deep, _| json!([deep]));
    for (what, auth) in [
        ("a list", json!([token("alice")])),
        ("a text", json!(token("alice"))),
        ("a list as token", json!({ "token": [token("alice")] })),
        ("binary", json!({ "token": { "$binary": "AAEC" } })),
        ("deep", json!({ "token": deep })),
    ] {
        let options = json!({ "auth": auth, "options": { "reconnection": false } });
        let refused = browsers.open_with(&dev.url(), options).await.refused().await;
        assert!(
            ["token_missing", "token_invalid"].contains(&refused.as_str()),
            "{what}: {refused}"
        );
    }
}

#[tokio::test]
async fn events_that_come_during_the_upgrade_are_neither_lost_nor_out_of_order() {
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
        alice.told("session-joined").await;
    }
    stop.send(true).unwrap();
    let last: u64 = publishing.await.unwrap();
    backend.publish(session("s1", "end", "alice=interviewer")).await;
    for alice in &mut sockets {
        let mut next: Option<u64> = None;
        loop {
            let told = alice.told("session-updated").await;
            let status = told["session"]["status"].as_str().unwrap().to_owned();
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
async fn a_socket_in_as_many_sessions_as_it_may_be_with_the_longest_ids_is_recovered() {
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
            alice.lose_transport().await;
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
                let (name, payload, _) = alice.event().await;
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
