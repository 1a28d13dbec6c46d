//! The processes of a competitor, and how sockets and events reach them.

use std::net::SocketAddr;

use crate::{
    child::ChildProcess,
    cpu_pinning::ProcessRole,
    generator::{ConnectionPlan, protocol::ClientProtocol},
    procfs::{CpuTime, MemoryUsage},
    publishers::Publisher,
    shape::Shape,
};

/// A competitor that has been started.
pub(crate) struct Deployment {
    pub(crate) processes: Vec<ChildProcess>,
    /// The addresses that sockets connect to.
    pub(crate) socket_addrs: Vec<SocketAddr>,
    pub(crate) protocol: ClientProtocol,
    pub(crate) publisher: Publisher,
    /// The token of each socket; empty if the competitor does not verify tokens.
    pub(crate) tokens: Vec<String>,
    /// The address of Roomcast's Redis; unset for other competitors and for the memory store.
    pub(crate) redis: Option<SocketAddr>,
}

impl Deployment {
    /// Separates the processes from what the load generator needs.
    pub(crate) fn into_parts(
        self,
        shape: &Shape,
        keeps_cursors: bool,
    ) -> (RunningProcesses, ConnectionPlan, Publisher) {
        let plan = ConnectionPlan {
            protocol: self.protocol,
            addrs: self.socket_addrs,
            rooms: shape.room_of_each_socket(),
            tokens: self.tokens,
            keeps_cursors,
        };
        (RunningProcesses(self.processes), plan, self.publisher)
    }
}

/// The processes of a competitor, which end when this is dropped.
pub(crate) struct RunningProcesses(Vec<ChildProcess>);

/// The CPU time of a competitor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CpuUsage {
    /// The usage of the processes that hold sockets.
    pub(crate) fan_out: CpuTime,
    /// The usage of all processes.
    pub(crate) all: CpuTime,
}

impl RunningProcesses {
    pub(crate) fn cpu_usage(&self) -> CpuUsage {
        CpuUsage {
            fan_out: self.fan_out().map(ChildProcess::cpu_time).sum(),
            all: self.0.iter().map(ChildProcess::cpu_time).sum(),
        }
    }

    /// The memory of the processes that hold sockets.
    pub(crate) fn fan_out_memory(&self) -> MemoryUsage {
        self.fan_out()
            .map(ChildProcess::memory)
            .fold(MemoryUsage::default(), |sum, memory| MemoryUsage {
                resident: sum.resident + memory.resident,
                anonymous: sum.anonymous + memory.anonymous,
            })
    }

    /// Takes the first process that holds sockets out of this set.
    pub(crate) fn take_fan_out(&mut self) -> Option<ChildProcess> {
        let is_fan_out = |process: &ChildProcess| process.role == ProcessRole::FanOut;
        let index = self.0.iter().position(is_fan_out)?;
        Some(self.0.remove(index))
    }

    fn fan_out(&self) -> impl Iterator<Item = &ChildProcess> {
        self.0
            .iter()
            .filter(|process| process.role == ProcessRole::FanOut)
    }
}
