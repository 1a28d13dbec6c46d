//! The bridge of `dev`: every method of the API as JSON over HTTP, and tokens.

use roomcast_tests::{Bridge, Browsers, Client, Process, TempDir, openssl};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A request that publishes a status of the session `demo`, with Alice and Bob.
pub(super) fn demo(status: &str) -> Value {
    let list = [("alice", "ROLE_INTERVIEWER"), ("bob", "ROLE_INTERVIEWEE")]
        .map(|(user, role)| json!({ "userId": user, "role": role }));
    json!({ "session": { "id": "demo", "status": status, "participants": { "list": list } } })
}

/// The error details of one kind.
fn detail<'a>(denial: &'a Value, kind: &str) -> &'a Value {
    let details = denial["details"].as_array().unwrap();
    let wanted = format!("type.googleapis.com/google.rpc.{kind}");
    let found = details.iter().find(|detail| detail["@type"] == wanted);
    found.unwrap_or_else(|| panic!("no {kind}: {denial}"))
}

#[tokio::test]
async fn every_method_works_and_reaches_browsers() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let browsers = Browsers::start(Client::Js48);
    let published = bridge.call("PublishSessionUpdate", &demo("scheduled")).await;
    assert_eq!(published["event"]["room"], "session:demo");
    // Proto-JSON encodes 64-bit numbers as text.
    assert_eq!(published["revision"], "1");
    let mut alice = browsers
        .connect(&dev.url(), &bridge.token("alice", 60).await)
        .await;
    let mut bob = browsers.connect(&dev.url(), &bridge.token("bob", 60).await).await;
    alice.join("demo").await;
    bob.join("demo").await;

    bridge.call("PublishSessionUpdate", &demo("running")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "running"
    );
    let selection = json!({ "sessionId": "demo", "userId": "carol", "role": "ROLE_OBSERVER" });
    bridge.call("SelectRole", &selection).await;
    assert_eq!(alice.expect_event("role-selected").await["userId"], "carol");
    let requirement = json!({ "sessionId": "demo", "userIds": ["alice"] });
    let required = bridge.call("RequireFeedback", &requirement).await;
    assert_eq!(required["event"][0]["room"], "user:alice");
    alice.expect_event("feedback-required").await;
    let feedback = json!({
        "sessionId": "demo", "feedbackId": "f1", "authorId": "alice",
        "updates": { "score": 4.5, "tags": ["a", null, { "deep": true }] },
        "timestamp": "2026-01-01T00:00:00Z",
    });
    bridge.call("UpdateFeedback", &feedback).await;
    let update = alice.expect_event("feedback-updated").await;
    assert_eq!(update["updates"], feedback["updates"]);
    let user = json!({ "sessionId": "demo", "userId": "alice" });
    let allowed = bridge.call("AuthorizeJoin", &user).await;
    assert_eq!(allowed["allowed"], true, "{allowed}");
    let session = bridge.call("GetSession", &json!({ "sessionId": "demo" })).await;
    assert_eq!(session["session"]["status"], "running");
    // The field names of the proto file are accepted, too.
    let removal = json!({ "session_id": "demo", "user_id": "bob" });
    bridge.call("RemoveParticipant", &removal).await;
    bob.reports_until_event("session-revoked").await;
    bridge.call("DisconnectUser", &json!({ "userId": "alice" })).await;
    assert_eq!(alice.disconnected().await, "io server disconnect");
}

/// A request for the session `demo` with these fields.
fn demo_with(fields: &[(&str, &str)]) -> Value {
    let mut request = json!({ "sessionId": "demo" });
    for (name, value) in fields {
        request[*name] = (*value).into();
    }
    request
}

/// A publish to the session `demo` that expects a revision which it does not have.
fn stale_publish() -> Value {
    let mut request = demo("b");
    request["expectedRevision"] = 7.into();
    request
}

