//! TLS, and client certificates.

use std::path::{Path, PathBuf};

use roomcast_control_plane::{Config, Tls, TlsError};
use roomcast_proto::v1::{GetSessionRequest, session_service_client::SessionServiceClient};
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::harness::TestServer;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn pem(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

async fn start_server(client_ca: Option<&Path>) -> TestServer {
    let tls = Tls::load(&file("server.pem"), &file("server.key"), client_ca).unwrap();
    TestServer::with_config(Config {
        tls: Some(tls),
        ..Config::default()
    })
    .await
}

fn channel(server: &TestServer, identity: Option<Identity>) -> Channel {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem("ca.pem")));
    if let Some(identity) = identity {
        tls = tls.identity(identity);
    }
    let uri = format!("https://localhost:{}", server.addr.port());
    Endpoint::from_shared(uri)
        .unwrap()
        .tls_config(tls)
        .unwrap()
        .connect_lazy()
}

async fn code(channel: Channel) -> Code {
    let get = GetSessionRequest {
        session_id: "s1".into(),
    };
    SessionServiceClient::new(channel)
        .get_session(get)
        .await
        .unwrap_err()
        .code()
}

#[tokio::test]
async fn calls_are_served_over_tls() {
    let server = start_server(None).await;
    assert_eq!(code(channel(&server, None)).await, Code::NotFound);
}

#[tokio::test]
async fn a_client_without_a_required_certificate_cannot_connect() {
    let server = start_server(Some(&file("ca.pem"))).await;
    let identity = Identity::from_pem(pem("client.pem"), pem("client.key"));
    assert_eq!(code(channel(&server, Some(identity))).await, Code::NotFound);
    assert_ne!(code(channel(&server, None)).await, Code::NotFound);
}

#[test]
fn files_that_cannot_be_used_are_an_error_when_they_are_loaded() {
    let missing = Tls::load(&file("none.pem"), &file("server.key"), None).unwrap_err();
    assert!(matches!(missing, TlsError::Unreadable { .. }) && missing.to_string().contains("none.pem"));
    let mixed_up = Tls::load(&file("server.key"), &file("server.pem"), None).unwrap_err();
    assert!(matches!(mixed_up, TlsError::Unusable(_)), "{mixed_up}");
    let no_authority = Tls::load(
        &file("server.pem"),
        &file("server.key"),
        Some(&file("server.key")),
    );
    assert!(matches!(no_authority.unwrap_err(), TlsError::Unusable(_)));
}
