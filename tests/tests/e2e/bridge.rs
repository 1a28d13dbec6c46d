//! The bridge of `dev`: each method of the API by HTTP with JSON, and tokens.

use roomcast_tests::{Bridge, Browsers, Client, Process, TempDir, openssl};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn demo(status: &str) -> Value {
    let list = [("alice", "ROLE_INTERVIEWER"), ("bob", "ROLE_INTERVIEWEE")]
        .map(|(user, role)| json!({ "userId": user, "role": role }));
    json!({ "session": { "id": "demo", "status": status, "participants": { "list": list } } })
}

/// The details of one kind.
fn detail<'a>(refusal: &'a Value, kind: &str) -> &'a Value {
    let details = refusal["details"].as_array().unwrap();
    let wanted = format!("type.googleapis.com/google.rpc.{kind}");
    let found = details.iter().find(|detail| detail["@type"] == wanted);
    found.unwrap_or_else(|| panic!("no {kind}: {refusal}"))
}

#[tokio::test]
async fn every_method_is_a_real_call_and_browsers_are_told() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let browsers = Browsers::start(Client::Js48);
    let published = bridge.call("PublishSessionUpdate", &demo("scheduled")).await;
    assert_eq!(published["event"]["room"], "session:demo");
    // As proto-JSON has it: numbers of 64 bits as text.
    assert_eq!(published["revision"], "1");
    let mut alice = browsers
        .connect(&dev.url(), &bridge.token("alice", 60).await)
        .await;
    let mut bob = browsers.connect(&dev.url(), &bridge.token("bob", 60).await).await;
    alice.join("demo").await;
    bob.join("demo").await;

    bridge.call("PublishSessionUpdate", &demo("running")).await;
    assert_eq!(
        alice.told("session-updated").await["session"]["status"],
        "running"
    );
    let chosen = json!({ "sessionId": "demo", "userId": "carol", "role": "ROLE_OBSERVER" });
    bridge.call("SelectRole", &chosen).await;
    assert_eq!(alice.told("role-selected").await["userId"], "carol");
    let asked = json!({ "sessionId": "demo", "userIds": ["alice"] });
    let owed = bridge.call("RequireFeedback", &asked).await;
    assert_eq!(owed["event"][0]["room"], "user:alice");
    alice.told("feedback-required").await;
    let feedback = json!({
        "sessionId": "demo", "feedbackId": "f1", "authorId": "alice",
        "updates": { "score": 4.5, "tags": ["a", null, { "deep": true }] },
        "timestamp": "2026-01-01T00:00:00Z",
    });
    bridge.call("UpdateFeedback", &feedback).await;
    let told = alice.told("feedback-updated").await;
    assert_eq!(told["updates"], feedback["updates"]);
    let user = json!({ "sessionId": "demo", "userId": "alice" });
    let allowed = bridge.call("AuthorizeJoin", &user).await;
    assert_eq!(allowed["allowed"], true, "{allowed}");
    let session = bridge.call("GetSession", &json!({ "sessionId": "demo" })).await;
    assert_eq!(session["session"]["status"], "running");
    // The names of proto are taken, too.
    let bobs = json!({ "session_id": "demo", "user_id": "bob" });
    bridge.call("RemoveParticipant", &bobs).await;
    bob.until_event("session-revoked").await;
    bridge.call("DisconnectUser", &json!({ "userId": "alice" })).await;
    assert_eq!(alice.disconnected().await, "io server disconnect");
}

#[tokio::test]
async fn every_method_is_refused_with_the_status_of_the_call() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    bridge.call("PublishSessionUpdate", &demo("a")).await;
    let mut stale = demo("b");
    stale["expectedRevision"] = 7.into();
    let none = json!({ "sessionId": "none" });
    let with = |more: &[(&str, &str)]| {
        let mut request = json!({ "sessionId": "demo" });
        for (name, value) in more {
            request[*name] = (*value).into();
        }
        request
    };
    let taken = with(&[("userId", "carol"), ("role", "ROLE_INTERVIEWER")]);
    let stranger = with(&[("userId", "carol")]);
    let feedback = json!({ "sessionId": "none", "feedbackId": "f1" });
    for (method, request, status, code, reason) in [
        (
            "PublishSessionUpdate",
            &stale,
            409,
            "ABORTED",
            "REVISION_MISMATCH",
        ),
        ("SelectRole", &taken, 400, "FAILED_PRECONDITION", "ROLE_TAKEN"),
        ("RequireFeedback", &none, 404, "NOT_FOUND", "SESSION_NOT_FOUND"),
        ("UpdateFeedback", &feedback, 404, "NOT_FOUND", "SESSION_NOT_FOUND"),
        ("GetSession", &none, 404, "NOT_FOUND", "SESSION_NOT_FOUND"),
        (
            "RemoveParticipant",
            &stranger,
            404,
            "NOT_FOUND",
            "NOT_A_PARTICIPANT",
        ),
        ("AuthorizeJoin", &none, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        (
            "DisconnectUser",
            &json!({}),
            400,
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
        ),
    ] {
        let (http, refusal) = bridge.refused(method, request).await;
        assert_eq!((http, &refusal["code"]), (status, &json!(code)), "{method}");
        let cause = detail(&refusal, "ErrorInfo");
        assert_eq!(
            (&cause["reason"], &cause["domain"]),
            (&json!(reason), &json!("roomcast"))
        );
        assert!(!refusal["message"].as_str().unwrap().is_empty(), "{refusal}");
    }
    let (_, refusal) = bridge.refused("PublishSessionUpdate", &stale).await;
    assert_eq!(detail(&refusal, "ErrorInfo")["metadata"]["current_revision"], "1");
    let wrong = with(&[("userId", "a b")]);
    let (_, refusal) = bridge.refused("SelectRole", &wrong).await;
    let violations = detail(&refusal, "BadRequest")["fieldViolations"]
        .as_array()
        .unwrap();
    let fields: Vec<_> = violations.iter().map(|violation| &violation["field"]).collect();
    assert_eq!(fields, ["user_id", "role"]);
}

