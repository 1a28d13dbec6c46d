//! The machine, and the versions of the programs that run on it.

use std::{fs, process::Command};

use crate::{competitors::Environment, cpu_pinning, tokens};

/// Shown where a program or package is not installed.
const NOT_FOUND: &str = "none";

/// Names and values, in the order of the report.
pub(crate) fn describe(environment: &Environment) -> Vec<(String, String)> {
    let node_package = |name: &str| node_package_version(environment, name);
    let rows = [
        ("CPU", cpu_model()),
        ("CPUs", cpu_pinning::online_cpus().to_string()),
        ("memory", format!("{} GiB", memory_gib())),
        (
            "kernel",
            rustix::system::uname().release().to_string_lossy().into_owned(),
        ),
        (
            "Roomcast",
            output("git", &["describe", "--always", "--dirty", "--tags"]),
        ),
        ("Rust", output("rustc", &["--version"])),
        ("Redis", redis_version()),
        ("Node.js", output("node", &["--version"])),
        ("socket.io", node_package("socket.io")),
        (
            "@socket.io/redis-adapter",
            node_package("@socket.io/redis-adapter"),
        ),
        ("redis (npm)", node_package("redis")),
        ("socketioxide", locked_version("socketioxide")),
        ("Centrifugo", centrifugo_version(environment)),
        ("verifying a token (HS256)", token_verification_cost(environment)),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The trimmed standard output of a program.
fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok();
    output.map_or_else(
        || NOT_FOUND.to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn redis_version() -> String {
    let text = output("redis-server", &["--version"]);
    let version = text.split_whitespace().find_map(|field| field.strip_prefix("v="));
    version.unwrap_or(NOT_FOUND).to_owned()
}

fn centrifugo_version(environment: &Environment) -> String {
    let text = output(
        "go",
        &["version", "-m", &environment.centrifugo.to_string_lossy()],
    );
    let module = text.lines().find(|line| line.trim_start().starts_with("mod"));
    let version = module.and_then(|line| line.split_whitespace().nth(2));
    version.unwrap_or(NOT_FOUND).to_owned()
}

fn node_package_version(environment: &Environment, name: &str) -> String {
    let file = environment
        .node
        .join("node_modules")
        .join(name)
        .join("package.json");
    let json = fs::read_to_string(file).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    json["version"].as_str().unwrap_or(NOT_FOUND).to_owned()
}

/// The version of a crate that this program was built with.
fn locked_version(name: &str) -> String {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    let package = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""));
    let version = package.and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or(NOT_FOUND).to_owned()
}

fn token_verification_cost(environment: &Environment) -> String {
    tokens::verification_cost_us(&environment.runtime)
        .map_or_else(|error| error.to_string(), |cost| format!("{cost:.1} µs"))
}

fn cpu_model() -> String {
    proc_field("/proc/cpuinfo", "model name")
        .trim_start_matches(": ")
        .to_owned()
}

fn memory_gib() -> u64 {
    let memory = proc_field("/proc/meminfo", "MemTotal:");
    let kib = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    kib / 1024 / 1024
}

fn proc_field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim().to_owned()
}
