//! Users' tokens: which are accepted, which are denied, and what happens when one expires.

use roomcast_auth::{DEV_SECRET, MintClaims};
use roomcast_tests::{
    Backend, Browser, Browsers, Client, Process, TempDir, claims, claims_json, eventually, expiring, openssl,
    session, signed, token, token_with,
};
use serde_json::{Value, json};

/// Starts an edge that verifies tokens with these options.
async fn edge(control_plane: &Process, keys: &[&str]) -> Process {
    let url = format!("http://{}", control_plane.addr("grpc"));
    let args = [
        "edge",
        "--http-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
        "--control-plane",
        &url,
    ];
    let edge = Process::start(&[&args, keys].concat(), &[]).await;
    edge.ready().await;
    edge
}

#[tokio::test]
async fn bad_tokens_are_denied_with_their_code() {
    let dev = Process::dev(&["--jwt-issuer", "us", "--jwt-audience", "app"]).await;
    let browsers = Browsers::start(Client::Js48);
    let good = || MintClaims {
        issuer: Some("us".to_owned()),
        audience: Some("app".to_owned()),
        ..claims("alice")
    };
    let with = |claims: MintClaims| json!({ "token": token_with(DEV_SECRET, &claims) });
    let hs = |claims: Value| json!({ "token": signed_dev(&claims) });
    // Each case differs from these claims in one respect.
    let mut valid_claims = claims_json("alice", 600);
    (valid_claims["iss"], valid_claims["aud"]) = ("us".into(), "app".into());
    let mut later = valid_claims.clone();
    later["nbf"] = json!(later["exp"].as_i64().unwrap() - 300);
    let (mut without_user, mut number) = (valid_claims.clone(), valid_claims.clone());
    without_user.as_object_mut().unwrap().remove("sub");
    number["sub"] = json!(7);
    let folder = TempDir::new();
    openssl(&folder, "genrsa -out rsa.pem 2048");
    let rsa = folder.path().join("rsa.pem").to_str().unwrap().to_owned();
    let valid = with(good());
    let altered = valid["token"].as_str().unwrap().replace('.', ".e");
    for (case, auth, code) in [
        ("missing", json!({ "auth": {} }), "token_missing"),
        ("no auth at all", json!({ "auth": null }), "token_missing"),
        ("empty", json!({ "token": "" }), "token_missing"),
        ("null", json!({ "auth": { "token": null } }), "token_missing"),
        ("a number", json!({ "auth": { "token": 7 } }), "token_invalid"),
        ("malformed", json!({ "token": "x.y.z" }), "token_invalid"),
        ("altered", json!({ "token": altered }), "token_invalid"),
        (
            "too long",
            json!({ "token": "x".repeat(20_000) }),
            "token_invalid",
        ),
        (
            "wrong key",
            json!({ "token": token_with(&DEV_SECRET.replace("dev", "DEV"), &good()) }),
            "token_invalid",
        ),
        (
            "wrong algorithm",
            json!({ "token": signed("RS256", &rsa, None, &valid_claims) }),
            "token_invalid",
        ),
        (
            "no algorithm",
            json!({ "token": signed("none", "", None, &valid_claims) }),
            "token_invalid",
        ),
        (
            "expired",
            with(MintClaims {
                issued_at: 1_000_000,
                ..good()
            }),
            "token_expired",
        ),
        ("not yet valid", hs(later), "token_invalid"),
        (
            "no expiry",
            hs(json!({ "sub": "alice", "iss": "us", "aud": "app" })),
            "token_invalid",
        ),
        ("no user", hs(without_user), "token_invalid"),
        ("a user that is a number", hs(number), "token_invalid"),
        (
            "wrong issuer",
            with(MintClaims {
                issuer: Some("them".to_owned()),
                ..good()
            }),
            "token_invalid",
        ),
        (
            "no issuer",
            with(MintClaims {
                issuer: None,
                ..good()
            }),
            "token_invalid",
        ),
        (
            "wrong audience",
            with(MintClaims {
                audience: Some("other".to_owned()),
                ..good()
            }),
            "token_invalid",
        ),
        (
            "a service token",
            with(MintClaims {
                audience: Some("roomcast-api".to_owned()),
                ..good()
            }),
            "token_invalid",
        ),
        (
            "a malformed id",
            with(MintClaims {
                subject: "a b".to_owned(),
                ..good()
            }),
            "token_invalid",
        ),
    ] {
        let mut browser = browsers.open_with(&dev.url(), auth).await;
        assert_eq!(browser.denied().await, code, "{case}");
    }
    for options in [valid.clone(), hs(valid_claims)] {
        browsers.open_with(&dev.url(), options).await.connected().await;
    }
    let header = json!({ "auth": {}, "headers": { "Authorization": format!("Bearer {}", valid["token"].as_str().unwrap()) } });
    browsers.open_with(&dev.url(), header).await.connected().await;
    // A stock client does not retry a denied connection; the page does, with another token.
    let mut browser = browsers.open(&dev.url(), "x").await;
    assert_eq!(browser.denied().await, "token_invalid");
    browser.reconnect(valid["token"].as_str()).await;
    browser.connected().await;
}

/// A token signed with the dev secret, for claims that our own mint does not support.
fn signed_dev(claims: &Value) -> String {
    let folder = TempDir::new();
    signed("HS256", &folder.write("secret", DEV_SECRET), None, claims)
}

