//! Starts of a small program with two commands.

mod errors;
mod file_errors;
mod secrets;
mod sources;

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
