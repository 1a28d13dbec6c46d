//! Malformed calls, packets and HTTP requests: they get a precise error, and affect no other socket.

use roomcast_proto::v1;
use roomcast_tests::{Backend, Browser, Browsers, Client, Process, grpcurl, session, structure, token};
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A socket in the same session, which must keep receiving its events.
async fn neighbour(dev: &Process, browsers: &Browsers, backend: &mut Backend) -> Browser {
    backend.publish(session("s1", "start", "alice=interviewer")).await;
    let mut alice = browsers.connect(&dev.url(), &token("alice")).await;
    alice.join("s1").await;
    alice
}

async fn still_receives_events(alice: &mut Browser, backend: &mut Backend) {
    backend.publish(session("s1", "well", "alice=interviewer")).await;
    assert_eq!(
        alice.expect_event("session-updated").await["session"]["status"],
        "well"
    );
}

/// The sorted names of the invalid fields.
fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let bad = status
        .get_details_bad_request()
        .unwrap_or_else(|| panic!("no BadRequest: {status:?}"));
    let mut fields: Vec<_> = bad
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    fields.sort();
    fields
}

/// The invalid fields of a publish of this session, which must be denied.
async fn fields_of_publish(backend: &mut Backend, session: v1::Session) -> Vec<String> {
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session),
        ..Default::default()
    };
    fields(&backend.0.publish_session_update(request).await.unwrap_err())
}

async fn names_empty_and_long_fields(backend: &mut Backend) {
    let empty = backend
        .0
        .publish_session_update(v1::PublishSessionUpdateRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&empty), ["session"]);
    let empty = backend
        .0
        .select_role(v1::SelectRoleRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&empty), ["role", "session_id", "user_id"]);
    let request = v1::SelectRoleRequest {
        session_id: "x".repeat(129),
        user_id: "a\nb".to_owned(),
        role: 77,
        request_id: "x".repeat(129),
    };
    let long = backend.0.select_role(request).await.unwrap_err();
    assert_eq!(fields(&long), ["request_id", "role", "session_id", "user_id"]);
}

async fn names_conflicting_participants(backend: &mut Backend) {
    let conflicting = session("s1", "a", "alice=interviewer bob=interviewer bob=observer");
    let two = fields_of_publish(backend, conflicting).await;
    assert!(
        two.iter()
            .all(|field| field.starts_with("session.participants.list["))
            && two.len() == 2,
        "{two:?}"
    );
}

async fn names_invalid_attributes(backend: &mut Backend) {
    let with_attributes = |attributes: prost_types::Struct| v1::Session {
        attributes: Some(attributes),
        ..session("s1", "a", "")
    };
    for (attributes, case) in [
        (json!({ "status": "x" }), "a reserved name"),
        (
            json!({ "big": "x".repeat(70_000) }),
            "a payload that is too large",
        ),
        (
            json!({ "deep": (0..60).fold(json!(1), |deep, _| json!({ "x": deep })) }),
            "too deep",
        ),
    ] {
        let invalid = fields_of_publish(backend, with_attributes(structure(&attributes))).await;
        assert!(
            invalid[0].starts_with("session.attributes"),
            "{case}: {invalid:?}"
        );
    }
    let number = prost_types::value::Kind::NumberValue;
    for kind in [Some(number(f64::NAN)), Some(number(f64::INFINITY)), None] {
        let attributes = prost_types::Struct {
            fields: [("n".to_owned(), prost_types::Value { kind })].into(),
        };
        let invalid = fields_of_publish(backend, with_attributes(attributes)).await;
        assert!(invalid[0].starts_with("session.attributes"), "{invalid:?}");
    }
}

#[tokio::test]
async fn every_invalid_field_of_a_call_is_named() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let mut alice = neighbour(&dev, &browsers, &mut backend).await;
    names_empty_and_long_fields(&mut backend).await;
    names_conflicting_participants(&mut backend).await;
    names_invalid_attributes(&mut backend).await;
    still_receives_events(&mut alice, &mut backend).await;
}