#[tokio::test]
async fn what_is_no_request_of_a_unary_method_is_refused() {
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
        ("GetSession", "[]", 400, "INVALID_ARGUMENT", "not a request"),
        ("GetSession", "", 400, "INVALID_ARGUMENT", "not a request"),
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
        let answer = bridge.ask(&format!("POST /dev/call/{method}"), &[], body).await;
        assert_eq!(answer.status, status, "{method} {body} {answer:?}");
        let refusal = answer.json();
        assert_eq!(refusal["code"], code, "{refusal}");
        assert!(refusal["message"].as_str().unwrap().contains(text), "{refusal}");
    }
    assert_eq!(bridge.ask("GET /dev/call/GetSession", &[], "").await.status, 405);
    assert_eq!(bridge.ask("POST /dev/other", &[], "{}").await.status, 404);
}

#[tokio::test]
async fn tokens_are_of_any_user_and_end_when_they_were_asked_to() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let browsers = Browsers::start(Client::Js48);
    let token = bridge.token("any.one+1@example.com", 2).await;
    let mut browser = browsers.connect(&dev.url(), &token).await;
    browser.disconnected().await;
    assert_eq!(browser.refused().await, "token_expired");
    // Without a time it is an hour.
    let usual = bridge.post("/dev/token", &json!({ "user": "bob" })).await.json();
    browsers
        .connect(&dev.url(), usual["token"].as_str().unwrap())
        .await;
    for (wanted, field) in [
        (json!({ "user": "a b" }), "user"),
        (json!({ "user": "" }), "user"),
        (json!({ "user": "bob", "ttlSeconds": 0 }), "ttlSeconds"),
        (json!({ "user": "bob", "ttlSeconds": 86_401 }), "ttlSeconds"),
    ] {
        let answer = bridge.post("/dev/token", &wanted).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let refusal = answer.json();
        assert_eq!(
            detail(&refusal, "BadRequest")["fieldViolations"][0]["field"],
            field
        );
    }
    for wanted in [json!({}), json!({ "user": "bob", "ttl": 1 }), json!("bob")] {
        assert_eq!(bridge.post("/dev/token", &wanted).await.status, 400, "{wanted}");
    }
}

#[tokio::test]
async fn a_secret_that_somebody_keeps_signs_nothing_and_is_not_shown() {
    let kept = "kept-kept-kept-kept-kept-kept-kept";
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
        kept,
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
    let answer = bridge.post("/dev/token", &json!({ "user": "alice" })).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (400, &json!("FAILED_PRECONDITION"))
    );
    // Over TLS, with the process's own service token, of which the page learns nothing.
    bridge.call("PublishSessionUpdate", &demo("a")).await;
    let address = format!("localhost:{}", dev.addr("grpc").port());
    let options = format!("-cacert {cert} -H \"authorization: Bearer $API_TOKEN\"");
    assert_eq!(
        about["grpcurl"],
        json!({ "options": options, "address": address })
    );
    for secret in [kept, SECRET, "eyJ"] {
        assert!(
            !about.to_string().contains(secret) && !answer.body.contains(secret),
            "{about}"
        );
        assert!(!dev.log().contains(secret), "{}", dev.log());
    }
}

#[tokio::test]
async fn it_says_what_it_is() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let about = bridge.about().await;
    let version = env!("CARGO_PKG_VERSION");
    let grpcurl = json!({ "options": "-plaintext", "address": dev.addr("grpc").to_string() });
    assert_eq!(
        about,
        json!({ "version": version, "grpcurl": grpcurl, "edges": [dev.url()], "mints": true, "store": "memory" })
    );
    let [first, second] = bridge.two_edges().await;
    assert_eq!(first, dev.addr("http"));
    assert!(second.ip().is_loopback() && second != first, "{second}");
    assert_eq!(bridge.two_edges().await, [first, second]);
    let urls = [first, second].map(|addr| format!("http://{addr}"));
    assert_eq!(bridge.about().await["edges"], json!(urls));
}
