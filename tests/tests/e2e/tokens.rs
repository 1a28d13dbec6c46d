//! Tokens at the door: every kind that is taken, and every kind that is not.

use std::time::Duration;

use roomcast_auth::{DEV_SECRET, MintClaims};
use roomcast_tests::{
    Backend, Browsers, Client, Process, TempDir, claims, claims_json, expiring, openssl, session, signed,
    token, token_with,
};
use serde_json::{Value, json};

/// An edge with other keys than the dev secret.
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
async fn bad_tokens_are_refused_by_their_code() {
    let dev = Process::dev(&["--jwt-issuer", "us", "--jwt-audience", "app"]).await;
    let browsers = Browsers::start(Client::Js48);
    let good = || MintClaims {
        issuer: Some("us".to_owned()),
        audience: Some("app".to_owned()),
        ..claims("alice")
    };
    let with = |claims: MintClaims| json!({ "token": token_with(DEV_SECRET, &claims) });
    let hs = |claims: Value| json!({ "token": signed_dev(&claims) });
    // Right in everything, so that each is refused for nothing but its own fault.
    let mut right_claims = claims_json("alice", 600);
    (right_claims["iss"], right_claims["aud"]) = ("us".into(), "app".into());
    let mut later = right_claims.clone();
    later["nbf"] = json!(later["exp"].as_i64().unwrap() - 300);
    let (mut nobody, mut number) = (right_claims.clone(), right_claims.clone());
    nobody.as_object_mut().unwrap().remove("sub");
    number["sub"] = json!(7);
    let folder = TempDir::new();
    openssl(&folder, "genrsa -out rsa.pem 2048");
    let rsa = folder.path().join("rsa.pem").to_str().unwrap().to_owned();
    let right = with(good());
    let altered = right["token"].as_str().unwrap().replace('.', ".e");
    for (what, auth, code) in [
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
            json!({ "token": signed("RS256", &rsa, None, &right_claims) }),
            "token_invalid",
        ),
        (
            "no algorithm",
            json!({ "token": signed("none", "", None, &right_claims) }),
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
        ("no user", hs(nobody), "token_invalid"),
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
            "a service's",
            with(MintClaims {
                audience: Some("roomcast-api".to_owned()),
                ..good()
            }),
            "token_invalid",
        ),
        (
            "no id",
            with(MintClaims {
                subject: "a b".to_owned(),
                ..good()
            }),
            "token_invalid",
        ),
    ] {
        let mut browser = browsers.open_with(&dev.url(), auth).await;
        assert_eq!(browser.refused().await, code, "{what}");
    }
    for good in [right.clone(), hs(right_claims)] {
        browsers.open_with(&dev.url(), good).await.connected().await;
    }
    let header = json!({ "auth": {}, "headers": { "Authorization": format!("Bearer {}", right["token"].as_str().unwrap()) } });
    browsers.open_with(&dev.url(), header).await.connected().await;
    // A refused one does not come back by itself; the page does, with a better token.
    let mut browser = browsers.open(&dev.url(), "x").await;
    assert_eq!(browser.refused().await, "token_invalid");
    browser.reconnect(right["token"].as_str()).await;
    browser.connected().await;
}

/// Signed by the dev secret, with claims that our own mint does not make.
fn signed_dev(claims: &Value) -> String {
    let folder = TempDir::new();
    signed("HS256", &folder.write("secret", DEV_SECRET), None, claims)
}

#[tokio::test]
async fn a_python_client_is_refused_by_the_same_code() {
    let dev = Process::dev(&[]).await;
    let browsers = Browsers::start(Client::Python);
    let mut browser = browsers.open(&dev.url(), &expiring("alice", -1)).await;
    assert_eq!(browser.refused().await, "token_expired");
}

#[tokio::test]
async fn every_algorithm_is_taken_by_its_key() {
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
                &claims_json("alice", 60),
            );
            browsers.connect(&edge.url(), &token).await;
        }
        // The text of the public key is no secret.
        let secret = std::fs::read_to_string(&public).unwrap();
        let forged = browsers
            .open(&edge.url(), &token_with(&secret, &claims("alice")))
            .await
            .refused()
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
        let mut claims = claims_json("unused", 60);
        claims["uid"] = "alice".into();
        browsers
            .connect(&edge.url(), &signed(algorithm, &secret, None, &claims))
            .await;
    }
}

#[tokio::test]
async fn keys_of_a_jwks_are_rotated_by_their_kid() {
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
            &claims_json("alice", 60),
        )
    };
    browsers.connect(&edge.url(), &token("old")).await;
    folder.write("jwks.json", json!({ "keys": [jwks[1]] }).to_string());
    // The file is looked at again for a key that is not known, but not at every token.
    let mut refused = 0;
    loop {
        let mut browser = browsers.open(&edge.url(), &token("new")).await;
        let report = browser.either("connect", "connect_error").await;
        if report["on"] == "connect" {
            break;
        }
        assert_eq!(report["message"], "token_invalid");
        refused += 1;
        assert!(refused < 200, "the new key is never found");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        browsers.open(&edge.url(), &token("old")).await.refused().await,
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

#[tokio::test]
async fn a_live_socket_ends_with_its_token() {
    let dev = Process::dev(&[]).await;
    let mut backend = Backend::connect(dev.addr("grpc")).await;
    let browsers = Browsers::start(Client::Js48);
    backend
        .publish(session("s1", "a", "alice=observer bob=observer"))
        .await;
    for transports in [json!(["websocket"]), json!(["polling"])] {
        let mut bob = browsers.connect(&dev.url(), &token("bob")).await;
        bob.join("s1").await;
        let mut alice = browsers
            .open_with(
                &dev.url(),
                json!({ "token": expiring("alice", 2), "transports": transports }),
            )
            .await;
        alice.connected().await;
        alice.join("s1").await;
        let reason = alice.disconnected().await;
        assert!(reason.starts_with("transport"), "{reason}");
        // The stock client comes back with the same token, and is told why it can't.
        assert_eq!(alice.refused().await, "token_expired");
        backend
            .publish(session("s1", "b", "alice=observer bob=observer"))
            .await;
        bob.told("session-updated").await;
        alice.reconnect(Some(&token("alice"))).await;
        alice.connected().await;
        alice.join("s1").await;
    }
}
