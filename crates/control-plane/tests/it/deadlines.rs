//! The deadlines that callers set.

use std::time::Duration;

use prost::Message as _;
use roomcast_proto::v1;
use tokio::net::TcpStream;
use tonic::{Code, Request, Status};

use crate::{
    harness::{TestServer, skip_time},
    requests::{code_and_reason, select, watch},
};

#[tokio::test]
async fn the_callers_deadline_ends_a_unary_call() {
    let server = TestServer::start().await;
    let _held_back = server.store.command_permits.acquire().await.unwrap();
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!(
        "http://{}/roomcast.v1.SessionService/SelectRole",
        server.addr
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .header("grpc-timeout", "100m")
    .body(())
    .unwrap();
    let (response, mut body) = client
        .ready()
        .await
        .unwrap()
        .send_request(request, false)
        .unwrap();
    let bytes = select("s1", "alice", v1::Role::Observer).encode_to_vec();
    let frame = [&[0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat();
    body.send_data(frame.into(), true).unwrap();
    let status = Status::from_header_map(response.await.unwrap().headers()).unwrap();
    assert_eq!(
        code_and_reason(&status),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into())
    );
}

#[tokio::test]
async fn the_callers_deadline_ends_a_stream() {
    let server = TestServer::start().await;
    server.publish("s1").await;
    let mut request = Request::new(watch("s1", None));
    let deadline = Duration::from_secs(3600);
    request.set_timeout(deadline);
    let mut events = server.backend().watch_events(request).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().is_some());
    skip_time(deadline).await;
    assert_eq!(
        code_and_reason(&events.message().await.unwrap_err()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into())
    );
}
