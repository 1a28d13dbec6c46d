//! Requests as raw bytes: what is invalid before any field is checked.

use prost::Message as _;
use prost_types::{Struct, value::Kind};
use roomcast_core::limits::DEFAULT_MAX_REQUEST_BYTES;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

use crate::{
    harness::TestServer,
    requests::{code_and_reason, invalid_fields, publish},
};

/// A codec that sends bytes unchanged and ignores the response.
#[derive(Clone, Copy, Default)]
struct RawCodec;

impl Codec for RawCodec {
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

impl Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buf, &item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = ();
    type Error = Status;
    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(buf, bytes::Buf::remaining(buf));
        Ok(Some(()))
    }
}

async fn send(server: &TestServer, bytes: Vec<u8>) -> Result<(), Status> {
    let mut client = Grpc::new(server.channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/roomcast.v1.SessionService/PublishSessionUpdate");
    client
        .unary(Request::new(bytes), path, RawCodec)
        .await
        .map(|_| ())
}

#[tokio::test]
async fn the_field_of_a_text_that_is_not_utf8_is_named() {
    let server = TestServer::start().await;
    // session { status: <0xff> }
    let status = send(&server, vec![0x0a, 0x03, 0x12, 0x01, 0xff])
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::InvalidArgument, "INVALID_REQUEST".into())
    );
    assert_eq!(invalid_fields(&status), ["session.status"]);
}

#[tokio::test]
async fn random_bytes_and_an_empty_request_are_invalid() {
    let server = TestServer::start().await;
    for bytes in [vec![0xff; 64], vec![0x07], vec![]] {
        assert_eq!(
            send(&server, bytes).await.unwrap_err().code(),
            Code::InvalidArgument
        );
    }
}

#[tokio::test]
async fn a_request_nested_too_deeply_is_invalid_at_any_depth() {
    let server = TestServer::start().await;
    for levels in [40, 90, 5_000] {
        let status = send(&server, nested(levels)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{levels} levels");
    }
    send(&server, nested(30)).await.unwrap();
}

/// The bytes of a session whose attributes have that many levels, built from the inside out.
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
async fn a_request_that_is_too_large_is_invalid_and_the_connection_stays_usable() {
    let server = TestServer::start().await;
    for bytes in [DEFAULT_MAX_REQUEST_BYTES + 1, 10 * 1024 * 1024] {
        let status = send(&server, vec![0; bytes]).await.unwrap_err();
        assert_eq!(
            code_and_reason(&status),
            (Code::InvalidArgument, "REQUEST_TOO_LARGE".into()),
            "{bytes} bytes"
        );
        assert!(status.message().contains("262144 bytes"), "{}", status.message());
    }
    server.publish("s1").await;
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = TestServer::start().await;
    let mut client = Grpc::new(server.channel.clone());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/roomcast.v1.SessionService/DropTables");
    let status = client
        .unary(Request::new(vec![]), path, RawCodec)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}
