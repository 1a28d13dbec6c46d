//! The systems that the benchmark measures: Roomcast itself and what it is compared with. Each file starts one of them.

mod built_in;
mod centrifugo;
mod deployment;
mod environment;
mod node;
mod redis;
mod roomcast;

use clap::ValueEnum;

pub(crate) use self::{
    deployment::{Deployment, RunningProcesses},
    environment::Environment,
};
use crate::{error::BenchResult, shape::Shape};

/// A system that the benchmark measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Competitor {
    /// The ceiling: ready-made frames, written with epoll
    Raw,
    /// Roomcast with control planes, edges and Redis
    Roomcast,
    /// Roomcast in one process, with the memory store
    RoomcastMemory,
    /// socketioxide without Roomcast
    Socketioxide,
    /// Socket.IO on Node.js
    Node,
    /// Socket.IO on Node.js, two processes with the Redis adapter
    NodeRedis,
    /// Centrifugo with its memory engine
    Centrifugo,
    /// Centrifugo with its Redis engine
    CentrifugoRedis,
}

impl Competitor {
    /// All competitors, in the order of the report's tables.
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

    /// The name in the results and on the command line.
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

    /// The name in the report.
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

    /// Starts all processes, and waits until they are ready.
    pub(crate) fn start(self, environment: &Environment, shape: &Shape) -> BenchResult<Deployment> {
        match self {
            Self::Raw => built_in::start(environment, "raw"),
            Self::Socketioxide => built_in::start(environment, "socketioxide"),
            Self::Roomcast => roomcast::start(environment, shape),
            Self::RoomcastMemory => roomcast::start_with_memory_store(environment, shape),
            Self::Node => node::start(environment),
            Self::NodeRedis => node::start_with_redis(environment),
            Self::Centrifugo => centrifugo::start(environment, shape),
            Self::CentrifugoRedis => centrifugo::start_with_redis(environment, shape),
        }
    }
}
