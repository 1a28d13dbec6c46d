//! Authentication of callers of the control plane: service tokens and client certificates.

use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, TempDir, claims_json, grpcurl, openssl, reason, roomcast,
    session, signed, token,
};
use tonic::Code;

#[tokio::test]
async fn required_service_tokens_are_checked() {
    const SECRET: &str = "a-secret-of-services-that-is-long-enough";
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &["--api-jwt-secret", SECRET]).await;
    control_plane.ready().await;
    let minted = async |args: &[&str]| {
        let output = roomcast(&[&["token"], args].concat(), &[]).await;
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let good = minted(&["--service", "backend", "--jwt-secret", SECRET]).await;
    let grpc = control_plane.addr("grpc");
    let mut caller = Backend::connect(grpc).await;
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
        let mut call = tonic::Request::new(roomcast_proto::v1::GetSessionRequest {
            session_id: "s1".to_owned(),
        });
        call.metadata_mut()
            .insert("authorization", format!("Bearer {wrong}").parse().unwrap());
        let error = caller.0.get_session(call).await.unwrap_err();
        assert_eq!(
            (error.code(), reason(&error)),
            (Code::Unauthenticated, "TOKEN_INVALID".to_owned())
        );
    }
    let mut call = tonic::Request::new(roomcast_proto::v1::PublishSessionUpdateRequest {
        session: Some(session("s1", "a", "alice=observer")),
        ..Default::default()
    });
    call.metadata_mut()
        .insert("authorization", format!("Bearer {good}").parse().unwrap());
    caller.0.publish_session_update(call).await.unwrap();
    // Health and reflection need no token.
    assert!(
        grpcurl(grpc, "ADDR grpc.health.v1.Health/Check", "{}")
            .await
            .out
            .contains("SERVING")
    );

    // An edge with a token attaches, one without does not.
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

    // An expired token has a code of its own.
    let folder = TempDir::new();
    let mut claims = claims_json("backend", -3_600);
    claims["aud"] = "roomcast-api".into();
    let expired = signed("HS256", &folder.write("secret", SECRET), None, &claims);
    let mut call = tonic::Request::new(roomcast_proto::v1::GetSessionRequest {
        session_id: "s1".to_owned(),
    });
    call.metadata_mut()
        .insert("authorization", format!("Bearer {expired}").parse().unwrap());
    let error = caller.0.get_session(call).await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
}

#[tokio::test]
async fn required_client_certificates_are_checked() {
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
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ca, cert, key) = (path("ca.pem"), path("server.pem"), path("server.key"));
    let redis = Redis::start().await;
    let tls = ["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &ca];
    let control_plane = Process::control_plane(&redis.url(), &tls).await;
    control_plane.ready().await;
    let url = format!("https://localhost:{}", control_plane.addr("grpc").port());
    let args = [
        "edge",
        "--http-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
        "--jwt-secret",
    ];
    let args = [
        &args[..],
        &[
            roomcast_auth::DEV_SECRET,
            "--control-plane",
            &url,
            "--tls-ca",
            &ca,
        ],
    ]
    .concat();
    let (cert, key) = (path("client.pem"), path("client.key"));
    let own = ["--tls-client-cert", &cert, "--tls-client-key", &key];
    let edge = Process::start(&[&args[..], &own].concat(), &[]).await;
    edge.ready().await;
    let without_certificate = Process::start(&args, &[]).await;
    assert!(without_certificate.not_ready().await.contains("link"));

    // Backends need a certificate, too.
    let grpc = control_plane.addr("grpc");
    let calling = async |tls: &str| {
        let arguments = format!("-plaintext=false {tls} ADDR roomcast.v1.SessionService/AuthorizeJoin");
        grpcurl(grpc, &arguments, r#"{"session_id":"s1","user_id":"alice"}"#).await
    };
    let trusted = calling(&format!("-cacert {ca} -cert {cert} -key {key}")).await;
    assert_eq!(trusted.json()["denial"], "DENIAL_SESSION_NOT_FOUND");
    openssl(
        &folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=client",
    );
    let (other, other_key) = (path("other.pem"), path("other.key"));
    for tls in [
        format!("-cacert {ca}"),
        format!("-cacert {ca} -cert {other} -key {other_key}"),
    ] {
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