#[tokio::test]
async fn an_undecodable_request_is_an_invalid_argument() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let mut alice = neighbour(&dev, &browsers, &mut backend).await;
    let deep = (0..5_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        // ListValue { values: [Value { list_value: … }] }, nested.
        if inner.len() > 100_000 {
            inner
        } else {
            field(1, &field(6, &inner))
        }
    });
    let attributes = field(
        1,
        &field(
            4,
            &field(1, &[field(1, b"k"), field(2, &field(6, &deep))].concat()),
        ),
    );
    for (case, message) in [
        ("not UTF-8", field(1, b"\xff\xfe")),
        (
            "garbage",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        ),
        ("cut short", vec![0x0a, 0x7f]),
        ("deep", attributes),
        ("ten megabytes", field(1, &vec![b'x'; 10_000_000])),
    ] {
        let method = if case == "deep" {
            "PublishSessionUpdate"
        } else {
            "GetSession"
        };
        let status = raw_call(&dev, method, message).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{case}: {status:?}");
        let info = status.get_details_error_info();
        assert_eq!(
            info.expect("an ErrorInfo").domain,
            "roomcast",
            "{case}: {status:?}"
        );
    }
    for request in [
        r#"{"session_id":7}"#,
        r#"{"no_such_field":1}"#,
        "{",
        r#"{"session_id":"s1","session_id":"#,
    ] {
        let call = grpcurl(
            dev.addr("grpc"),
            "ADDR roomcast.v1.SessionService/GetSession",
            request,
        )
        .await;
        assert!(!call.ok, "{call:?}");
    }
    still_receives_events(&mut alice, &mut backend).await;
}

/// A length-delimited field of a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}

/// Calls a method with arbitrary bytes as the message.
async fn raw_call(dev: &Process, method: &str, message: Vec<u8>) -> Status {
    use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
    #[derive(Default)]
    struct Raw;
    impl Codec for Raw {
        type Encode = Vec<u8>;
        type Decode = ();
        type Encoder = Self;
        type Decoder = Self;
        fn encoder(&mut self) -> Self {
            Self
        }
        fn decoder(&mut self) -> Self {
            Self
        }
    }
    impl Encoder for Raw {
        type Item = Vec<u8>;
        type Error = Status;
        fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
            bytes::BufMut::put_slice(to, &item);
            Ok(())
        }
    }
    impl Decoder for Raw {
        type Item = ();
        type Error = Status;
        fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
            let all = bytes::Buf::remaining(from);
            bytes::Buf::advance(from, all);
            Ok(Some(()))
        }
    }
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", dev.addr("grpc"))).unwrap();
    let mut client = tonic::client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::try_from(format!("/roomcast.v1.SessionService/{method}")).unwrap();
    client
        .unary(tonic::Request::new(message), path, Raw)
        .await
        .expect_err("the message is malformed")
}

#[tokio::test]
async fn malformed_packets_close_only_their_connection() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let mut alice = neighbour(&dev, &browsers, &mut backend).await;
    for (case, packet) in [
        ("an unknown packet type", "9".to_owned()),
        ("truncated JSON", "2[\"join-session\"".to_owned()),
        (
            "ten megabytes",
            format!("2[\"join-session\",\"{}\"]", "x".repeat(10_000_000)),
        ),
        ("a CONNECT of another namespace", "0/admin,{}".to_owned()),
        ("an acknowledgement of nothing", "399[]".to_owned()),
        (
            "binary without attachment",
            "51-[\"join-session\",{\"_placeholder\":true,\"num\":0}]".to_owned(),
        ),
        ("a huge event name", format!("2[\"{}\"]", "x".repeat(50_000))),
        (
            "escapes in an event name",
            "2[\"join\\u002dsession\",\"s1\"]".to_owned(),
        ),
        (
            "deep JSON",
            format!(
                "2[\"join-session\",{}1{}]",
                "[".repeat(20_000),
                "]".repeat(20_000)
            ),
        ),
    ] {
        for transports in [json!(["websocket"]), json!(["polling"])] {
            let options = json!({
                "token": token("alice"),
                "transports": transports,
                "options": { "reconnection": false },
            });
            let mut eve = browsers.open_with(&dev.url(), options).await;
            eve.connected().await;
            eve.send_raw(&packet).await;
            let closed = eve.closed_or_responds().await;
            match case {
                "ten megabytes" => assert!(closed, "{case}"),
                // Unknown events and malformed arguments never close a connection.
                "a huge event name" | "escapes in an event name" | "deep JSON" => assert!(!closed, "{case}"),
                _ => {}
            }
            eve.close().await;
        }
        still_receives_events(&mut alice, &mut backend).await;
    }
}

#[tokio::test]
async fn malformed_http_requests_have_their_documented_status() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let mut alice = neighbour(&dev, &browsers, &mut backend).await;
    let http = dev.addr("http");
    for (path, status) in [
        ("/socket.io/", 400),
        ("/socket.io/?EIO=3&transport=polling", 400),
        ("/socket.io/?EIO=4&transport=smoke", 400),
        ("/socket.io/?EIO=4&transport=polling&sid=unknown", 400),
        ("/socket.io/?EIO=4&transport=websocket", 400),
        ("/socket.io/?EIO=4&transport=websocket&sid=unknown", 400),
        ("/nothing", 404),
    ] {
        let response = roomcast_tests::get(http, path).await.unwrap();
        assert_eq!(response.0, status, "{path}: {response:?}");
    }
    still_receives_events(&mut alice, &mut backend).await;
}
