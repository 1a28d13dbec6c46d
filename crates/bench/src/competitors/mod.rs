//! What is measured: how each is started, where its sockets connect, and how events get to it.

mod centrifugo;
mod node;
mod roomcast;
mod built_in;
pub(crate) mod redis;

use std::{net::SocketAddr, path::PathBuf};

use clap::ValueEnum;
use tokio::runtime::Runtime;

use crate::{
    cpus::Role,
    error::Outcome,
    generator::{Crowd, protocol::Dialect},
    procfs::{CpuTime, Memory},
    child::Process,
    publishers::Publisher,
    shape::Shape,
};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Peer {
    /// The raw epoll ceiling.
    Raw,
    /// Roomcast: control plane, edge and Redis.
    Roomcast,
    /// Roomcast in one process, with its state in memory.
    RoomcastMemory,
    /// socketioxide alone.
    Socketioxide,
    /// Node's socket.io.
    Node,
    /// Node's socket.io, two of them with the Redis adapter.
    NodeRedis,
    /// Centrifugo, with its state in memory.
    Centrifugo,
    /// Centrifugo with its Redis engine.
    CentrifugoRedis,
}

impl Peer {
    /// All of them, in the order of tables.
    pub(crate) const ALL: [Self; 8] = [
        Self::Raw,
        Self::Roomcast,
        Self::RoomcastMemory,
        Self::Socketioxide,
        Self::Node,
        Self::NodeRedis,
        Self::Centrifugo,
        Self::CentrifugoRedis,
    ];

    /// Its name in tables, files and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Roomcast => "roomcast",
            Self::RoomcastMemory => "roomcast-memory",
            Self::Socketioxide => "socketioxide",
            Self::Node => "node",
            Self::NodeRedis => "node-redis",
            Self::Centrifugo => "centrifugo",
            Self::CentrifugoRedis => "centrifugo-redis",
        }
    }

    /// Its name for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Raw => "raw epoll (ceiling)",
            Self::Roomcast => "Roomcast",
            Self::RoomcastMemory => "Roomcast, one process, memory",
            Self::Socketioxide => "socketioxide",
            Self::Node => "Node socket.io",
            Self::NodeRedis => "Node socket.io + Redis",
            Self::Centrifugo => "Centrifugo",
            Self::CentrifugoRedis => "Centrifugo + Redis",
        }
    }

    /// Starts it for a crowd.
    pub(crate) fn start(self, ground: &Ground, shape: &Shape) -> Outcome<Deployment> {
        match self {
            Self::Raw => built_in::start(ground, "raw"),
            Self::Socketioxide => built_in::start(ground, "socketioxide"),
            Self::Roomcast => roomcast::start(ground, shape),
            Self::RoomcastMemory => roomcast::start_memory(ground, shape),
            Self::Node => node::start(ground),
            Self::NodeRedis => node::start_with_redis(ground),
            Self::Centrifugo => centrifugo::start(ground, shape, false),
            Self::CentrifugoRedis => centrifugo::start(ground, shape, true),
        }
    }
}

/// What starting needs.
pub(crate) struct Ground {
    /// The program `roomcast`.
    pub(crate) roomcast: PathBuf,
    /// The program `centrifugo`.
    pub(crate) centrifugo: PathBuf,
    /// The folder with the Node server.
    pub(crate) node: PathBuf,
    /// Where results, logs and configuration files go.
    pub(crate) folder: PathBuf,
    /// Runs the publishing tasks.
    pub(crate) runtime: Runtime,
}

impl Ground {
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }
}

/// A running peer.
pub(crate) struct Deployment {
    pub(crate) processes: Vec<Process>,
    pub(crate) targets: Vec<SocketAddr>,
    pub(crate) dialect: Dialect,
    pub(crate) publisher: Publisher,
    /// Each socket's token; empty: none is asked for.
    pub(crate) tokens: Vec<String>,
    /// Its Redis.
    pub(crate) store: Option<SocketAddr>,
}

/// A peer whose crowd was handed to the generator.
pub(crate) struct Running {
    pub(crate) processes: Vec<Process>,
}

impl Deployment {
    /// Parts the processes from what the generator needs.
    pub(crate) fn crowd(self, shape: &Shape, keeps_cursors: bool) -> (Running, Crowd, Publisher) {
        let crowd = Crowd {
            dialect: self.dialect,
            targets: self.targets,
            rooms: shape.rooms(),
            tokens: self.tokens,
            keeps_cursors,
        };
        let processes = self.processes;
        (Running { processes }, crowd, self.publisher)
    }
}

/// CPU time of a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Of the processes that hold sockets.
    pub(crate) fan_out: CpuTime,
    /// Of all its processes.
    pub(crate) all: CpuTime,
}

impl Running {
    pub(crate) fn spent(&self) -> Spent {
        Spent {
            fan_out: self.fan_out().map(Process::cpu_time).sum(),
            all: self.processes.iter().map(Process::cpu_time).sum(),
        }
    }

    /// Memory of the processes that hold sockets.
    pub(crate) fn memory(&self) -> Memory {
        self.fan_out()
            .map(Process::memory)
            .fold(Memory::default(), |sum, memory| Memory {
                resident: sum.resident + memory.resident,
                anonymous: sum.anonymous + memory.anonymous,
            })
    }

    fn fan_out(&self) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(|process| process.role == Role::FanOut)
    }
}

/// What socket.io servers of this benchmark send, and nothing besides.
const SOCKET_IO: Dialect = Dialect::SocketIo {
    event: b"42[\"e\",",
    ignored: b"",
};
