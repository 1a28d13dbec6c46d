//! What comes in before anything is parsed: bytes, sizes, deadlines; and what is open to everybody.

use std::time::Duration;

use prost::Message as _;
use prost_types::{Struct, value::Kind};
use roomcast_core::limits::DEFAULT_MAX_REQUEST_BYTES;
use roomcast_proto::v1;
use tokio::net::TcpStream;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha,
};

use crate::harness::{World, fields, publish, select, told, watch};

/// Sends bytes as they are.
#[derive(Clone, Copy, Default)]
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
    fn encode(&mut self, item: Vec<u8>, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buf, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;
    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(buf, bytes::Buf::remaining(buf));
        Ok(Some(()))
    }
}

async fn send(world: &World, bytes: Vec<u8>) -> Result<(), Status> {
    let mut client = Grpc::new(world.channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/roomcast.v1.SessionService/PublishSessionUpdate");
    client.unary(Request::new(bytes), path, Raw).await.map(|_| ())
}

#[tokio::test]
async fn text_that_is_not_utf8_names_its_field() {
    let world = World::start().await;
    // session { status: <0xff> }
    let status = send(&world, vec![0x0a, 0x03, 0x12, 0x01, 0xff])
        .await
        .unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    assert_eq!(fields(&status), ["session.status"]);
}

#[tokio::test]
async fn garbage_and_nothing_are_invalid() {
    let world = World::start().await;
    for bytes in [vec![0xff; 64], vec![0x07], vec![]] {
        assert_eq!(
            send(&world, bytes).await.unwrap_err().code(),
            Code::InvalidArgument
        );
    }
}

#[tokio::test]
async fn nesting_is_bounded_whatever_the_depth() {
    let world = World::start().await;
    for levels in [40, 90, 5_000] {
        let status = send(&world, nested(levels)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{levels} levels");
    }
    send(&world, nested(30)).await.unwrap();
}

/// A session whose attributes are nested so deep, written from the inside out.
fn nested(levels: usize) -> Vec<u8> {
    let wrap = |tag: u8, inner: &[u8]| {
        let mut bytes = vec![tag];
        prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
        bytes.extend_from_slice(inner);
        bytes
    };
    let mut object = Struct {
        fields: [("n".to_owned(), Kind::NullValue(0).into())].into(),
    }
    .encode_to_vec();
    for _ in 1..levels {
        let value = wrap(0x2a, &object);
        object = wrap(0x0a, &[vec![0x0a, 1, b'n'], wrap(0x12, &value)].concat());
    }
    let mut session = publish("s1").session.unwrap();
    session.attributes = None;
    let session = [session.encode_to_vec(), wrap(0x22, &object)].concat();
    wrap(0x0a, &session)
}

#[tokio::test]
async fn a_request_that_is_too_large_is_invalid_and_disturbs_nobody() {
    let world = World::start().await;
    for bytes in [DEFAULT_MAX_REQUEST_BYTES + 1, 10 * 1024 * 1024] {
        let status = send(&world, vec![0; bytes]).await.unwrap_err();
        assert_eq!(
            told(&status),
            (Code::InvalidArgument, "REQUEST_TOO_LARGE".into()),
            "{bytes} bytes"
        );
        assert!(status.message().contains("262144 bytes"), "{}", status.message());
    }
    world.publish("s1").await;
}

#[tokio::test]
async fn a_deadline_ends_a_unary_call() {
    let world = World::start().await;
    let _closed = world.store.gate.acquire().await.unwrap();
    let stream = TcpStream::connect(world.addr).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!(
        "http://{}/roomcast.v1.SessionService/SelectRole",
        world.addr
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .header("grpc-timeout", "100m")
    .body(())
    .unwrap();
    let (answer, mut body) = client
        .ready()
        .await
        .unwrap()
        .send_request(request, false)
        .unwrap();
    let bytes = select("s1", "alice", v1::Role::Observer).encode_to_vec();
    let frame = [&[0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat();
    body.send_data(frame.into(), true).unwrap();
    let status = Status::from_header_map(answer.await.unwrap().headers()).unwrap();
    assert_eq!(
        told(&status),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into())
    );
}

#[tokio::test]
async fn a_deadline_ends_a_stream() {
    let world = World::start().await;
    world.publish("s1").await;
    let mut request = Request::new(watch("s1", None));
    request.set_timeout(Duration::from_millis(200));
    let mut events = world.backend().watch_events(request).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().is_some());
    assert_eq!(
        told(&events.message().await.unwrap_err()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into())
    );
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let world = World::start().await;
    let mut client = Grpc::new(world.channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/roomcast.v1.SessionService/DropTables");
    let status = client
        .unary(Request::new(vec![]), path, Raw)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn health_follows_the_store() {
    let world = World::start().await;
    let mut health = HealthClient::new(world.channel.clone());
    for service in ["", "roomcast.v1.SessionService", "roomcast.v1.EdgeService"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let mut seen = health.watch(request).await.unwrap().into_inner();
        until(&mut seen, ServingStatus::Serving).await;
        assert!(world.readiness.check().is_ok());
        world.store.set_away(true);
        until(&mut seen, ServingStatus::NotServing).await;
        world.store.set_away(false);
        until(&mut seen, ServingStatus::Serving).await;
    }
}

async fn until(seen: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>, wanted: ServingStatus) {
    while seen.message().await.unwrap().unwrap().status() != wanted {}
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let world = World::start().await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(world.channel.clone());
    let requests = futures_util::stream::iter([request]);
    let answer = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.unwrap().message_response else {
        panic!("no list")
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for name in [
        "roomcast.v1.SessionService",
        "roomcast.v1.EdgeService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.iter().any(|listed| listed == name), "{names:?}");
    }
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "roomcast.v1.SessionService".into(),
            ),
        ),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(world.channel.clone());
    let requests = futures_util::stream::iter([request]);
    let answer = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap();
    let answer = answer.unwrap().message_response.unwrap();
    let found = matches!(
        answer,
        v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_)
    );
    assert!(found, "{answer:?}");
}
