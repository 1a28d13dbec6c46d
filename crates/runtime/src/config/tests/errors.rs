//! Errors in the arguments and in the variables.

use super::*;

#[test]
fn an_invalid_value_is_an_error_that_names_its_source() {
    let reason = "invalid socket address syntax (expected HOST:PORT, e.g. 127.0.0.1:50051)";
    let args = "control-plane --redis-url redis://h";
    assert_eq!(
        start().error_line(&format!("{args} --grpc-addr foo")),
        format!("--grpc-addr \"foo\": {reason}")
    );
    let variable = start().variable("ROOMCAST_GRPC_ADDR", "f\no");
    assert_eq!(
        variable.error_line(args),
        format!("ROOMCAST_GRPC_ADDR \"f\\no\": {reason}")
    );
    let file = start().file("grpc_addr = 'foo'");
    assert_eq!(
        file.error_line(args),
        format!("config.toml: key \"grpc_addr\" \"foo\": {reason}")
    );
    let flag = format!("{args} --trim some");
    assert_eq!(
        start().error_line(&flag),
        "--trim \"some\": expected one of exact, approximate"
    );
    assert_eq!(
        start().error_line("edge --max-rooms=-1"),
        "--max-rooms \"-1\": -1 is not in 0..=65535"
    );
    assert_eq!(
        start().error_line("edge --max-rooms=70000"),
        "--max-rooms \"70000\": 70000 is not in 0..=65535"
    );
    assert_eq!(
        start().error_line("edge --http-addr"),
        "--http-addr: a value is required"
    );
    let switch = start().variable("ROOMCAST_INSECURE", "maybe");
    assert_eq!(
        switch.error_line("edge"),
        "ROOMCAST_INSECURE \"maybe\": expected true or false"
    );
}

#[test]
fn missing_unknown_and_repeated_arguments_are_errors_that_name_them() {
    let line = |args| start().error_line(args);
    assert_eq!(line(""), "no command (see --help)");
    assert_eq!(line("edg"), "\"edg\": unknown command, did you mean edge?");
    assert_eq!(
        line("edge --htp-addr=a"),
        "--htp-addr: unknown option, did you mean --http-addr?"
    );
    assert_eq!(
        line("edge extra"),
        "argument \"extra\": unexpected argument (options have the form --name value)"
    );
    assert_eq!(
        line("edge -x"),
        "argument \"-x\": unexpected argument (options have the form --name value)"
    );
    assert_eq!(
        line("edge --max-rooms 1 --max-rooms 2"),
        "--max-rooms: set more than once"
    );
    assert_eq!(
        line("edge --insecure=maybe"),
        "--insecure: unexpected value for an argument found"
    );
    assert_eq!(
        line("control-plane"),
        "--redis-url: required (flag --redis-url, variable ROOMCAST_REDIS_URL or, in the --config file, key redis-url)"
    );
    assert_eq!(line("token"), "--user: required");
    let both = start().variable("ROOMCAST_JWKS", "a");
    assert_eq!(
        both.error_line("edge --jwt-secret hunter22"),
        "--jwt-secret: cannot be used with ROOMCAST_JWKS"
    );
}

#[test]
fn bytes_that_are_not_utf8_are_an_error() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = OsString::from_vec(vec![b'-', b'-', 0xff]);
    let exit = parse::<Roomcast>(["roomcast".into(), "edge".into(), bytes.clone()], |_| None).unwrap_err();
    assert!(matches!(exit, EarlyExit::Invalid(line) if line == "argument 2: not valid UTF-8"));
    let variable = |name: &str| (name == "ROOMCAST_JWKS").then(|| bytes.clone());
    let exit = parse::<Roomcast>(["roomcast".into(), "edge".into()], variable).unwrap_err();
    assert!(matches!(exit, EarlyExit::Invalid(line) if line == "ROOMCAST_JWKS: not valid UTF-8"));
}

#[test]
fn an_error_after_the_parse_has_the_same_form() {
    let line = |flag, value, reason| ConfigError::new(flag, value, reason).to_string();
    let reason = "not loopback, needs --insecure";
    assert_eq!(
        line("--grpc-addr", "0.0.0.0:1", reason),
        format!("--grpc-addr \"0.0.0.0:1\": {reason}")
    );
    assert_eq!(
        line("--api-token", "abc", "abc is\nbad"),
        "--api-token <hidden>: <hidden> is\\nbad"
    );
    let EarlyExit::Invalid(line) = EarlyExit::from(ConfigError::new("--a", "b", "c")) else {
        panic!("not an error")
    };
    assert_eq!(line, "--a \"b\": c");
}
