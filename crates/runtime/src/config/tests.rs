use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::{Args, Subcommand, ValueEnum};

use super::*;

/// Delivers events.
#[derive(Debug, Parser)]
#[command(name = "roomcast", version)]
struct Roomcast {
    #[arg(long, env = "ROOMCAST_LOG", default_value = "info", global = true)]
    log: String,
    #[command(subcommand)]
    command: SelectedCommand,
}

#[derive(Debug, Subcommand)]
enum SelectedCommand {
    Edge(Edge),
    ControlPlane(ControlPlane),
    Token {
        #[arg(long)]
        user: String,
    },
}

#[derive(Debug, Args)]
struct Edge {
    #[arg(long, env = "ROOMCAST_CONFIG")]
    config: Option<PathBuf>,
    #[arg(long, env = "ROOMCAST_HTTP_ADDR", default_value = "127.0.0.1:3000", value_parser = values::socket_addr)]
    http_addr: SocketAddr,
    #[arg(
        long,
        env = "ROOMCAST_CONTROL_PLANE",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:50051"
    )]
    control_plane: Vec<String>,
    #[arg(long, env = "ROOMCAST_INSECURE")]
    insecure: bool,
    #[arg(long, env = "ROOMCAST_JWT_SECRET", value_parser = long_enough, conflicts_with = "jwks")]
    jwt_secret: Option<String>,
    #[arg(long, env = "ROOMCAST_JWKS")]
    jwks: Option<String>,
    #[arg(long, env = "ROOMCAST_MAX_ROOMS", default_value_t = 100)]
    max_rooms: u16,
}

#[derive(Debug, Args)]
struct ControlPlane {
    #[arg(long, env = "ROOMCAST_CONFIG")]
    config: Option<PathBuf>,
    #[arg(long, env = "ROOMCAST_GRPC_ADDR", default_value = "127.0.0.1:50051", value_parser = values::socket_addr)]
    grpc_addr: SocketAddr,
    #[arg(long, env = "ROOMCAST_REDIS_URL", value_parser = redis_url)]
    redis_url: String,
    #[arg(long, env = "ROOMCAST_TRIM", default_value = "exact")]
    trim: Trim,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trim {
    Exact,
    Approximate,
}

fn long_enough(secret: &str) -> Result<String, String> {
    if secret.len() < 8 {
        Err(format!("{secret:?} ({secret}) is too short"))
    } else {
        Ok(secret.to_owned())
    }
}

fn redis_url(url: &str) -> Result<String, String> {
    if url.starts_with("redis://") {
        Ok(url.to_owned())
    } else {
        Err(format!("not a Redis URL: {url}"))
    }
}

/// The environment of a start of the program: its variables, and the file for `--config`.
#[derive(Default)]
struct Start {
    variables: Vec<(&'static str, OsString)>,
    file: Option<PathBuf>,
}

impl Start {
    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn file(mut self, text: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("roomcast-config-{}-{number}.toml", std::process::id()));
        fs::write(&path, text).unwrap();
        self.file = Some(path);
        self
    }

    fn run(&self, args: &str) -> Result<Roomcast, EarlyExit> {
        let mut args: Vec<OsString> = ["roomcast"]
            .into_iter()
            .chain(args.split_whitespace())
            .map(Into::into)
            .collect();
        if let Some(path) = &self.file {
            args.extend(["--config".into(), path.into()]);
        }
        let variable = |name: &str| {
            self.variables
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, v)| v.clone())
        };
        parse(args, variable)
    }

    fn edge(&self, args: &str) -> Edge {
        match self.run(&format!("edge {args}")).unwrap().command {
            SelectedCommand::Edge(edge) => edge,
            other @ (SelectedCommand::ControlPlane(_) | SelectedCommand::Token { .. }) => panic!("{other:?}"),
        }
    }

    /// The error line, with `config.toml` instead of the file's path.
    fn error_line(&self, args: &str) -> String {
        match self.run(args) {
            Err(EarlyExit::Invalid(line)) => match &self.file {
                Some(path) => line.replace(path.to_str().unwrap(), "config.toml"),
                None => line,
            },
            other => panic!("not an error: {other:?}"),
        }
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            let _ = fs::remove_file(path);
        }
    }
}

fn start() -> Start {
    Start::default()
}

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
