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
