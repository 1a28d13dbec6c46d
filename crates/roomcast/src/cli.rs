//! The command line.

use clap::{Parser, Subcommand};

use crate::{control_plane, dev, edge, token};

/// Tells browsers at once when a session changes: gRPC in, Socket.IO out.
///
/// Every option is a flag, a variable ROOMCAST_… (the flag's name in capitals) and a key in a TOML file (--config), in
/// that order of precedence.
#[derive(Debug, Parser)]
#[command(name = "roomcast", version, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process, with the state in memory: for development. Prints what to paste where
    Dev(Box<dev::Options>),
    /// The gRPC API for backends, and the feeding of edges; state in Redis; any number of replicas
    ControlPlane(Box<control_plane::Options>),
    /// Socket.IO for browsers; holds no state that must survive
    Edge(Box<edge::Options>),
    /// Mints a token and prints it
    Token(token::Options),
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;
    use roomcast_runtime::config::{self, Exit};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn parse(args: &str, variables: &[(&str, &str)]) -> Result<Cli, String> {
        let args = ["roomcast"].into_iter().chain(args.split_whitespace());
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        config::parse(args.map(OsString::from), variable).map_err(|exit| match exit {
            Exit::Refused(line) => line,
            Exit::Shown(text) => text.to_string(),
        })
    }

    fn refused(args: &str) -> String {
        parse(args, &[]).unwrap_err()
    }

    #[test]
    fn every_option_has_its_variable() {
        config::assert_layered::<Cli>();
    }

    #[test]
    fn every_option_is_explained_with_its_default() {
        let mut cli = Cli::command();
        cli.build();
        for name in ["dev", "control-plane", "edge", "token"] {
            let command = cli.find_subcommand(name).unwrap();
            let help = parse(&format!("{name} --help"), &[]).unwrap_err();
            for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                let flag = arg.get_long().unwrap();
                let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let told = !arg.get_default_values().is_empty()
                    || arg.is_required_set()
                    || text.to_lowercase().contains("unset")
                    || text.contains("is required");
                assert!(told, "{name} --{flag} does not say what holds without it: {text}");
                assert!(help.contains(&format!("--{flag}")), "{help}");
                assert!(arg.get_env().is_some(), "{name} --{flag}");
            }
        }
        let help = parse("edge --help", &[("ROOMCAST_JWT_SECRET", KEY)]).unwrap_err();
        assert!(!help.contains(KEY), "{help}");
    }

    #[test]
    fn the_names_of_the_parts_are_those_of_dev() {
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
            // Where its control plane is, `dev` knows by itself.
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
            let help = refused(&format!("{command} --help"));
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

    #[test]
    fn a_bad_value_is_refused_in_one_line_by_its_name() {
        for (args, line) in [
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
                "--control-plane \"h:1\": not an address of a control plane (expected http://HOST:PORT or \
                 https://HOST:PORT)",
            ),
            (
                "edge --cors-origin https://a/b",
                "--cors-origin \"https://a/b\": not an origin (expected e.g. https://app.example.com, without a path, or \
                 *)",
            ),
            (
                "edge --write-stall-timeout 0s",
                "--write-stall-timeout \"0s\": must be longer than nothing",
            ),
            (
                "edge --api-token é",
                "--api-token <hidden>: must be a token: visible ASCII characters without spaces",
            ),
            (
                "control-plane",
                "--redis-url: required (flag --redis-url, variable ROOMCAST_REDIS_URL or, in the --config file, key \
                 redis-url)",
            ),
            ("token --ttl 0s --user a", "--ttl \"0s\": must be 1s at least"),
            (
                "dev --htp-addr x",
                "--htp-addr: unknown option, did you mean --http-addr?",
            ),
            ("serve", "\"serve\": unknown command"),
            ("", "no command given (see --help)"),
        ] {
            assert_eq!(refused(args), line, "{args}");
        }
        let line = refused("control-plane --redis-url http://u:hunter2@h");
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
