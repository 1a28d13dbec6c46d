use std::convert::Infallible;

use http_body_util::BodyExt as _;
use roomcast_proto::error::reason;
use roomcast_runtime::metrics::Registry;
use tower::{ServiceExt as _, service_fn};

use super::*;

const UNARY: &str = "/roomcast.v1.SessionService/GetSession";
const STREAM: &str = "/roomcast.v1.SessionService/WatchEvents";

fn rules(shutdown: &Shutdown) -> Calls {
    Calls(Arc::new(Rules {
        tokens: None,
        max_request_bytes: 1_000,
        drain_grace: Duration::from_secs(5),
        shutdown: shutdown.clone(),
        metrics: Metrics::register(&mut Registry::default()),
    }))
}

fn call(path: &str, timeout: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().uri(path);
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    request.body(Body::empty()).unwrap()
}

/// The status that the whole answer ends with.
async fn status(calls: &Calls, request: Request<Body>, answer: Answer) -> Status {
    let method = service_fn(move |_: Request<Body>| async move {
        match answer {
            Answer::Never => std::future::pending().await,
            Answer::EndlessStream => Ok::<_, Infallible>(Response::new(Body::new(Endless))),
            Answer::TooLarge => Ok(Status::out_of_range("too large").into_http()),
        }
    });
    let response = calls.layer(method).oneshot(request).await.unwrap();
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let trailers = response
        .into_body()
        .collect()
        .await
        .unwrap()
        .trailers()
        .cloned()
        .unwrap();
    Status::from_header_map(&trailers).unwrap()
}

#[derive(Clone, Copy)]
enum Answer {
    Never,
    EndlessStream,
    TooLarge,
}

struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = Status;
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Status>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_callers_deadline_ends_a_unary_call() {
    let (calls, started) = (rules(&Shutdown::new()), Instant::now());
    let status = status(&calls, call(UNARY, Some("200m")), Answer::Never).await;
    assert_eq!(
        (status.code(), started.elapsed()),
        (Code::DeadlineExceeded, Duration::from_millis(200))
    );
    assert_eq!(reason(&status).as_deref(), Some("DEADLINE_EXCEEDED"));
}

#[tokio::test(start_paused = true)]
async fn our_own_deadline_ends_a_unary_call_and_no_stream() {
    let (calls, started) = (rules(&Shutdown::new()), Instant::now());
    let ended = status(&calls, call(UNARY, Some("1H")), Answer::Never).await;
    assert_eq!(
        (ended.code(), started.elapsed()),
        (Code::DeadlineExceeded, UNARY_DEADLINE)
    );
    let stream = status(&calls, call(STREAM, None), Answer::EndlessStream);
    assert!(
        tokio::time::timeout(Duration::from_secs(3600), stream)
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_callers_deadline_ends_a_stream() {
    let calls = rules(&Shutdown::new());
    let ended = status(&calls, call(STREAM, Some("3S")), Answer::EndlessStream).await;
    assert_eq!(ended.code(), Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_streams_and_lets_unary_calls_finish() {
    let shutdown = Shutdown::new();
    let calls = rules(&shutdown);
    shutdown.begin("test");
    let ended = status(&calls, call(STREAM, None), Answer::EndlessStream).await;
    assert_eq!(
        (ended.code(), reason(&ended).as_deref()),
        (Code::Unavailable, Some("DRAINING"))
    );
    let started = Instant::now();
    let ended = status(&calls, call(UNARY, None), Answer::Never).await;
    assert_eq!(
        (ended.code(), started.elapsed()),
        (Code::DeadlineExceeded, UNARY_DEADLINE)
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_none_is_refused() {
    let ended = status(&rules(&Shutdown::new()), call(UNARY, Some("soon")), Answer::Never).await;
    assert_eq!(ended.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_its_callers_fault() {
    let ended = status(&rules(&Shutdown::new()), call(UNARY, None), Answer::TooLarge).await;
    assert_eq!(
        (ended.code(), reason(&ended).as_deref()),
        (Code::InvalidArgument, Some("REQUEST_TOO_LARGE"))
    );
    assert!(
        ended.message().contains("at most 1000 bytes"),
        "{}",
        ended.message()
    );
}
