//! Who may call the control plane, and what it tells of itself.

use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, TempDir, claims_json, grpcurl, openssl, reason, roomcast,
    session, signed, token,
};
use tonic::Code;

#[tokio::test]
async fn a_demanded_service_token_is_checked() {
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
    let mut anybody = Backend::connect(grpc).await;
    let error = anybody.select_role("s1", "alice", "observer").await.unwrap_err();
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
        let error = anybody.0.get_session(call).await.unwrap_err();
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
    anybody.0.publish_session_update(call).await.unwrap();
    // Health and reflection need none.
    assert!(
        grpcurl(grpc, "ADDR grpc.health.v1.Health/Check", "{}")
            .await
            .out
            .contains("SERVING")
    );

    // An edge with a token is fed, one without is not.
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

    // Whose time is over is told so.
    let folder = TempDir::new();
    let mut claims = claims_json("backend", -3_600);
    claims["aud"] = "roomcast-api".into();
    let expired = signed("HS256", &folder.write("secret", SECRET), None, &claims);
    let mut call = tonic::Request::new(roomcast_proto::v1::GetSessionRequest {
        session_id: "s1".to_owned(),
    });
    call.metadata_mut()
        .insert("authorization", format!("Bearer {expired}").parse().unwrap());
    let error = anybody.0.get_session(call).await.unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
}

#[tokio::test]
async fn demanded_client_certificates_are_checked() {
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
    let stranger = Process::start(&args, &[]).await;
    assert!(stranger.not_ready().await.contains("link"));

    // Backends alike.
    let grpc = control_plane.addr("grpc");
    let calling = async |tls: &str| {
        let words = format!("-plaintext=false {tls} ADDR roomcast.v1.SessionService/AuthorizeJoin");
        grpcurl(grpc, &words, r#"{"session_id":"s1","user_id":"alice"}"#).await
    };
    let known = calling(&format!("-cacert {ca} -cert {cert} -key {key}")).await;
    assert_eq!(known.json()["denial"], "DENIAL_SESSION_NOT_FOUND");
    openssl(
        &folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=client",
    );
    let (other, other_key) = (path("other.pem"), path("other.key"));
    for tls in [
        format!("-cacert {ca}"),
        format!("-cacert {ca} -cert {other} -key {other_key}"),
    ] {
        let unknown = calling(&tls).await;
        assert!(!unknown.ok && unknown.out.is_empty(), "{unknown:?}");
    }
    let plain = grpcurl(
        grpc,
        "-connect-timeout 2 ADDR roomcast.v1.SessionService/GetSession",
        "{}",
    )
    .await;
    assert!(!plain.ok, "{plain:?}");
}

#[tokio::test]
async fn it_tells_of_itself() {
    let dev = Process::dev(&[]).await;
    let grpc = dev.addr("grpc");
    let listed = grpcurl(grpc, "ADDR list", "").await;
    for service in [
        "roomcast.v1.SessionService",
        "roomcast.v1.EdgeService",
        "grpc.health.v1.Health",
    ] {
        assert!(listed.out.contains(service), "{listed:?}");
    }
    // Older callers know the reflection only by its former name, which is not listed: they bring its description.
    let folder = TempDir::new();
    folder.write(
        "old.proto",
        "syntax = 'proto3'; package grpc.reflection.v1alpha;
         service ServerReflection { rpc ServerReflectionInfo(stream Ask) returns (stream Answer); }
         message Ask { string list_services = 7; }
         message Answer { Services list_services_response = 6; }
         message Services { repeated Service service = 1; }
         message Service { string name = 1; }",
    );
    let words = format!(
        "-import-path {} -proto old.proto ADDR grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        folder.path().display()
    );
    let listed = grpcurl(grpc, &words, r#"{"list_services":"*"}"#).await;
    assert!(listed.out.contains("roomcast.v1.SessionService"), "{listed:?}");
    let described = grpcurl(grpc, "ADDR describe roomcast.v1.SessionService.SelectRole", "").await;
    assert!(described.out.contains("SelectRoleRequest"), "{described:?}");
    let health = grpcurl(
        grpc,
        "ADDR grpc.health.v1.Health/Check",
        r#"{"service":"roomcast.v1.SessionService"}"#,
    )
    .await;
    assert_eq!(health.json()["status"], "SERVING");
    // Details of errors are readable, since their types are known to the reflection.
    let refused = grpcurl(
        grpc,
        "ADDR roomcast.v1.SessionService/GetSession",
        r#"{"session_id":""}"#,
    )
    .await;
    assert!(
        refused.err.contains("google.rpc.BadRequest") && refused.err.contains("session_id"),
        "{refused:?}"
    );
}
