//! SIGTERM and SIGINT sent to a real process: this test binary, which runs the ignored test below.
#![expect(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use roomcast_runtime::lifecycle::{Shutdown, Tasks};
use roomcast_runtime::telemetry;

#[test]
#[ignore = "not a test: the process that the other tests start"]
fn process() {
    let Ok(work) = std::env::var("WORK") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let status = runtime.block_on(async {
        let _logs = telemetry::init("info").unwrap();
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        tasks.spawn_through_drain("signals", shutdown.signal_handler().unwrap());
        tasks.spawn("work", async move {
            tracing::info!("serving");
            match work.as_str() {
                "orderly" => shutdown.draining().await,
                "endless" => std::future::pending().await,
                other => panic!("unknown work {other}\nof this test"),
            }
        });
        tasks.wait_for_drain(Duration::from_secs(60)).await.exit_status()
    });
    std::process::exit(status.into());
}

struct Process {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Process {
    fn start(work: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process", "--ignored", "--nocapture"])
            .env("WORK", work)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self { child, log };
        process.wait_for_log("serving");
        process
    }

    /// Waits for a log line that contains `text` and returns it.
    fn wait_for_log(&mut self, text: &str) -> serde_json::Value {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(
                self.log.read_line(&mut line).unwrap(),
                0,
                "the process ended before it logged {text:?}"
            );
        }
        serde_json::from_str(&line).unwrap()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn exit_status(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn the_first_signal_drains_the_process_and_it_exits_with_0() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start("orderly");
        process.signal(signal);
        let line = process.wait_for_log("draining");
        assert_eq!(line["fields"]["reason"], format!("SIG{signal}"));
        assert_eq!(process.exit_status(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_the_process_immediately() {
    for (second, status) in [("TERM", 143), ("INT", 130)] {
        let mut process = Process::start("endless");
        process.signal("TERM");
        process.wait_for_log("draining");
        process.signal(second);
        assert_eq!(process.exit_status(), Some(status), "{second}");
    }
}

#[test]
fn a_panic_is_logged_in_one_line_and_the_process_exits_with_1() {
    let mut process = Process::start("panic");
    let line = process.wait_for_log("panicked");
    assert_eq!(line["fields"]["panic.reason"], "unknown work panic\nof this test");
    let line = process.wait_for_log("task panicked");
    assert_eq!(
        (&line["level"], &line["fields"]["task.name"]),
        (&"ERROR".into(), &"work".into())
    );
    assert_eq!(process.exit_status(), Some(1));
}