#[tokio::test]
async fn a_python_client_is_denied_with_the_same_code() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Python);
    let mut browser = browsers.open(&dev.url(), &expiring("alice", -1)).await;
    assert_eq!(browser.denied().await, "token_expired");
}

#[tokio::test]
async fn every_documented_algorithm_is_accepted() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let folder = TempDir::new();
    openssl(&folder, "genrsa -out rsa.pem 2048");
    openssl(&folder, "ecparam -name prime256v1 -genkey -noout -out ec.pem");
    openssl(&folder, "genpkey -algorithm ed25519 -out ed.pem");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (key, algorithms) in [
        ("rsa", &["RS256", "PS256"][..]),
        ("ec", &["ES256"]),
        ("ed", &["EdDSA"]),
    ] {
        openssl(&folder, &format!("pkey -in {key}.pem -pubout -out {key}.pub.pem"));
        let public = path(&format!("{key}.pub.pem"));
        let edge = edge(&dev, &["--jwt-public-key", &public]).await;
        for algorithm in algorithms {
            let token = signed(
                algorithm,
                &path(&format!("{key}.pem")),
                None,
                &claims_json("alice", 600),
            );
            browsers.connect(&edge.url(), &token).await;
        }
        // The text of the public key is not accepted as an HMAC secret.
        let secret = std::fs::read_to_string(&public).unwrap();
        let forged = browsers
            .open(&edge.url(), &token_with(&secret, &claims("alice")))
            .await
            .denied()
            .await;
        assert_eq!(forged, "token_invalid");
    }
    let secret = folder.write(
        "secret",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    );
    let text = std::fs::read_to_string(&secret).unwrap();
    let edge = edge(&dev, &["--jwt-secret", &text, "--jwt-user-claim", "uid"]).await;
    for algorithm in ["HS256", "HS384", "HS512"] {
        let mut claims = claims_json("unused", 600);
        claims["uid"] = "alice".into();
        browsers
            .connect(&edge.url(), &signed(algorithm, &secret, None, &claims))
            .await;
    }
}

#[tokio::test]
async fn keys_of_a_jwks_file_are_rotated() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Js48);
    let folder = TempDir::new();
    let mut jwks = Vec::new();
    for kid in ["old", "new"] {
        openssl(&folder, &format!("genpkey -algorithm ed25519 -out {kid}.pem"));
        openssl(
            &folder,
            &format!("pkey -in {kid}.pem -pubout -outform DER -out {kid}.der"),
        );
        let der = std::fs::read(folder.path().join(format!("{kid}.der"))).unwrap();
        jwks.push(
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(&der[der.len() - 32..]) }),
        );
    }
    let file = folder.write("jwks.json", json!({ "keys": [jwks[0]] }).to_string());
    let edge = edge(&dev, &["--jwks", &file]).await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let token = |kid| {
        signed(
            "EdDSA",
            &path(&format!("{kid}.pem")),
            Some(kid),
            &claims_json("alice", 600),
        )
    };
    browsers.connect(&edge.url(), &token("old")).await;
    folder.write("jwks.json", json!({ "keys": [jwks[1]] }).to_string());
    // The file is read again when a token has an unknown key, at a limited rate.
    let token_of_new = token("new");
    eventually("the new key", async || {
        let mut browser = browsers.open(&edge.url(), &token_of_new).await;
        let report = browser.next_of("connect", "connect_error").await;
        if report["on"] == "connect_error" {
            assert_eq!(report["message"], "token_invalid");
            return None;
        }
        Some(())
    })
    .await;
    assert_eq!(
        browsers.open(&edge.url(), &token("old")).await.denied().await,
        "token_invalid"
    );
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits =
                chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            (0..=chunk.len()).map(move |n| char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize]))
        })
        .collect()
}

/// Opens a socket whose token expires soon, and joins `s1`. On a slow machine the first tokens may expire before the join;
/// later ones live longer.
async fn joined_with_expiring_token(browsers: &Browsers, url: &str, transports: &Value) -> Browser {
    for lifetime in [2, 4, 8, 16] {
        let options = json!({ "token": expiring("alice", lifetime), "transports": transports });
        let mut alice = browsers.open_with(url, options).await;
        if alice.next_of("connect", "connect_error").await["on"] != "connect" {
            continue;
        }
        match alice.try_request("join-session", json!(["s1"])).await {
            Some(response) if response["ok"] == true => {
                alice.expect_event("session-joined").await;
                return alice;
            }
            _ => alice.close().await,
        }
    }
    panic!("no token lived long enough for a join")
}

#[tokio::test]
async fn i6_a_socket_is_closed_when_its_token_expires() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "a", "alice=observer bob=observer"))
        .await;
    for transports in [json!(["websocket"]), json!(["polling"])] {
        let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
        bob.join("s1").await;
        let mut alice = joined_with_expiring_token(&browsers, &dev.url(), &transports).await;
        let reason = alice.disconnected().await;
        assert!(reason.starts_with("transport"), "{reason}");
        // The stock client reconnects with the same token, and is denied.
        assert_eq!(alice.denied().await, "token_expired");
        backend
            .publish(session("s1", "b", "alice=observer bob=observer"))
            .await;
        bob.expect_event("session-updated").await;
        alice.reconnect(Some(&token("alice"))).await;
        alice.connected().await;
        alice.join("s1").await;
    }
}
