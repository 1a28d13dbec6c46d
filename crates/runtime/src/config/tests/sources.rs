//! The precedence of the sources of an option.

use super::*;

#[test]
fn a_flag_overrides_a_variable_and_a_variable_overrides_a_key() {
    let file = || start().file("http-addr = '127.0.0.1:3'\nmax_rooms = 3");
    assert_eq!(start().edge("").max_rooms, 100);
    assert_eq!(file().edge("").max_rooms, 3);
    assert_eq!(file().edge("").http_addr.port(), 3);
    let both = || file().variable("ROOMCAST_MAX_ROOMS", "2");
    assert_eq!(both().edge("").max_rooms, 2);
    assert_eq!(both().edge("").http_addr.port(), 3);
    assert_eq!(both().edge("--max-rooms 1").max_rooms, 1);
    assert_eq!(both().edge("--max-rooms=1").max_rooms, 1);
}

#[test]
fn an_overridden_value_is_not_validated() {
    let wrong = start()
        .file("max-rooms = 'many'")
        .variable("ROOMCAST_MAX_ROOMS", "lots");
    assert_eq!(wrong.edge("--max-rooms 1").max_rooms, 1);
}

#[test]
fn a_variable_can_name_the_file() {
    let file = start().file("max-rooms = 3");
    let path = file.file.clone().unwrap();
    let named = start().variable("ROOMCAST_CONFIG", path.to_str().unwrap());
    assert_eq!(named.edge("").max_rooms, 3);
    assert_eq!(named.edge("").config, Some(path));
}

#[test]
fn a_repeatable_option_is_an_array_and_sources_are_not_merged() {
    let file = || start().file("control-plane = ['http://a', 'http://b']");
    assert_eq!(start().edge("").control_plane, ["http://127.0.0.1:50051"]);
    assert_eq!(file().edge("").control_plane, ["http://a", "http://b"]);
    assert_eq!(
        start().file("control_plane = 'http://a'").edge("").control_plane,
        ["http://a"]
    );
    let variable = file().variable("ROOMCAST_CONTROL_PLANE", "http://c,http://d");
    assert_eq!(variable.edge("").control_plane, ["http://c", "http://d"]);
    assert_eq!(
        variable.edge("--control-plane http://e").control_plane,
        ["http://e"]
    );
}

#[test]
fn a_switch_is_a_boolean_except_on_the_command_line() {
    assert!(!start().edge("").insecure);
    assert!(start().edge("--insecure").insecure);
    assert!(start().file("insecure = true").edge("").insecure);
    assert!(!start().file("insecure = false").edge("").insecure);
    assert!(start().variable("ROOMCAST_INSECURE", "1").edge("").insecure);
    assert!(
        !start()
            .variable("ROOMCAST_INSECURE", "false")
            .file("insecure = true")
            .edge("")
            .insecure
    );
}

#[test]
fn one_file_configures_several_commands() {
    let file = start().file("grpc-addr = '127.0.0.1:1'\nmax-rooms = 7\nlog = 'debug'");
    assert_eq!(file.edge("").max_rooms, 7);
    assert_eq!(file.run("edge").unwrap().log, "debug");
    assert_eq!(file.run("--log warn edge").unwrap().log, "warn");
}

#[test]
fn the_help_shows_the_names_of_variables_but_not_their_values() {
    let shown = |args: &str| match start().variable("ROOMCAST_JWT_SECRET", "hunter22").run(args) {
        Err(EarlyExit::Help(shown)) => shown.to_string(),
        other => panic!("not shown: {other:?}"),
    };
    assert!(shown("--version").starts_with("roomcast "));
    assert!(shown("--help").contains("Delivers events"));
    let help = shown("edge --help");
    assert!(help.contains("[env: ROOMCAST_JWT_SECRET]"), "{help}");
    assert!(help.contains("[default: 127.0.0.1:3000]"), "{help}");
    assert!(shown("help edge").contains("--http-addr"));
}
