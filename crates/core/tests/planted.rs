//! A test of the simulation: it plants faults one by one into a copy of this crate, and the simulation must find each of
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The number of seeds in which the simulation must find a fault.
const SEEDS: &str = "3000";

struct Fault {
    name: &'static str,
    /// A file, a text that occurs exactly once in it, and its replacement.
    edits: &'static [(&'static str, &'static str, &'static str)],
}

/// Removes the product's own assertion, which would stop these faults before the oracle sees them.
const NO_ASSERTION: (&str, &str, &str) = (
    "src/feed/mod.rs",
    r#"assert!(self.expects(entry.position), "I1");"#,
    "",
);

const FAULTS: &[Fault] = &[
    Fault {
        name: "a gap in a log is delivered across",
        edits: &[
            NO_ASSERTION,
            (
                "src/feed/mod.rs",
                "} else if at.offset == position.offset.next() {",
                "} else if at.offset > position.offset {",
            ),
        ],
    },
    Fault {
        name: "a repeated notification is delivered twice",
        edits: &[
            NO_ASSERTION,
            (
                "src/feed/mod.rs",
                "} else if at.offset == position.offset.next() {",
                "} else if at.offset == position.offset.next() || at.offset == position.offset {",
            ),
            (
                "src/hub/hub_room.rs",
                "let is_next = at.offset == position.offset.next();",
                "let is_next = true;",
            ),
        ],
    },
    Fault {
        name: "notifications of a new source are delivered before the last entry was found there",
        edits: &[("src/feed/mod.rs", "self.phase = Phase::Verifying(position);", "")],
    },
    Fault {
        name: "another entry at the same offset counts as the same",
        edits: &[(
            "src/position.rs",
            "self == other || self == Self::UNKNOWN",
            "true || self == other || self == Self::UNKNOWN",
        )],
    },
    Fault {
        name: "another epoch of a log counts as the same",
        edits: &[
            ("src/position.rs", "self.epoch == other.epoch && (", "("),
            (
                "src/log.rs",
                "let same_epoch = self.epoch == after.epoch || after == Position::NONE;",
                "let same_epoch = true;",
            ),
        ],
    },
    Fault {
        name: "tails are never compared",
        edits: &[(
            "src/hub/mod.rs",
            "let positions: Vec<_> = positions.collect();",
            "let positions: Vec<_> = positions.take(0).collect();",
        )],
    },
    Fault {
        name: "a follower is live at any position",
        edits: &[(
            "src/hub/hub_room.rs",
            "let state = if caught_up {",
            "let state = if caught_up || true {",
        )],
    },
    Fault {
        name: "a follower that cannot be continued gets no reset",
        edits: &[(
            "src/hub/mod.rs",
            "for follower in reading {\n                room.followers.insert(follower, Follower::Waiting { reset: true });\n            }",
            "for follower in reading {\n                room.followers.insert(follower, Follower::Live(after));\n            }",
        )],
    },
    Fault {
        name: "interests are not renewed on a new link",
        edits: &[(
            "src/rooms/mod.rs",
            "self.actions.extend(self.rooms.iter_mut().map(interest));",
            "let _ = interest;",
        )],
    },
    Fault {
        name: "a join is completed before the room has reached the position of its admission",
        edits: &[(
            "src/rooms/joins.rs",
            "Some(Phase::Awaiting { position }) => at.has_reached(*position),",
            "Some(Phase::Awaiting { position }) => at.has_reached(*position) || true,",
        )],
    },
    Fault {
        name: "a removal is ignored",
        edits: &[(
            "src/rooms/session_room.rs",
            r#"self.revoke(socket, session, "removed");"#,
            "",
        )],
    },
    Fault {
        name: "events are delivered after leaving",
        edits: &[(
            "src/rooms/joins.rs",
            "self.remove_from_room(id, &RoomId::Session(session.clone()));\n            self.respond",
            "self.respond",
        )],
    },
    Fault {
        name: "a replay is dropped",
        edits: &[(
            "src/rooms/membership.rs",
            "self.actions.push_back(Action::Replay { socket: id, replay });",
            "drop(replay);",
        )],
    },
    Fault {
        name: "a replay contains entries from before the user was added",
        edits: &[(
            "src/replay.rs",
            "entries.retain(|entry| entry.position.offset >= added_at);",
            "let _ = added_at;",
        )],
    },
    Fault {
        name: "a user who was removed meanwhile is recovered",
        edits: &[(
            "src/replay.rs",
            "entries.iter().any(|entry| entry.event.removed().contains(user))",
            "false && user.as_str().is_empty()",
        )],
    },
    Fault {
        name: "a user who was removed while disconnected gets no session-revoked",
        edits: &[(
            "src/rooms/resuming.rs",
            "for (session, denial) in denied {\n            self.revoke(id, &session, denial.code().as_str());\n        }",
            "drop(denied);",
        )],
    },
    Fault {
        name: "a reset is not sent",
        edits: &[(
            "src/rooms/session_room.rs",
            "self.fan_out(id, session, Arc::new(event));\n    }\n\n    /// Denies the joins of a session that does not exist",
            "let _ = &event;\n    }\n\n    /// Denies the joins of a session that does not exist",
        )],
    },
    Fault {
        name: "a reset of every follower, although one was ahead",
        edits: &[(
            "src/hub/hub_room.rs",
            "if at.has_reached(*position) {\n                *state",
            "if true {\n                *state",
        )],
    },
    Fault {
        name: "a request is acknowledged before it is in the log",
        edits: &[(
            "tests/simulation/store.rs",
            "let entry = self.append(&room, body, oracle);\n        self.requests",
            "if self.clock % 7 == 3 { self.clock += 1; return Ok((Position::new(self.tail(&room).epoch, self.next(&room)), None)); }\n        let entry = self.append(&room, body, oracle);\n        self.requests",
        )],
    },
    Fault {
        name: "a request id is not stored",
        edits: &[(
            "tests/simulation/store.rs",
            "self.requests.insert(request, (room, entry.position));",
            "",
        )],
    },
    Fault {
        name: "an event for a full queue is dropped",
        edits: &[(
            "tests/simulation/world.rs",
            "return self.close(edge, socket); // slow: its page comes back and resumes",
            "return;",
        )],
    },
];

