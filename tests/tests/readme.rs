//! Everything that the README tells a newcomer to do, done as it stands there, on the documented ports.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use roomcast_tests::{eventually, get};
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

/// What differs from run to run is masked: epochs and times.
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
    if let Ok(grpcurl) = std::env::var("GRPCURL") {
        let folder = PathBuf::from(grpcurl).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", folder.display()));
    }
    shell
}

/// A command that goes on, and what it printed.
struct Background {
    command: String,
    child: Child,
    printed: Arc<Mutex<Vec<String>>>,
    seen: usize,
}

impl Background {
    fn start(command: &str) -> Self {
        // The shell makes way for the command, so that it is the command which is ended.
        let mut child = shell(&format!("exec {command}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::<Mutex<Vec<String>>>::default();
        let (mut lines, kept) = (
            BufReader::new(child.stdout.take().unwrap()).lines(),
            printed.clone(),
        );
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push(masked(&line));
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

#[tokio::test]
async fn everything_in_the_readme_works_as_printed() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut running: Vec<Background> = Vec::new();
    for block in blocks(&readme) {
        match block.info.as_str() {
            "sh background" => {
                // Built first, since the time for the start is not the time for a build.
                for command in &block.lines {
                    let build = command.replace("cargo run", "cargo build").replace(" -- dev", "");
                    assert!(shell(&build).status().await.unwrap().success());
                    running.push(Background::start(command));
                }
                eventually("dev", || async {
                    (get("127.0.0.1:9100".parse().unwrap(), "/readyz").await?.0 == 200).then_some(())
                })
                .await;
            }
            "sh" => {
                // The whole suite is what runs this test.
                for command in block.lines.iter().filter(|line| *line != "tests/run") {
                    assert!(shell(command).status().await.unwrap().success(), "{command}");
                }
            }
            "console background" => {
                let command = block.lines[0].strip_prefix("$ ").unwrap();
                let mut background = Background::start(command);
                background.prints(&block.lines[1..]).await;
                running.push(background);
            }
            "console" => {
                let mut lines = block.lines.iter().peekable();
                while let Some(line) = lines.next() {
                    let command = line.strip_prefix("$ ").unwrap();
                    let mut expected = Vec::new();
                    while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                        expected.push(masked(line));
                    }
                    let output = shell(command).output().await.unwrap();
                    let printed: Vec<_> = String::from_utf8(output.stdout)
                        .unwrap()
                        .lines()
                        .map(masked)
                        .collect();
                    assert_eq!(
                        printed,
                        expected,
                        "{command} {}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                }
            }
            "text" => running.last_mut().unwrap().prints(&block.lines).await,
            "js" => {
                let file = std::fs::read_to_string(root().join("docs/tour/watch.mjs")).unwrap();
                assert_eq!(block.lines, file.lines().collect::<Vec<_>>());
            }
            "" => {}
            other => panic!("a block that nobody runs: {other}"),
        }
    }
    for mut process in running.into_iter().rev() {
        process.child.kill().await.unwrap();
    }
}

#[test]
fn what_differs_from_run_to_run_is_masked() {
    assert_eq!(
        masked(r#""epoch": "0123456789ab", at 2026-11-24T09:16:22.422Z ü"#),
        r#""epoch": "EPOCH", at TIME ü"#
    );
}
