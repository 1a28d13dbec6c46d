//! Service tokens that expire while a stream is open.

use std::{net::SocketAddr, time::Duration};

use roomcast_auth::MintClaims;
use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, TempDir, claims, eventually, get, reason, session, token,
    token_with, within,
};
use tonic::{Code, Request};

const SECRET: &str = "a-secret-of-services-that-is-long-enough";
/// The lifetime of a short-lived token, in seconds.
const LIFETIME: u64 = 3;

/// A service token that expires after this many seconds.
fn service(seconds: u64) -> String {
    let claims = MintClaims {
        audience: Some("roomcast-api".to_owned()),
        ttl: Duration::from_secs(seconds),
        ..claims("edge")
    };
    token_with(SECRET, &claims)
}

/// A request with a service token.
pub(super) fn called<T>(token: &str, request: T) -> Request<T> {
    let mut request = Request::new(request);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Publishes a status of the session.
async fn publish(backend: &mut Backend, token: &str, status: &str) {
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session("s1", status, "alice=observer")),
        ..Default::default()
    };
    backend
        .0
        .publish_session_update(called(token, request))
        .await
        .unwrap();
}

/// An edge that is attached with a token of a short lifetime, and whose next token is `next`. The edge reads the file whenever
/// it attaches.
async fn attached_edge(grpc: SocketAddr, folder: &TempDir, next: &str) -> Process {
    let file = folder.write("token", service(LIFETIME));
    let edge = Process::edge(&[grpc], &["--api-token-file", &file]).await;
    // The file has a fresh token until the edge is attached.
    eventually("an attached edge", async || {
        folder.write("token", service(LIFETIME));
        (get(edge.addr("admin"), "/readyz").await?.0 == 200).then_some(())
    })
    .await;
    folder.write("token", next);
    edge
}

/// Watches the session with a token of a short lifetime, until the stream ends because the token expires.
async fn watch_until_the_token_expires(backend: &mut Backend) {
    let watched = v1::WatchEventsRequest {
        room: Some(v1::watch_events_request::Room::SessionId("s1".to_owned())),
        after: None,
    };
    // A slow machine may use a token only after its expiry.
    let mut stream = eventually("a stream before its token expires", async || {
        let request = called(&service(LIFETIME), watched.clone());
        let mut stream = backend.0.watch_events(request).await.ok()?.into_inner();
        stream.message().await.ok()?.map(|_| stream)
    })
    .await;
    let error = within("the expiry of the token", stream.message())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_an_edge_continues_with_the_next_token() {
    let folder = TempDir::new();
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &["--api-jwt-secret", SECRET]).await;
    control_plane.ready().await;
    let grpc = control_plane.addr("grpc");
    let good = service(600);
    let mut backend = Backend::connect(grpc).await;
    publish(&mut backend, &good, "start").await;
    let edge = attached_edge(grpc, &folder, &good).await;
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;
    watch_until_the_token_expires(&mut backend).await;

    // The token of the link, which is older, has expired as well; the socket stayed connected.
    for n in 0..20 {
        publish(&mut backend, &good, &n.to_string()).await;
        assert_eq!(
            alice.expect_event("session-updated").await["session"]["status"],
            n.to_string()
        );
    }
    edge.ready().await;
}