#[test]
fn every_planted_fault_is_found() {
    let copy = Copy::new();
    let (passed, output) = copy.simulate();
    assert!(passed, "without a fault:\n{output}");
    let mut missed = Vec::new();
    for fault in FAULTS {
        let originals: Vec<_> = fault
            .edits
            .iter()
            .map(|(file, from, to)| copy.edit(file, from, to))
            .collect();
        let (passed, output) = copy.simulate();
        let found = output.lines().find(|line| line.starts_with("seed "));
        println!("{}: {}", fault.name, found.unwrap_or("NOT FOUND"));
        if passed || found.is_none() {
            missed.push(format!("{}:\n{output}", fault.name));
        }
        for (path, original) in originals.into_iter().rev() {
            fs::write(path, original).expect("a file of the copy");
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A workspace that holds nothing but a copy of this crate.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = crate_root.ancestors().nth(2).expect("crates/core");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
        let to = root.join("crates/core");
        let _ = fs::remove_dir_all(root.join("crates")); // absent in the first run
        for folder in ["src", "tests/simulation"] {
            copy(&crate_root.join(folder), &to.join(folder));
        }
        fs::copy(crate_root.join("Cargo.toml"), to.join("Cargo.toml")).expect("copied");
        fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).expect("copied");
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).expect("a manifest");
        let alone: Vec<_> = manifest
            .lines()
            .map(|line| match line.split(" = ").next() {
                Some("members") => r#"members = ["crates/core"]"#,
                Some("default-members") => "",
                Some(_) | None => line,
            })
            .collect();
        fs::write(root.join("Cargo.toml"), alone.join("\n")).expect("written");
        Self { root }
    }

    /// Changes a file of the copy; gives back what it was.
    fn edit(&self, file: &str, from: &str, to: &str) -> (PathBuf, String) {
        let path = self.root.join("crates/core").join(file);
        let original = fs::read_to_string(&path).expect("a file of the copy");
        assert_eq!(original.matches(from).count(), 1, "{file} has this once: {from}");
        fs::write(&path, original.replace(from, to)).expect("a file of the copy");
        (path, original)
    }

    fn simulate(&self) -> (bool, String) {
        let output = Command::new(env!("CARGO"))
            .args([
                "test",
                "--offline",
                "--quiet",
                "-p",
                "roomcast-core",
                "--test",
                "simulation",
                "every_page",
            ])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("ROOMCAST_SIM_SEEDS", SEEDS)
            .env("RUSTFLAGS", "-Awarnings")
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("cargo runs");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
