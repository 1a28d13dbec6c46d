//! Keys of an identity provider: a JWKS over HTTP.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use roomcast_tests::{Browsers, Client, Process, TempDir, claims_json, eventually, openssl, signed};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// An identity provider, which responds to every request with its keys and counts the requests.
struct Provider {
    addr: SocketAddr,
    keys: Arc<Mutex<Vec<Value>>>,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Provider {
    async fn start(keys: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (keys, requests) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(serve(listener, keys.clone(), requests.clone()));
        Self {
            addr,
            keys,
            requests,
            task,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.addr)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, keys: Arc<Mutex<Vec<Value>>>, requests: Arc<AtomicUsize>) {
    while let Ok((mut tcp, _)) = listener.accept().await {
        requests.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "keys": *keys.lock().unwrap() }).to_string();
        let _ = tcp.read(&mut [0; 4096]).await;
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
        let _ = tcp
            .write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes())
            .await;
    }
}

/// Creates a key; returns its JWK, made by another implementation (PyJWT).
fn key(folder: &TempDir, kid: &str, algorithm: &str, make: &str) -> Value {
    const SCRIPT: &str = "import sys, json, jwt.algorithms as a
kid, alg, path = sys.argv[1:]
it = a.get_default_algorithms()[alg]
print(json.dumps({**json.loads(it.to_jwk(it.prepare_key(open(path).read()))), 'kid': kid, 'alg': alg, 'use': 'sig'}))";
    openssl(folder, &format!("{make} -out {kid}.pem"));
    openssl(folder, &format!("pkey -in {kid}.pem -pubout -out {kid}.pub.pem"));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let public = folder.path().join(format!("{kid}.pub.pem"));
    let output = std::process::Command::new(python)
        .args(["-c", SCRIPT, kid, algorithm, public.to_str().unwrap()])
        .output()
        .expect("python is installed: see tests/run");
    let error = String::from_utf8_lossy(&output.stderr);
    let mut jwk: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    jwk.as_object_mut().unwrap().remove("key_ops");
    jwk
}

fn token_by(folder: &TempDir, kid: &str, named: Option<&str>, algorithm: &str) -> String {
    let path = folder.path().join(format!("{kid}.pem"));
    signed(
        algorithm,
        path.to_str().unwrap(),
        named,
        &claims_json("alice", 300),
    )
}

async fn edge(control_plane: &Process, url: &str) -> Process {
    let control_plane = format!("http://{}", control_plane.addr("grpc"));
    let args = [
        "edge",
        "--http-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
    ];
    let more = ["--control-plane", &control_plane, "--jwks", url];
    let edge = Process::start(&[&args[..], &more].concat(), &[]).await;
    edge.ready().await;
    edge
}

#[tokio::test]
async fn a_key_of_a_provider_is_used_only_for_its_kid_and_algorithm() {
    let dev = Process::dev(&[]).await;
    let folder = TempDir::new();
    let provider = Provider::start(vec![
        key(&folder, "r", "RS256", "genrsa"),
        key(&folder, "p", "PS256", "genrsa"),
        key(&folder, "e", "ES256", "ecparam -name prime256v1 -genkey -noout"),
        key(&folder, "d", "EdDSA", "genpkey -algorithm ed25519"),
    ])
    .await;
    let edge = edge(&dev, &provider.url()).await;
    let browsers = Browsers::start(Client::Js48);
    for (kid, algorithm) in [("r", "RS256"), ("p", "PS256"), ("e", "ES256"), ("d", "EdDSA")] {
        browsers
            .connect(&edge.url(), &token_by(&folder, kid, Some(kid), algorithm))
            .await;
    }
    for (case, token) in [
        ("another key's name", token_by(&folder, "d", Some("e"), "EdDSA")),
        (
            "another key's signature",
            token_by(&folder, "p", Some("r"), "RS256"),
        ),
        (
            "another algorithm than the key's",
            token_by(&folder, "r", Some("r"), "PS256"),
        ),
    ] {
        let code = browsers.open(&edge.url(), &token).await.denied().await;
        assert_eq!(code, "token_invalid", "{case}");
    }
}

#[tokio::test]
async fn keys_are_fetched_again_after_a_rotation_at_a_limited_rate() {
    let dev = Process::dev(&[]).await;
    let folder = TempDir::new();
    let old = key(&folder, "old", "ES256", "ecparam -name prime256v1 -genkey -noout");
    let new = key(&folder, "new", "ES256", "ecparam -name prime256v1 -genkey -noout");
    let provider = Provider::start(vec![old]).await;
    let edge = edge(&dev, &provider.url()).await;
    let browsers = Browsers::start(Client::Js48);
    let token = |kid| token_by(&folder, kid, Some(kid), "ES256");
    browsers.connect(&edge.url(), &token("old")).await;

    // Many tokens with an unknown key cause few requests to the provider.
    let before = provider.requests.load(Ordering::Relaxed);
    let unknown = token_by(&folder, "new", Some("unknown"), "ES256");
    for _ in 0..30 {
        assert_eq!(
            browsers.open(&edge.url(), &unknown).await.denied().await,
            "token_invalid"
        );
    }
    let requests = provider.requests.load(Ordering::Relaxed) - before;
    assert!(requests <= 2, "{requests} requests for 30 tokens");

    *provider.keys.lock().unwrap() = vec![new];
    let token_of_new = token("new");
    eventually("the new key", || async {
        let mut browser = browsers.open(&edge.url(), &token_of_new).await;
        let report = browser.next_of("connect", "connect_error").await;
        (report["on"] == "connect").then_some(())
    })
    .await;
    assert_eq!(
        browsers.open(&edge.url(), &token("old")).await.denied().await,
        "token_invalid"
    );
}
