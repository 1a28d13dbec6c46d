use std::convert::Infallible;

use http_body_util::BodyExt as _;
use roomcast_runtime::metrics::Registry;
use tonic_types::StatusExt as _;
use tower::{ServiceExt as _, service_fn};

use super::*;

const UNARY: &str = "/roomcast.v1.SessionService/GetSession";
const STREAM: &str = "/roomcast.v1.SessionService/WatchEvents";
const LINK: &str = "/roomcast.v1.EdgeService/Attach";

const DRAIN_GRACE: Duration = Duration::from_secs(7);

fn guard(shutdown: &Shutdown) -> GuardLayer {
    GuardLayer::new(CallPolicy {
        tokens: None,
        max_request_bytes: 1_000,
        drain_grace: DRAIN_GRACE,
        shutdown: shutdown.clone(),
        metrics: Metrics::register(&mut Registry::default()),
    })
}

fn call(path: &str, timeout: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().uri(path);
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    request.body(Body::empty()).unwrap()
}

fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// How the guarded method behaves.
#[derive(Clone, Copy)]
enum Behaviour {
    NeverResponds,
    RespondsWithEndlessStream,
    RespondsWithOutOfRange,
}

/// The status with which the whole response ends.
async fn final_status(guard: &GuardLayer, request: Request<Body>, behaviour: Behaviour) -> Status {
    let method = service_fn(move |_: Request<Body>| async move {
        match behaviour {
            Behaviour::NeverResponds => std::future::pending().await,
            Behaviour::RespondsWithEndlessStream => {
                Ok::<_, Infallible>(Response::new(Body::new(EndlessStream)))
            }
            Behaviour::RespondsWithOutOfRange => Ok(Status::out_of_range("too large").into_http()),
        }
    });
    let response = guard.layer(method).oneshot(request).await.unwrap();
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

struct EndlessStream;

impl http_body::Body for EndlessStream {
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
async fn the_callers_deadline_ends_a_unary_call() {
    let (guard, started) = (guard(&Shutdown::new()), Instant::now());
    let status = final_status(&guard, call(UNARY, Some("200m")), Behaviour::NeverResponds).await;
    assert_eq!(
        (status.code(), started.elapsed()),
        (Code::DeadlineExceeded, Duration::from_millis(200))
    );
    assert_eq!(reason(&status).as_deref(), Some("DEADLINE_EXCEEDED"));
}

#[tokio::test(start_paused = true)]
async fn the_servers_own_deadline_ends_a_unary_call_and_no_stream() {
    let (guard, started) = (guard(&Shutdown::new()), Instant::now());
    let status = final_status(&guard, call(UNARY, Some("1H")), Behaviour::NeverResponds).await;
    assert_eq!(
        (status.code(), started.elapsed()),
        (Code::DeadlineExceeded, UNARY_DEADLINE)
    );
    let stream = final_status(&guard, call(STREAM, None), Behaviour::RespondsWithEndlessStream);
    assert!(
        tokio::time::timeout(Duration::from_secs(3600), stream)
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_ends_a_stream() {
    let guard = guard(&Shutdown::new());
    let request = call(STREAM, Some("3S"));
    let status = final_status(&guard, request, Behaviour::RespondsWithEndlessStream).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_streams_and_lets_unary_calls_finish() {
    let shutdown = Shutdown::new();
    let guard = guard(&shutdown);
    shutdown.begin("test");
    let status = final_status(&guard, call(STREAM, None), Behaviour::RespondsWithEndlessStream).await;
    assert_eq!(
        (status.code(), reason(&status).as_deref()),
        (Code::Unavailable, Some("DRAINING"))
    );
    let started = Instant::now();
    let status = final_status(&guard, call(UNARY, None), Behaviour::NeverResponds).await;
    assert_eq!(
        (status.code(), started.elapsed()),
        (Code::DeadlineExceeded, UNARY_DEADLINE)
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_a_link_after_the_grace() {
    let (shutdown, started) = (Shutdown::new(), Instant::now());
    shutdown.begin("test");
    let request = call(LINK, None);
    let status = final_status(&guard(&shutdown), request, Behaviour::RespondsWithEndlessStream).await;
    assert_eq!(
        (status.code(), started.elapsed()),
        (Code::Unavailable, DRAIN_GRACE)
    );
    assert_eq!(reason(&status).as_deref(), Some("DRAINING"));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_deadline_is_invalid() {
    let request = call(UNARY, Some("soon"));
    let status = final_status(&guard(&Shutdown::new()), request, Behaviour::NeverResponds).await;
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_invalid() {
    let request = call(UNARY, None);
    let status = final_status(
        &guard(&Shutdown::new()),
        request,
        Behaviour::RespondsWithOutOfRange,
    )
    .await;
    assert_eq!(
        (status.code(), reason(&status).as_deref()),
        (Code::InvalidArgument, Some("REQUEST_TOO_LARGE"))
    );
    assert!(
        status.message().contains("at most 1000 bytes"),
        "{}",
        status.message()
    );
}