/// Calls that fail, each with the status of its response, and its code and reason.
fn failing_calls() -> [(&'static str, Value, u16, &'static str, &'static str); 8] {
    let none = json!({ "sessionId": "none" });
    let taken = demo_with(&[("userId", "carol"), ("role", "ROLE_INTERVIEWER")]);
    let stranger = demo_with(&[("userId", "carol")]);
    let feedback = json!({ "sessionId": "none", "feedbackId": "f1" });
    [
        (
            "PublishSessionUpdate",
            stale_publish(),
            409,
            "ABORTED",
            "REVISION_MISMATCH",
        ),
        ("SelectRole", taken, 400, "FAILED_PRECONDITION", "ROLE_TAKEN"),
        (
            "RequireFeedback",
            none.clone(),
            404,
            "NOT_FOUND",
            "SESSION_NOT_FOUND",
        ),
        ("UpdateFeedback", feedback, 404, "NOT_FOUND", "SESSION_NOT_FOUND"),
        ("GetSession", none.clone(), 404, "NOT_FOUND", "SESSION_NOT_FOUND"),
        (
            "RemoveParticipant",
            stranger,
            404,
            "NOT_FOUND",
            "NOT_A_PARTICIPANT",
        ),
        ("AuthorizeJoin", none, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        (
            "DisconnectUser",
            json!({}),
            400,
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
        ),
    ]
}

#[tokio::test]
async fn every_error_has_the_status_and_details_of_the_call() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    bridge.call("PublishSessionUpdate", &demo("a")).await;
    for (method, request, status, code, reason) in failing_calls() {
        let (http, denial) = bridge.denied(method, &request).await;
        assert_eq!((http, &denial["code"]), (status, &json!(code)), "{method}");
        let cause = detail(&denial, "ErrorInfo");
        assert_eq!(
            (&cause["reason"], &cause["domain"]),
            (&json!(reason), &json!("roomcast"))
        );
        assert!(!denial["message"].as_str().unwrap().is_empty(), "{denial}");
    }
    let (_, denial) = bridge.denied("PublishSessionUpdate", &stale_publish()).await;
    assert_eq!(detail(&denial, "ErrorInfo")["metadata"]["current_revision"], "1");
    let wrong = demo_with(&[("userId", "a b")]);
    let (_, denial) = bridge.denied("SelectRole", &wrong).await;
    let violations = detail(&denial, "BadRequest")["fieldViolations"]
        .as_array()
        .unwrap();
    let fields: Vec<_> = violations.iter().map(|violation| &violation["field"]).collect();
    assert_eq!(fields, ["user_id", "role"]);
}

#[tokio::test]
async fn malformed_requests_and_unknown_methods_are_errors() {
    let dev = Process::dev(&["--max-request", "1KiB"]).await;
    let bridge = Bridge::of(&dev);
    for (method, body, status, code, text) in [
        (
            "GetSession",
            r#"{"session":"a"}"#,
            400,
            "INVALID_ARGUMENT",
            "'session'",
        ),
        (
            "GetSession",
            r#"{"sessionId":7}"#,
            400,
            "INVALID_ARGUMENT",
            "string",
        ),
        (
            "GetSession",
            r#"{"sessionId":"a"} {}"#,
            400,
            "INVALID_ARGUMENT",
            "trailing",
        ),
        ("GetSession", "[]", 400, "INVALID_ARGUMENT", "not a valid request"),
        ("GetSession", "", 400, "INVALID_ARGUMENT", "not a valid request"),
        (
            "GetSession",
            &" ".repeat(1_025),
            413,
            "INVALID_ARGUMENT",
            "1024 bytes",
        ),
        ("WatchEvents", "{}", 501, "UNIMPLEMENTED", "WatchEvents"),
        ("StreamCommands", "{}", 501, "UNIMPLEMENTED", "StreamCommands"),
        ("Attach", "{}", 501, "UNIMPLEMENTED", "Attach"),
        ("getSession", "{}", 501, "UNIMPLEMENTED", "getSession"),
    ] {
        let response = bridge
            .request(&format!("POST /dev/call/{method}"), &[], body)
            .await;
        assert_eq!(response.status, status, "{method} {body} {response:?}");
        let denial = response.json();
        assert_eq!(denial["code"], code, "{denial}");
        assert!(denial["message"].as_str().unwrap().contains(text), "{denial}");
    }
    assert_eq!(
        bridge.request("GET /dev/call/GetSession", &[], "").await.status,
        405
    );
    assert_eq!(bridge.request("POST /dev/other", &[], "{}").await.status, 404);
}

#[tokio::test]
async fn tokens_are_minted_for_any_user_with_the_requested_lifetime() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let browsers = Browsers::start(Client::Js48);
    // A slow machine may not connect before a token expires; then it gets one that lives longer.
    for lifetime in [2, 4, 8, 16, 32] {
        let token = bridge.token("any.one+1@example.com", lifetime).await;
        let mut browser = browsers.open(&dev.url(), &token).await;
        if browser.next_of("connect", "connect_error").await["on"] == "connect" {
            browser.disconnected().await;
            assert_eq!(browser.denied().await, "token_expired");
            break;
        }
        assert!(lifetime < 32, "no token is accepted");
    }
    // Without a lifetime, a token is valid for an hour.
    let default = bridge.post("/dev/token", &json!({ "user": "bob" })).await.json();
    browsers
        .connect(&dev.url(), default["token"].as_str().unwrap())
        .await;
    for (wanted, field) in [
        (json!({ "user": "a b" }), "user"),
        (json!({ "user": "" }), "user"),
        (json!({ "user": "bob", "ttlSeconds": 0 }), "ttlSeconds"),
        (json!({ "user": "bob", "ttlSeconds": 86_401 }), "ttlSeconds"),
    ] {
        let response = bridge.post("/dev/token", &wanted).await;
        assert_eq!(response.status, 400, "{response:?}");
        let denial = response.json();
        assert_eq!(
            detail(&denial, "BadRequest")["fieldViolations"][0]["field"],
            field
        );
    }
    for wanted in [json!({}), json!({ "user": "bob", "ttl": 1 }), json!("bob")] {
        assert_eq!(bridge.post("/dev/token", &wanted).await.status, 400, "{wanted}");
    }
}

