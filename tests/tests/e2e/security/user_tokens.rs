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

/// Claims that the edge of this test accepts. Each bad token differs from them in one respect.
fn good_claims() -> MintClaims {
    MintClaims {
        issuer: Some("us".to_owned()),
        audience: Some("app".to_owned()),
        ..claims("alice")
    }
}

/// The same claims as JSON.
fn good_claims_json() -> Value {
    let mut claims = claims_json("alice", 600);
    (claims["iss"], claims["aud"]) = ("us".into(), "app".into());
    claims
}

/// The options of a client whose token has these claims.
fn with_claims(claims: MintClaims) -> Value {
    json!({ "token": token_with(DEV_SECRET, &claims) })
}

/// The options of a client whose token has claims that our own mint does not support.
fn with_json_claims(claims: &Value) -> Value {
    let folder = TempDir::new();
    let token = signed("HS256", &folder.write("secret", DEV_SECRET), None, claims);
    json!({ "token": token })
}

/// Options without a token, or with one that is malformed, and the code of the denial.
fn missing_and_malformed_tokens() -> Vec<(&'static str, Value, &'static str)> {
    let altered = token_with(DEV_SECRET, &good_claims()).replace('.', ".e");
    vec![
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
    ]
}

/// Options with a token whose signature is not accepted.
fn wrongly_signed_tokens() -> Vec<(&'static str, Value, &'static str)> {
    let folder = TempDir::new();
    openssl(&folder, "genrsa -out rsa.pem 2048");
    let rsa = folder.path().join("rsa.pem").to_str().unwrap().to_owned();
    let wrong_key = token_with(&DEV_SECRET.replace("dev", "DEV"), &good_claims());
    let wrong_algorithm = signed("RS256", &rsa, None, &good_claims_json());
    let no_algorithm = signed("none", "", None, &good_claims_json());
    vec![
        ("wrong key", json!({ "token": wrong_key }), "token_invalid"),
        (
            "wrong algorithm",
            json!({ "token": wrong_algorithm }),
            "token_invalid",
        ),
        ("no algorithm", json!({ "token": no_algorithm }), "token_invalid"),
    ]
}

/// Options with a token whose time, or whose user, is not accepted.
fn wrong_times_and_users() -> Vec<(&'static str, Value, &'static str)> {
    let expired = MintClaims {
        issued_at: 1_000_000,
        ..good_claims()
    };
    let mut later = good_claims_json();
    later["nbf"] = json!(later["exp"].as_i64().unwrap() - 300);
    let without_expiry = json!({ "sub": "alice", "iss": "us", "aud": "app" });
    let (mut without_user, mut number) = (good_claims_json(), good_claims_json());
    without_user.as_object_mut().unwrap().remove("sub");
    number["sub"] = json!(7);
    let malformed = MintClaims {
        subject: "a b".to_owned(),
        ..good_claims()
    };
    vec![
        ("expired", with_claims(expired), "token_expired"),
        ("not yet valid", with_json_claims(&later), "token_invalid"),
        ("no expiry", with_json_claims(&without_expiry), "token_invalid"),
        ("no user", with_json_claims(&without_user), "token_invalid"),
        (
            "a user that is a number",
            with_json_claims(&number),
            "token_invalid",
        ),
        ("a malformed id", with_claims(malformed), "token_invalid"),
    ]
}

/// Options with a token of another issuer, or for another audience.
fn wrong_issuers_and_audiences() -> Vec<(&'static str, Value, &'static str)> {
    let issued_by = |issuer: Option<&str>| {
        with_claims(MintClaims {
            issuer: issuer.map(str::to_owned),
            ..good_claims()
        })
    };
    let meant_for = |audience: &str| {
        with_claims(MintClaims {
            audience: Some(audience.to_owned()),
            ..good_claims()
        })
    };
    vec![
        ("wrong issuer", issued_by(Some("them")), "token_invalid"),
        ("no issuer", issued_by(None), "token_invalid"),
        ("wrong audience", meant_for("other"), "token_invalid"),
        ("a service token", meant_for("roomcast-api"), "token_invalid"),
    ]
}

#[tokio::test]
async fn bad_tokens_are_denied_with_their_code() {
    let dev = Process::dev(&["--jwt-issuer", "us", "--jwt-audience", "app"]).await;
    let browsers = Browsers::start(Client::Js48);
    for (case, options, code) in [
        missing_and_malformed_tokens(),
        wrongly_signed_tokens(),
        wrong_times_and_users(),
        wrong_issuers_and_audiences(),
    ]
    .concat()
    {
        let mut browser = browsers.open_with(&dev.url(), options).await;
        assert_eq!(browser.denied().await, code, "{case}");
    }
    let valid = token_with(DEV_SECRET, &good_claims());
    for options in [json!({ "token": valid }), with_json_claims(&good_claims_json())] {
        browsers.open_with(&dev.url(), options).await.connected().await;
    }
    let header = json!({ "auth": {}, "headers": { "Authorization": format!("Bearer {valid}") } });
    browsers.open_with(&dev.url(), header).await.connected().await;
    // A stock client does not retry a denied connection; the page does, with another token.
    let mut browser = browsers.open(&dev.url(), "x").await;
    assert_eq!(browser.denied().await, "token_invalid");
    browser.reconnect(Some(&valid)).await;
    browser.connected().await;
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
