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
