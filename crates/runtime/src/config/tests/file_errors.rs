//! Errors in the configuration file.

use super::*;

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let line = |text| start().file(text).error_line("edge");
    let expected = "config.toml: key \"grpc-adr\": unknown option, did you mean \"grpc-addr\"?";
    assert_eq!(line("grpc-adr = 'a'"), expected);
    assert_eq!(line("zzz = 1"), "config.toml: key \"zzz\": unknown option");
    assert_eq!(
        line("config = 'a'"),
        "config.toml: key \"config\": not allowed in a file"
    );
    assert_eq!(line("user = 'a'"), "config.toml: key \"user\": unknown option");
    assert_eq!(
        line("[edge]\nlog = 'a'"),
        "config.toml: key \"edge\": unknown option"
    );
}

#[test]
fn a_key_of_another_type_is_an_error() {
    let line = |text| start().file(text).error_line("edge");
    assert_eq!(
        line("insecure = 'yes'"),
        "config.toml: key \"insecure\": expected true or false"
    );
    assert_eq!(
        line("max-rooms = [1]"),
        "config.toml: key \"max-rooms\": expected one value, not an array"
    );
    assert_eq!(
        line("max-rooms.a = 1"),
        "config.toml: key \"max-rooms\": expected a value, not a table"
    );
    assert_eq!(
        line("jwks = 2025-01-01"),
        "config.toml: key \"jwks\": expected a string, not a date"
    );
    assert_eq!(
        line("control-plane = [[]]"),
        "config.toml: key \"control-plane\": expected an array of single values"
    );
    let twice = "max-rooms = 1\nmax_rooms = 2";
    assert_eq!(
        line(twice),
        "config.toml: key \"max_rooms\": set twice (with - and with _)"
    );
}

#[test]
fn an_unreadable_or_invalid_file_is_an_error() {
    let missing = "cannot be read: No such file or directory (os error 2)";
    assert_eq!(
        start().error_line("edge --config /nowhere"),
        format!("--config \"/nowhere\": {missing}")
    );
    let variable = start().variable("ROOMCAST_CONFIG", "/nowhere");
    assert_eq!(
        variable.error_line("edge"),
        format!("ROOMCAST_CONFIG \"/nowhere\": {missing}")
    );
    let broken = start().file("max-rooms = 1\nlog = \n").error_line("edge");
    assert!(broken.starts_with("config.toml: line 2: "), "{broken}");
    assert!(!broken.contains('\n'), "{broken}");
}
