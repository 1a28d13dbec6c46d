//! Calls with and without service tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use roomcast_auth::{Clock, KeySource, MintClaims, SERVICE_AUDIENCE, Verifier, mint};
use roomcast_control_plane::{ApiTokens, Config};
use roomcast_proto::v1;
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    harness::{TestServer, skip_time},
    requests::{code_and_reason, watch},
};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const NOW: i64 = 1_700_000_000;

async fn start_with_tokens() -> TestServer {
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = Clock::new(move || now.load(Ordering::Relaxed) * 1000);
    let verifier = Verifier::services([KeySource::secret(SECRET).unwrap()], clock.clone()).unwrap();
    let config = Config {
        tokens: Some(ApiTokens { verifier, clock }),
        ..Config::default()
    };
    TestServer::with_config(config).await
}

fn token(audience: &str, ttl: u64, issued_at: i64) -> String {
    let claims = MintClaims {
        subject: "backend".into(),
        audience: Some(audience.into()),
        issuer: None,
        issued_at,
        ttl: Duration::from_secs(ttl),
    };
    mint(SECRET, &claims)
}

fn with_token<T>(request: T, authorization: &str) -> Request<T> {
    let mut request = Request::new(request);
    request
        .metadata_mut()
        .insert("authorization", authorization.parse().unwrap());
    request
}

fn get() -> v1::GetSessionRequest {
    v1::GetSessionRequest {
        session_id: "s1".into(),
    }
}

#[tokio::test]
async fn a_call_without_a_valid_token_is_unauthenticated() {
    let server = start_with_tokens().await;
    let mut backend = server.backend();
    let status = backend.get_session(get()).await.unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::Unauthenticated, "TOKEN_MISSING".into())
    );
    let cases = [
        ("Basic dXNlcg==".to_owned(), "TOKEN_INVALID"),
        ("Bearer nonsense".to_owned(), "TOKEN_INVALID"),
        (format!("Bearer {}", token("users", 60, NOW)), "TOKEN_INVALID"),
        (
            format!("Bearer {}", token(SERVICE_AUDIENCE, 60, NOW - 61)),
            "TOKEN_EXPIRED",
        ),
    ];
    for (authorization, reason) in cases {
        let status = backend
            .get_session(with_token(get(), &authorization))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_reason(&status),
            (Code::Unauthenticated, reason.to_owned())
        );
    }
    assert!(
        server
            .edge()
            .read_log(v1::ReadLogRequest::default())
            .await
            .unwrap_err()
            .code()
            == Code::Unauthenticated
    );
}

#[tokio::test]
async fn a_call_with_a_service_token_is_served_and_health_needs_no_token() {
    let server = start_with_tokens().await;
    let authorization = format!("Bearer {}", token(SERVICE_AUDIENCE, 60, NOW));
    let status = server
        .backend()
        .get_session(with_token(get(), &authorization))
        .await
        .unwrap_err();
    assert_eq!(
        code_and_reason(&status),
        (Code::NotFound, "SESSION_NOT_FOUND".into())
    );
    HealthClient::new(server.channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let server = start_with_tokens().await;
    let authorization = format!("Bearer {}", token(SERVICE_AUDIENCE, 3600, NOW));
    let room = Some(v1::watch_events_request::Room::UserId("alice".into()));
    let request = v1::WatchEventsRequest {
        room,
        ..watch("s1", None)
    };
    let mut events = server
        .backend()
        .watch_events(with_token(request, &authorization))
        .await
        .unwrap()
        .into_inner();
    skip_time(Duration::from_secs(3600)).await;
    assert_eq!(
        code_and_reason(&events.message().await.unwrap_err()),
        (Code::Unauthenticated, "TOKEN_EXPIRED".into())
    );
}