#[tokio::test]
async fn a_configured_secret_signs_no_token_and_is_not_shown() {
    let configured = "kept-kept-kept-kept-kept-kept-kept";
    let folder = TempDir::new();
    openssl(
        &folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext \
         subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
    );
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let secured = [
        "--jwt-secret",
        configured,
        "--api-jwt-secret",
        SECRET,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--tls-ca",
        &cert,
    ];
    let dev = Process::dev(&secured).await;
    let bridge = Bridge::of(&dev);
    let about = bridge.about().await;
    assert_eq!(about["mints"], false);
    let response = bridge.post("/dev/token", &json!({ "user": "alice" })).await;
    assert_eq!(
        (response.status, &response.json()["code"]),
        (400, &json!("FAILED_PRECONDITION"))
    );
    // Calls go over TLS with a service token of the process, which the page does not see.
    bridge.call("PublishSessionUpdate", &demo("a")).await;
    let address = format!("localhost:{}", dev.addr("grpc").port());
    let options = format!("-cacert {cert} -H \"authorization: Bearer $API_TOKEN\"");
    assert_eq!(
        about["grpcurl"],
        json!({ "options": options, "address": address })
    );
    for secret in [configured, SECRET, "eyJ"] {
        assert!(
            !about.to_string().contains(secret) && !response.body.contains(secret),
            "{about}"
        );
        assert!(!dev.log().contains(secret), "{}", dev.log());
    }
}

#[tokio::test]
async fn the_process_describes_itself() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let about = bridge.about().await;
    let version = env!("CARGO_PKG_VERSION");
    let grpcurl = json!({ "options": "-plaintext", "address": dev.addr("grpc").to_string() });
    assert_eq!(
        about,
        json!({ "version": version, "grpcurl": grpcurl, "edges": [dev.url()], "mints": true, "store": "memory" })
    );
    let [first, second] = bridge.both_edges().await;
    assert_eq!(first, dev.addr("http"));
    assert!(second.ip().is_loopback() && second != first, "{second}");
    assert_eq!(bridge.both_edges().await, [first, second]);
    let urls = [first, second].map(|addr| format!("http://{addr}"));
    assert_eq!(bridge.about().await["edges"], json!(urls));
}
