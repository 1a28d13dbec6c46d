//! Authentication of callers of the control plane: service tokens and client certificates.

use std::net::SocketAddr;

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, TempDir, claims_json, grpcurl, openssl, reason, roomcast,
    session, signed, token,
};
use tonic::{Code, Status};

use super::service_tokens::called;

const SECRET: &str = "a-secret-of-services-that-is-long-enough";

/// A token that the `token` command prints.
async fn minted(args: &[&str]) -> String {
    let output = roomcast(&[&["token"], args].concat(), &[]).await;
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The error of a read with this token.
async fn denied_read(backend: &mut Backend, token: &str) -> Status {
    let request = v1::GetSessionRequest {
        session_id: "s1".to_owned(),
    };
    backend.0.get_session(called(token, request)).await.unwrap_err()
}

#[tokio::test]
async fn required_service_tokens_are_checked() {
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &["--api-jwt-secret", SECRET]).await;
    control_plane.ready().await;
    let good = minted(&["--service", "backend", "--jwt-secret", SECRET]).await;
    let grpc = control_plane.addr("grpc");
    let mut caller = Backend::connect(grpc).await;
    missing_and_invalid_tokens_are_denied(&mut caller).await;
    let request = v1::PublishSessionUpdateRequest {
        session: Some(session("s1", "a", "alice=observer")),
        ..Default::default()
    };
    caller
        .0
        .publish_session_update(called(&good, request))
        .await
        .unwrap();
    // Health and reflection need no token.
    assert!(
        grpcurl(grpc, "ADDR grpc.health.v1.Health/Check", "{}")
            .await
            .out
            .contains("SERVING")
    );
    only_an_edge_with_a_token_attaches(grpc, &good).await;
    an_expired_token_has_a_code_of_its_own(&mut caller).await;
}

async fn missing_and_invalid_tokens_are_denied(caller: &mut Backend) {
    let error = caller.select_role("s1", "alice", "observer").await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_MISSING".to_owned())
    );
    for wrong in [
        minted(&["--service", "backend"]).await,
        minted(&["--user", "alice", "--jwt-secret", SECRET]).await,
        "nonsense".to_owned(),
    ] {
        let error = denied_read(caller, &wrong).await;
        assert_eq!(
            (error.code(), reason(&error)),
            (Code::Unauthenticated, "TOKEN_INVALID".to_owned())
        );
    }
}

async fn only_an_edge_with_a_token_attaches(grpc: SocketAddr, good: &str) {
    let folder = TempDir::new();
    let file = folder.write("token", format!("{good}\n"));
    let edge = Process::edge(&[grpc], &["--api-token-file", &file]).await;
    edge.ready().await;
    let browsers = Browsers::start(Client::Js48);
    browsers
        .connect(&edge.url(), &token("alice"))
        .await
        .join("s1")
        .await;
    for more in [&[][..], &["--api-token", "nonsense"]] {
        let edge = Process::edge(&[grpc], more).await;
        assert!(edge.not_ready().await.contains("link"));
    }
}

async fn an_expired_token_has_a_code_of_its_own(caller: &mut Backend) {
    let folder = TempDir::new();
    let mut claims = claims_json("backend", -3_600);
    claims["aud"] = "roomcast-api".into();
    let expired = signed("HS256", &folder.write("secret", SECRET), None, &claims);
    let error = denied_read(caller, &expired).await;
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
}

/// A folder of keys and certificates, as `NAME.key` and `NAME.pem`: a certification authority, certificates that it issued to
/// `server` and `client`, and `other`, which has the client's name and was issued by itself.
struct Certificates(TempDir);

impl Certificates {
    fn create() -> Self {
        let folder = TempDir::new();
        openssl(
            &folder,
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca",
        );
        folder.write("ext", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
        for name in ["server", "client"] {
            openssl(
                &folder,
                &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"),
            );
            openssl(
                &folder,
                &format!(
                    "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile ext"
                ),
            );
        }
        openssl(
            &folder,
            "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=client",
        );
        Self(folder)
    }

    /// The path of a file.
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn required_client_certificates_are_checked() {
    let files = Certificates::create();
    let (ca, cert, key) = (
        files.path("ca.pem"),
        files.path("server.pem"),
        files.path("server.key"),
    );
    let redis = Redis::start().await;
    let tls = ["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &ca];
    let control_plane = Process::control_plane(&redis.url(), &tls).await;
    control_plane.ready().await;
    let grpc = control_plane.addr("grpc");
    only_an_edge_with_a_certificate_attaches(grpc, &files).await;
    only_a_backend_with_a_certificate_may_call(grpc, &files).await;
}

async fn only_an_edge_with_a_certificate_attaches(grpc: SocketAddr, files: &Certificates) {
    let url = format!("https://localhost:{}", grpc.port());
    let ca = files.path("ca.pem");
    let args = [
        "edge",
        "--http-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
        "--jwt-secret",
        roomcast_auth::DEV_SECRET,
        "--control-plane",
        &url,
        "--tls-ca",
        &ca,
    ];
    let (cert, key) = (files.path("client.pem"), files.path("client.key"));
    let own = ["--tls-client-cert", &cert, "--tls-client-key", &key];
    let edge = Process::start(&[&args[..], &own].concat(), &[]).await;
    edge.ready().await;
    let without_certificate = Process::start(&args, &[]).await;
    assert!(without_certificate.not_ready().await.contains("link"));
}

async fn only_a_backend_with_a_certificate_may_call(grpc: SocketAddr, files: &Certificates) {
    let ca = files.path("ca.pem");
    let with_certificate = |name: &str| {
        let (cert, key) = (
            files.path(&format!("{name}.pem")),
            files.path(&format!("{name}.key")),
        );
        format!("-cacert {ca} -cert {cert} -key {key}")
    };
    let calling = async |tls: &str| {
        let arguments = format!("-plaintext=false {tls} ADDR roomcast.v1.SessionService/AuthorizeJoin");
        grpcurl(grpc, &arguments, r#"{"session_id":"s1","user_id":"alice"}"#).await
    };
    let trusted = calling(&with_certificate("client")).await;
    assert_eq!(trusted.json()["denial"], "DENIAL_SESSION_NOT_FOUND");
    for tls in [format!("-cacert {ca}"), with_certificate("other")] {
        let untrusted = calling(&tls).await;
        assert!(!untrusted.ok && untrusted.out.is_empty(), "{untrusted:?}");
    }
    let plain = grpcurl(
        grpc,
        "-connect-timeout 2 ADDR roomcast.v1.SessionService/GetSession",
        "{}",
    )
    .await;
    assert!(!plain.ok, "{plain:?}");
}
