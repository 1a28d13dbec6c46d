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

    use roomcast_runtime::config::{self, Exit};

    use super::*;

    fn parse(args: &[&str], variables: &[(&str, &str)]) -> Result<Cli, String> {
        let args = ["roomcast"].iter().chain(args).map(OsString::from);
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        config::parse(args, variable).map_err(|exit| match exit {
            Exit::Refused(line) => line,
            Exit::Shown(text) => text.to_string(),
        })
    }

    #[test]
    fn every_option_has_its_variable() {
        config::assert_layered::<Cli>();
    }

    #[test]
    fn a_bad_value_is_refused_by_name() {
        let line = parse(&["dev", "--grpc-addr", "foo"], &[]).unwrap_err();
        assert!(line.starts_with("--grpc-addr \"foo\": "), "{line}");
        let line = parse(&["edge", "--control-plane", "127.0.0.1:50051"], &[]).unwrap_err();
        assert!(
            line.starts_with("--control-plane \"127.0.0.1:50051\": "),
            "{line}"
        );
        let line = parse(&["dev"], &[("ROOMCAST_LOG_RETENTION", "24")]).unwrap_err();
        assert!(
            line.starts_with("ROOMCAST_LOG_RETENTION \"24\": missing unit"),
            "{line}"
        );
        let line = parse(&["control-plane", "--redis-url", "http://u:geheim@h"], &[]).unwrap_err();
        assert!(
            line.starts_with("--redis-url ") && !line.contains("geheim"),
            "{line}"
        );
    }

    #[test]
    fn a_control_plane_needs_a_redis() {
        let line = parse(&["control-plane"], &[]).unwrap_err();
        assert!(
            line.contains("--redis-url") && line.contains("ROOMCAST_REDIS_URL"),
            "{line}"
        );
    }

    #[test]
    fn help_names_every_default() {
        let help = parse(&["dev", "--help"], &[]).unwrap_err();
        for wanted in [
            "127.0.0.1:50051",
            "127.0.0.1:3000",
            "127.0.0.1:9100",
            "[default: sub]",
            "ROOMCAST_HTTP_ADDR",
        ] {
            assert!(help.contains(wanted), "{wanted} in {help}");
        }
    }
}
