//! The machine, and the versions of what runs on it.

use std::{fs, process::Command};

use crate::{cpus, peers::Ground, tokens};

/// By name.
pub(crate) fn about(ground: &Ground) -> Vec<(String, String)> {
    let said = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok();
        output.map_or_else(
            || "none".to_owned(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let package = |name: &str| {
        let file = ground.node.join("node_modules").join(name).join("package.json");
        let json = fs::read_to_string(file).unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        json["version"].as_str().unwrap_or("none").to_owned()
    };
    let memory = proc_field("/proc/meminfo", "MemTotal:");
    let memory = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    let uname = rustix::system::uname();
    let redis = said("redis-server", &["--version"]);
    let redis = redis.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let centrifugo = said("go", &["version", "-m", &ground.centrifugo.to_string_lossy()]);
    let centrifugo = centrifugo
        .lines()
        .find(|line| line.trim_start().starts_with("mod"))
        .and_then(|line| line.split_whitespace().nth(2));
    let verifying =
        tokens::cost(&ground.runtime).map_or_else(|error| error.to_string(), |cost| format!("{cost:.1} µs"));
    let rows = [
        (
            "CPU",
            proc_field("/proc/cpuinfo", "model name")
                .trim_start_matches(": ")
                .to_owned(),
        ),
        ("CPUs", cpus::count().to_string()),
        ("memory", format!("{} GiB", memory / 1024 / 1024)),
        ("kernel", uname.release().to_string_lossy().into_owned()),
        (
            "Roomcast",
            said("git", &["describe", "--always", "--dirty", "--tags"]),
        ),
        ("Rust", said("rustc", &["--version"])),
        ("Redis", redis.unwrap_or("none").to_owned()),
        ("Node.js", said("node", &["--version"])),
        ("socket.io", package("socket.io")),
        ("@socket.io/redis-adapter", package("@socket.io/redis-adapter")),
        ("redis (npm)", package("redis")),
        ("socketioxide", locked("socketioxide")),
        ("Centrifugo", centrifugo.unwrap_or("none").to_owned()),
        ("verifying a token (HS256)", verifying),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// The version of a crate that this program was built with.
fn locked(name: &str) -> String {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    let package = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""));
    let version = package.and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("none").to_owned()
}

fn proc_field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim().to_owned()
}
