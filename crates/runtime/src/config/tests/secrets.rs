//! No error shows a secret.

use super::*;

#[test]
fn a_secret_is_never_shown() {
    let flag = "edge --jwt-secret hunter2";
    assert_eq!(
        start().error_line(flag),
        "--jwt-secret <hidden>: \"<hidden>\" (<hidden>) is too short"
    );
    let variable = start().variable("ROOMCAST_JWT_SECRET", "hunter2");
    assert_eq!(
        variable.error_line("edge"),
        "ROOMCAST_JWT_SECRET <hidden>: \"<hidden>\" (<hidden>) is too short"
    );
    let file = start().file("jwt-secret = 'hunter2'");
    let expected = "config.toml: key \"jwt-secret\" <hidden>: \"<hidden>\" (<hidden>) is too short";
    assert_eq!(file.error_line("edge"), expected);
    let rest = start().variable("ROOMCAST_JWT_SECRET", "hunter22");
    assert_eq!(rest.error_line("edge --"), "argument 2: -- is not allowed");
    assert_eq!(
        rest.error_line("edge --max-rooms"),
        "--max-rooms: a value is required"
    );
    let hidden = "argument <hidden>: unexpected argument (options have the form --name value)";
    assert_eq!(start().error_line("edge --jwt-secret hunter22 hunter23"), hidden);
    assert_eq!(start().error_line("edge --jwt-secret=hunter22 hunter23"), hidden);
    assert_eq!(
        start().error_line("edge --jwt-secret -hunter23"),
        "--jwt-secret: a value is required"
    );
    assert_eq!(start().error_line("edge --jwt-secret --hunter23"), hidden);
    let typing_error = "--max-rums: unknown option, did you mean --max-rooms?";
    assert_eq!(
        start().error_line("edge --jwt-secret hunter22 --max-rums 1"),
        typing_error
    );
    let invalid = [
        "= 'hunter2\nx",
        "= hunter2",
        "= \"hunter2\\q\"",
        "hunter2",
        "= 'hunter2' hunter2",
        "= hunter2é\u{7}",
    ];
    for text in invalid {
        let line = start().file(&format!("jwt-secret {text}")).error_line("edge");
        assert!(
            line.starts_with("config.toml: line ") && !line.contains("hunter2"),
            "{line}"
        );
    }
}

#[test]
fn credentials_in_a_url_are_never_shown() {
    let url = |url: &str| start().error_line(&format!("control-plane --redis-url {url}"));
    let line = url("rediss://me:hunter2@a,redis://me:hunter2@b:6379/0");
    assert_eq!(
        line,
        "--redis-url \"rediss://<hidden>@b:6379/0\": not a Redis URL: rediss://<hidden>@b:6379/0"
    );
    assert_eq!(
        url("me:hunter2@b"),
        "--redis-url \"<hidden>@b\": not a Redis URL: <hidden>@b"
    );
    assert_eq!(
        url("http://b"),
        "--redis-url \"http://b\": not a Redis URL: http://b"
    );
}
