//! A test of the simulation: it plants faults into a copy of this crate, one at a time, and the simulation must find each
//! of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The number of seeds in which the simulation must find a fault.
const SEEDS: &str = "3000";

struct Fault {
    name: &'static str,
    /// The invariant that the simulation must report as violated. `None`: one fault can violate several.
    violates: Option<&'static str>,
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
        violates: None,
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
        violates: None,
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
        violates: None,
        edits: &[("src/feed/mod.rs", "self.phase = Phase::Verifying(position);", "")],
    },
    Fault {
        name: "another entry at the same offset counts as the same",
        violates: None,
        edits: &[(
            "src/position.rs",
            "self == other || self == Self::UNKNOWN",
            "true || self == other || self == Self::UNKNOWN",
        )],
    },
    Fault {
        name: "another epoch of a log counts as the same",
        violates: None,
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
        violates: None,
        edits: &[(
            "src/hub/mod.rs",
            "let positions: Vec<_> = positions.collect();",
            "let positions: Vec<_> = positions.take(0).collect();",
        )],
    },
    Fault {
        name: "a follower is live at any position",
        violates: None,
        edits: &[(
            "src/hub/hub_room.rs",
            "let state = if caught_up {",
            "let state = if caught_up || true {",
        )],
    },
    Fault {
        name: "a follower that cannot be continued gets no reset",
        violates: None,
        edits: &[(
            "src/hub/mod.rs",
            "for follower in reading {\n                room.followers.insert(follower, Follower::Waiting { reset: true });\n            }",
            "for follower in reading {\n                room.followers.insert(follower, Follower::Live(after));\n            }",
        )],
    },
    Fault {
        name: "interests are not renewed on a new link",
        violates: None,
        edits: &[(
            "src/rooms/mod.rs",
            "self.actions.extend(self.rooms.iter_mut().map(interest));",
            "let _ = interest;",
        )],
    },
    Fault {
        name: "a join is completed before the room has reached the position of its admission",
        violates: None,
        edits: &[(
            "src/rooms/joins.rs",
            "Some(Phase::Awaiting { position }) => at.has_reached(*position),",
            "Some(Phase::Awaiting { position }) => at.has_reached(*position) || true,",
        )],
    },
    Fault {
        name: "a removal is ignored",
        violates: None,
        edits: &[(
            "src/rooms/session_room.rs",
            "self.revoke(socket, session, ErrorCode::Removed);",
            "",
        )],
    },
    Fault {
        name: "events are delivered after leaving",
        violates: None,
        edits: &[(
            "src/rooms/joins.rs",
            "self.remove_from_room(id, &RoomId::Session(session.clone()));\n            self.respond",
            "self.respond",
        )],
    },
    Fault {
        name: "a replay is dropped",
        violates: None,
        edits: &[(
            "src/rooms/membership.rs",
            "self.actions.push_back(Action::Replay { socket: id, replay });",
            "drop(replay);",
        )],
    },
    Fault {
        name: "a live event overtakes a replay",
        violates: Some("I5"),
        edits: &[(
            "src/rooms/membership.rs",
            "self.actions.push_back(Action::Replay { socket: id, replay });",
            "if let Some((event, cursor)) = replay.clone().last() {
                let (sockets, event, cursor) = (vec![id], Arc::new(event), cursor.into());
                self.actions.push_back(Action::Deliver { sockets, event, cursor });
            }
            self.actions.push_back(Action::Replay { socket: id, replay });",
        )],
    },
    Fault {
        name: "a replay contains entries from before the user was added",
        violates: None,
        edits: &[(
            "src/replay.rs",
            "entries.retain(|entry| entry.position.offset >= added_at);",
            "let _ = added_at;",
        )],
    },
    Fault {
        name: "a user who was removed meanwhile is recovered",
        violates: None,
        edits: &[(
            "src/replay.rs",
            "entries.iter().any(|entry| entry.event.removed().contains(user))",
            "false && user.as_str().is_empty()",
        )],
    },
    Fault {
        name: "a user who was removed while disconnected gets no session-revoked",
        violates: None,
        edits: &[(
            "src/rooms/resuming.rs",
            "for (session, denial) in denied {\n            self.revoke(id, &session, denial.code());\n        }",
            "drop(denied);",
        )],
    },
    Fault {
        name: "a reset is not sent",
        violates: None,
        edits: &[(
            "src/rooms/session_room.rs",
            "self.fan_out(id, session, Arc::new(event));\n    }\n\n    /// Denies the joins of a session that does not exist",
            "let _ = &event;\n    }\n\n    /// Denies the joins of a session that does not exist",
        )],
    },
    Fault {
        name: "a reset of every follower, although one was ahead",
        violates: None,
        edits: &[(
            "src/hub/hub_room.rs",
            "if at.has_reached(*position) {\n                *state",
            "if true {\n                *state",
        )],
    },
    Fault {
        name: "a request is acknowledged before it is in the log",
        violates: None,
        edits: &[(
            "tests/simulation/store.rs",
            "let entry = self.append(&room, event, oracle);\n        self.requests",
            "if self.clock % 7 == 3 { self.clock += 1; return Ok((Position::new(self.tail(&room).epoch, self.next(&room)), None)); }\n        let entry = self.append(&room, event, oracle);\n        self.requests",
        )],
    },
    Fault {
        name: "a request id is not stored",
        violates: None,
        edits: &[(
            "tests/simulation/store.rs",
            "self.requests.insert(request, (room, entry.position));",
            "",
        )],
    },
    Fault {
        name: "an event for a full queue is dropped",
        violates: None,
        edits: &[(
            "tests/simulation/outbound.rs",
            "return self.close(edge, id); // a slow socket: its page reconnects and resumes",
            "return;",
        )],
    },
];

#[test]
fn every_planted_fault_is_found() {
    let copy = CrateCopy::new();
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
        let mut violations = output.lines().filter(|line| line.starts_with("seed "));
        // Each thread reports the first violation that it finds, so the violation of the lowest seed is always reported.
        let found = violations.find(|line| fault.violates.is_none_or(|invariant| line.contains(invariant)));
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

/// A workspace that contains only a copy of this crate.
struct CrateCopy {
    root: PathBuf,
}

impl CrateCopy {
    fn new() -> Self {
        let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = crate_root.ancestors().nth(2).expect("crates/core");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
        let to = root.join("crates/core");
        let _ = fs::remove_dir_all(root.join("crates")); // absent in the first run
        for folder in ["src", "tests/simulation"] {
            copy_folder(&crate_root.join(folder), &to.join(folder));
        }
        fs::copy(crate_root.join("Cargo.toml"), to.join("Cargo.toml")).expect("copied");
        fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).expect("copied");
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).expect("a manifest");
        let only_core: Vec<_> = manifest
            .lines()
            .map(|line| match line.split(" = ").next() {
                Some("members") => r#"members = ["crates/core"]"#,
                Some("default-members") => "",
                Some(_) | None => line,
            })
            .collect();
        fs::write(root.join("Cargo.toml"), only_core.join("\n")).expect("written");
        Self { root }
    }

    /// Changes a file of the copy. Returns its path and its original text.
    fn edit(&self, file: &str, from: &str, to: &str) -> (PathBuf, String) {
        let path = self.root.join("crates/core").join(file);
        let original = fs::read_to_string(&path).expect("a file of the copy");
        assert_eq!(
            original.matches(from).count(),
            1,
            "{file} must contain this exactly once: {from}"
        );
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

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
