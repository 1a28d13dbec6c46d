//! Runs every command of the README and compares the output with the printed one.
//!
//! The processes get free ports, so that the test works while a `dev` runs on the documented ones. The documented addresses
//! are replaced in the commands and in the script that the README prints.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use roomcast_tests::{TempDir, eventually, get};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A fenced block of the README.
struct Block {
    info: String,
    lines: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                open = Some(Block {
                    info: info.to_owned(),
                    lines: Vec::new(),
                })
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Replaces what differs from run to run: epochs and times.
fn masked(line: &str) -> String {
    let time = |at: usize| {
        line.get(at..at + 24)
            .is_some_and(|text| text.ends_with('Z') && text.as_bytes()[10] == b'T')
    };
    let epoch = |at: usize| {
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        line.get(at..at + 14)
            .is_some_and(|text| text.starts_with('"') && text.ends_with('"') && hex(&text[1..13]))
    };
    let (mut masked, mut at) = (String::new(), 0);
    while at < line.len() {
        let (text, length) = if time(at) {
            ("TIME".to_owned(), 24)
        } else if epoch(at) {
            ("\"EPOCH\"".to_owned(), 14)
        } else {
            let next = line[at..].chars().next().unwrap();
            (next.to_string(), next.len_utf8())
        };
        masked.push_str(&text);
        at += length;
    }
    masked
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("bash");
    shell
        .args(["-c", command])
        .current_dir(root())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for (name, _) in DOCUMENTED {
        shell.env(format!("ROOMCAST_{}_ADDR", name.to_uppercase()), "127.0.0.1:0");
    }
    if let Ok(grpcurl) = std::env::var("GRPCURL") {
        let folder = PathBuf::from(grpcurl).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", folder.display()));
    }
    shell
}

/// A command that keeps running, and its output.
struct Background {
    command: String,
    child: Child,
    printed: Arc<Mutex<Vec<String>>>,
    seen: usize,
}

impl Background {
    fn start(command: &str) -> Self {
        // With exec, the command replaces the shell, so that killing the child ends the command.
        let mut child = shell(&format!("exec {command}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::<Mutex<Vec<String>>>::default();
        let (mut lines, appended) = (
            BufReader::new(child.stdout.take().unwrap()).lines(),
            printed.clone(),
        );
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                appended.lock().unwrap().push(masked(&line));
            }
        });
        Self {
            command: command.to_owned(),
            child,
            printed,
            seen: 0,
        }
    }

    async fn prints(&mut self, expected: &[String]) {
        let expected: Vec<_> = expected.iter().map(|line| masked(line)).collect();
        let (from, to) = (self.seen, self.seen + expected.len());
        let printed = eventually(&format!("what `{}` prints", self.command), || {
            let printed = self.printed.lock().unwrap().get(from..to).map(<[_]>::to_vec);
            async move { printed }
        })
        .await;
        assert_eq!(printed, expected);
        self.seen = to;
    }
}

/// What the README documents as `(listener, address)`; `dev` prints the name and the actual address.
const DOCUMENTED: [(&str, &str); 3] = [
    ("grpc", "127.0.0.1:50051"),
    ("http", "127.0.0.1:3000"),
    ("admin", "127.0.0.1:9100"),
];

/// The address on which the documented process listens in place of each documented one.
#[derive(Default)]
struct Addresses(Vec<(&'static str, String)>);

impl Addresses {
    /// Waits until a started `dev` has printed its addresses and is ready.
    async fn of(dev: &Background) -> Self {
        let addresses = eventually("the addresses of dev", async || {
            let printed = dev.printed.lock().unwrap();
            let actual = |name: &str| {
                let mut fields = printed.iter().filter_map(|line| line.split_once(' '));
                fields.find_map(|(field, address)| (field == name).then(|| address.trim().to_owned()))
            };
            let pairs = DOCUMENTED
                .iter()
                .map(|(name, documented)| Some((*documented, actual(name)?)));
            pairs.collect::<Option<Vec<_>>>()
        })
        .await;
        let admin = addresses[2].1.parse().unwrap();
        eventually("dev", async || {
            (get(admin, "/readyz").await?.0 == 200).then_some(())
        })
        .await;
        Self(addresses)
    }

    /// The text with the actual addresses.
    fn replace_in(&self, text: &str) -> String {
        let replace = |text: String, (documented, actual): &(&str, String)| text.replace(documented, actual);
        self.0.iter().fold(text.to_owned(), replace)
    }
}

/// A copy of the tour's script with the actual addresses.
fn script_copy(folder: &TempDir, addresses: &Addresses) -> String {
    let script = std::fs::read_to_string(root().join("docs/tour/watch.mjs")).unwrap();
    folder.write("watch.mjs", addresses.replace_in(&script))
}

/// The commands of a console block, each with the output that the README prints.
fn console(block: &Block) -> Vec<(&str, Vec<String>)> {
    let mut commands: Vec<(&str, Vec<String>)> = Vec::new();
    for line in &block.lines {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().unwrap().1.push(masked(line)),
        }
    }
    commands
}

#[tokio::test]
async fn everything_in_the_readme_works_as_printed() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let folder = TempDir::new();
    // Node.js finds the packages of the copied script by this link.
    let packages = root().join("docs/tour/node_modules");
    std::os::unix::fs::symlink(packages, folder.path().join("node_modules")).unwrap();
    let mut addresses = Addresses::default();
    let mut running: Vec<Background> = Vec::new();
    for block in blocks(&readme) {
        match block.info.as_str() {
            "sh background" => {
                for command in &block.lines {
                    // Built first, so that the deadline of the start does not include a build.
                    let build = command.replace("cargo run", "cargo build").replace(" -- dev", "");
                    assert!(shell(&build).status().await.unwrap().success());
                    running.push(Background::start(command));
                }
                addresses = Addresses::of(running.last().unwrap()).await;
            }
            "sh" => {
                // The suite runs this test.
                for command in block.lines.iter().filter(|line| *line != "tests/run") {
                    assert!(shell(command).status().await.unwrap().success(), "{command}");
                }
            }
            "console background" => {
                for (command, expected) in console(&block) {
                    let script = script_copy(&folder, &addresses);
                    let command = addresses
                        .replace_in(command)
                        .replace("docs/tour/watch.mjs", &script);
                    let mut background = Background::start(&command);
                    background.prints(&expected).await;
                    running.push(background);
                }
            }
            "console" => {
                for (command, expected) in console(&block) {
                    let output = shell(&addresses.replace_in(command)).output().await.unwrap();
                    let printed = String::from_utf8(output.stdout).unwrap();
                    let printed: Vec<_> = printed.lines().map(masked).collect();
                    let errors = String::from_utf8_lossy(&output.stderr);
                    assert_eq!(printed, expected, "{command} {errors}");
                }
            }
            "text" => running.last_mut().unwrap().prints(&block.lines).await,
            "js" => {
                let file = std::fs::read_to_string(root().join("docs/tour/watch.mjs")).unwrap();
                assert_eq!(block.lines, file.lines().collect::<Vec<_>>());
            }
            "" => {}
            other => panic!("a block of unknown kind: {other}"),
        }
    }
    for mut process in running.into_iter().rev() {
        process.child.kill().await.unwrap();
    }
}

#[test]
fn epochs_and_times_are_masked() {
    assert_eq!(
        masked(r#""epoch": "0123456789ab", at 2026-11-24T09:16:22.422Z ü"#),
        r#""epoch": "EPOCH", at TIME ü"#
    );
}
