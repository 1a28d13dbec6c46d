//! The command line: invalid options, and the order of precedence of their sources.

use roomcast_tests::{Process, TempDir, roomcast};

/// Runs a command that must fail with exit status 2 and one line on standard error; returns the line.
async fn usage_error(args: &[&str], variables: &[(&str, &str)]) -> String {
    let output = roomcast(args, variables).await;
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {line}");
    assert_eq!(
        (line.matches('\n').count(), output.stdout.len()),
        (1, 0),
        "{args:?}: {line}"
    );
    line.trim_end().to_owned()
}

/// Command lines with an invalid option, each with the texts that the line must contain.
const INVALID_OPTIONS: &[(&[&str], &[&str])] = &[
    (
        &["dev", "--grpc-addr", "nowhere"],
        &["--grpc-addr", "nowhere", "HOST:PORT"],
    ),
    (
        &["dev", "--http-addr", "0.0.0.0:0"],
        &["--http-addr", "0.0.0.0:0", "dev secret", "--insecure"],
    ),
    (
        &["dev", "--grpc-addr", "0.0.0.0:0"],
        &["--grpc-addr", "0.0.0.0:0", "--insecure"],
    ),
    (
        &[
            "control-plane",
            "--redis-url",
            "redis://127.0.0.1:1",
            "--grpc-addr",
            "[::]:0",
        ],
        &["--grpc-addr", "[::]:0", "--api-jwt-secret", "--insecure"],
    ),
    (
        &[
            "edge",
            "--http-addr",
            "0.0.0.0:0",
            "--jwt-secret",
            roomcast_auth::DEV_SECRET,
        ],
        &["--http-addr", "dev secret", "--insecure"],
    ),
    (&["edge"], &["--jwt-secret"]),
    (&["control-plane"], &["--redis-url", "ROOMCAST_REDIS_URL"]),
    (&["control-plane", "--redis-url", "http://h"], &["--redis-url"]),
    (&["dev", "--no-such-flag"], &["--no-such-flag"]),
    (
        &["dev", "--log-retention", "24"],
        &["--log-retention", "24", "unit"],
    ),
    (&["dev", "--config", "/nonexistent.toml"], &["/nonexistent.toml"]),
    (
        &["edge", "--jwt-secret", "x", "--control-plane", "127.0.0.1:1"],
        &["--control-plane", "http://"],
    ),
    (
        &["edge", "--jwt-secret", "", "--jwt-audience", "roomcast-api"],
        &["--jwt-secret"],
    ),
    (&["token"], &["--user"]),
    (&["token", "--user", "a b"], &["--user", "a b"]),
    (&["token", "--user", "a", "--ttl", "soon"], &["--ttl", "soon"]),
    (&["nonsense"], &["nonsense"]),
    (&[], &["--help"]),
];

/// The command must fail with one line that contains these texts.
async fn fails_with(args: &[&str], variables: &[(&str, &str)], parts: &[&str]) {
    let line = usage_error(args, variables).await;
    for part in parts {
        assert!(line.contains(part), "{part:?} in {line}");
    }
}

#[tokio::test]
async fn an_invalid_option_is_named_in_one_line() {
    for (args, parts) in INVALID_OPTIONS {
        fails_with(args, &[], parts).await;
    }
    let variables = [("ROOMCAST_HTTP_ADDR", "x")];
    fails_with(&["dev"], &variables, &["ROOMCAST_HTTP_ADDR"]).await;
}

#[tokio::test]
async fn an_invalid_file_is_named_in_one_line() {
    let folder = TempDir::new();
    let unknown = folder.write("unknown.toml", "grpc-adr = \"127.0.0.1:0\"\n");
    let bad = folder.write("bad.toml", "grpc-addr = \"nowhere\"\n");
    for (args, parts) in [
        (["dev", "--config", &unknown], ["grpc-adr", "grpc-addr"]),
        (["dev", "--config", &bad], ["grpc-addr", "nowhere"]),
        (["edge", "--jwt-public-key", &bad], ["--jwt-public-key", "PEM"]),
    ] {
        fails_with(&args, &[], &parts).await;
    }
}

#[tokio::test]
async fn an_address_in_use_fails_the_start() {
    let dev = Process::dev(&[]).await;
    let taken = dev.addr("admin").to_string();
    let line = usage_error(
        &[
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--http-addr",
            "127.0.0.1:0",
            "--admin-addr",
            &taken,
        ],
        &[],
    )
    .await;
    assert!(
        line.contains("--admin-addr") && line.contains("already in use"),
        "{line}"
    );
}

#[tokio::test]
async fn a_public_address_is_accepted_with_insecure() {
    let args = [
        "dev",
        "--insecure",
        "--http-addr",
        "0.0.0.0:0",
        "--grpc-addr",
        "127.0.0.1:0",
        "--admin-addr",
    ];
    let dev = Process::start(&[&args[..], &["127.0.0.1:0"]].concat(), &[]).await;
    dev.ready().await;
    assert!(dev.addr("http").ip().is_unspecified());
}

#[tokio::test]
async fn flags_override_variables_and_variables_override_the_file() {
    let folder = TempDir::new();
    let file = "grpc-addr = \"127.0.0.1:0\"\nhttp-addr = \"127.0.0.1:0\"\nadmin-addr = \"nowhere\"\nlog = \"nowhere\"\n";
    let file = folder.write("roomcast.toml", file);
    let variables = [
        ("ROOMCAST_ADMIN_ADDR", "127.0.0.1:0"),
        ("ROOMCAST_LOG", "alsonowhere"),
    ];
    let dev = Process::start(&["dev", "--config", &file, "--log", "warn"], &variables).await;
    dev.ready().await;
    assert_eq!(dev.log(), "", "nothing below a warning");
}

#[tokio::test]
async fn help_and_version_succeed() {
    for (args, text) in [
        (&["--help"][..], "control-plane"),
        (&["edge", "--help"], "--cors-origin"),
        (&["--version"], "roomcast"),
    ] {
        let output = roomcast(args, &[]).await;
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(text));
    }
}

#[tokio::test]
async fn the_token_command_prints_only_the_token() {
    let output = roomcast(&["token", "--user", "alice", "--ttl", "5m"], &[]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(
        (text.matches('.').count(), text.split_whitespace().count()),
        (2, 1),
        "{text}"
    );
}
