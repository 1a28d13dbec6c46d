//! The command line: the commands of `roomcast` and their help.

use clap::{Parser, Subcommand};

use crate::{control_plane, dev, edge, token};

/// Delivers session events from backends (gRPC) to browsers (Socket.IO).
///
/// Every option can be set by a flag, by an environment variable ROOMCAST_… (the name of the flag in capitals) or by a key
/// in a TOML file (--config), in this order of precedence.
#[derive(Debug, Parser)]
#[command(name = "roomcast", version, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a control plane, an edge and a playground page in one process, for development; the state is in memory. Prints
    /// its addresses, a browser token and a grpcurl call
    Dev(Box<dev::Options>),
    /// Serves the gRPC API for backends and sends events to the edges; keeps its state in Redis; any number of replicas
    ControlPlane(Box<control_plane::Options>),
    /// Serves Socket.IO for browsers; keeps no durable state; any number of replicas
    Edge(Box<edge::Options>),
    /// Mints a token and prints it
    Token(token::Options),
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;
    use roomcast_runtime::config::{self, EarlyExit};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn parse(args: &str, variables: &[(&str, &str)]) -> Result<Cli, String> {
        let args = ["roomcast"].into_iter().chain(args.split_whitespace());
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| OsString::from(value))
        };
        config::parse(args.map(OsString::from), variable).map_err(|exit| match exit {
            EarlyExit::Invalid(line) => line,
            EarlyExit::Help(text) => text.to_string(),
        })
    }

    fn error_line(args: &str) -> String {
        parse(args, &[]).unwrap_err()
    }

    #[test]
    fn the_variable_of_an_option_is_named_after_its_flag() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
        {
            for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                let flag = arg.get_long().unwrap();
                let variable = format!("ROOMCAST_{}", flag.replace('-', "_").to_ascii_uppercase());
                assert_eq!(arg.get_env(), Some(variable.as_ref()), "--{flag}");
            }
        }
    }

    #[test]
    fn the_help_of_every_option_states_its_default() {
        let mut cli = Cli::command();
        cli.build();
        for name in ["dev", "control-plane", "edge", "token"] {
            let command = cli.find_subcommand(name).unwrap();
            let help = parse(&format!("{name} --help"), &[]).unwrap_err();
            for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                let flag = arg.get_long().unwrap();
                let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let states_default = !arg.get_default_values().is_empty()
                    || arg.is_required_set()
                    || text.to_lowercase().contains("unset")
                    || text.contains("is required");
                assert!(
                    states_default,
                    "{name} --{flag} does not state its default: {text}"
                );
                assert!(help.contains(&format!("--{flag}")), "{help}");
            }
        }
        let help = parse("edge --help", &[("ROOMCAST_JWT_SECRET", KEY)]).unwrap_err();
        assert!(!help.contains(KEY), "{help}");
    }

    #[test]
    fn dev_has_all_options_of_edge_and_control_plane() {
        let mut cli = Cli::command();
        cli.build();
        let flags = |name: &str| -> Vec<String> {
            let command = cli.find_subcommand(name).unwrap();
            command
                .get_arguments()
                .filter_map(|arg| arg.get_long().map(ToOwned::to_owned))
                .collect()
        };
        let dev = flags("dev");
        for flag in flags("edge").into_iter().chain(flags("control-plane")) {
            // The edge of `dev` always connects to its own control plane.
            assert!(flag == "control-plane" || dev.contains(&flag), "{flag}");
        }
    }

    #[test]
    fn the_documented_defaults_hold() {
        for (command, defaults) in [
            (
                "dev",
                &[
                    "127.0.0.1:50051",
                    "127.0.0.1:3000",
                    "127.0.0.1:9100",
                    "sub",
                    "1MiB",
                ][..],
            ),
            (
                "control-plane",
                &[
                    "127.0.0.1:50051",
                    "127.0.0.1:9100",
                    "1000",
                    "24h",
                    "30d",
                    "64KiB",
                    "256KiB",
                ],
            ),
            (
                "edge",
                &[
                    "127.0.0.1:3000",
                    "127.0.0.1:9101",
                    "http://127.0.0.1:50051",
                    "sub",
                    "32",
                    "10s",
                ],
            ),
            ("token", &["1h"]),
        ] {
            let help = error_line(&format!("{command} --help"));
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            for default in defaults {
                assert!(
                    help.contains(&format!("[default: {default}]")),
                    "{default} in {help}"
                );
            }
        }
        parse("dev", &[]).unwrap();
        parse("edge", &[]).unwrap();
    }

    /// Command lines and their error lines.
    const INVALID: &[(&str, &str)] = &[
        (
            "dev --grpc-addr foo",
            "--grpc-addr \"foo\": invalid socket address syntax (expected HOST:PORT, e.g. 127.0.0.1:50051)",
        ),
        (
            "dev --log-retention 24",
            "--log-retention \"24\": missing unit (expected e.g. 500ms, 30s, 5m, 1h or 7d)",
        ),
        (
            "dev --max-payload 1",
            "--max-payload \"1\": must be from 1024 to 1048576 bytes",
        ),
        (
            "dev --redis-prefix {x}",
            "--redis-prefix \"{x}\": must be 1 to 64 characters of A-Z a-z 0-9 . _ : -",
        ),
        (
            "edge --control-plane h:1",
            "--control-plane \"h:1\": invalid address of a control plane (expected http://HOST:PORT or \
             https://HOST:PORT)",
        ),
        (
            "edge --cors-origin https://a/b",
            "--cors-origin \"https://a/b\": not an origin (expected e.g. https://app.example.com, without a path, or \
             *)",
        ),
        (
            "edge --write-stall-timeout 0s",
            "--write-stall-timeout \"0s\": must be greater than zero",
        ),
        (
            "edge --api-token é",
            "--api-token <hidden>: must be a token: one or more visible ASCII characters, no spaces",
        ),
        (
            "control-plane",
            "--redis-url: required (flag --redis-url, variable ROOMCAST_REDIS_URL or, in the --config file, key \
             redis-url)",
        ),
        ("token --ttl 0s --user a", "--ttl \"0s\": must be at least 1s"),
        (
            "dev --htp-addr x",
            "--htp-addr: unknown option, did you mean --http-addr?",
        ),
        ("serve", "\"serve\": unknown command"),
        ("", "no command (see --help)"),
    ];

    #[test]
    fn an_invalid_value_is_one_line_that_names_the_option() {
        for (args, line) in INVALID {
            assert_eq!(error_line(args), *line, "{args}");
        }
        let line = error_line("control-plane --redis-url http://u:hunter2@h");
        assert!(
            line.starts_with("--redis-url ") && !line.contains("hunter2"),
            "{line}"
        );
        let line = parse("dev", &[("ROOMCAST_MAX_PAYLOAD", "x")]).unwrap_err();
        assert!(
            line.starts_with("ROOMCAST_MAX_PAYLOAD \"x\": invalid size"),
            "{line}"
        );
    }
}
