//! Which CPU runs which process. The process under test has a CPU of its own, and the load runs on another one.

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::error::BenchResult;

/// The purpose of a process or thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessRole {
    /// The process under test: it holds the sockets and writes to them.
    FanOut,
    /// A process that the one under test depends on: a control plane, or the node where events are published.
    Supporting,
    /// The store of a competitor, which is Redis.
    Store,
    /// The load generator.
    Load,
}

/// The CPU of a role on a machine with this many CPUs. With two CPUs, every other role shares the load's CPU.
const fn cpu(role: ProcessRole, cpus: usize) -> usize {
    match (role, cpus) {
        (ProcessRole::FanOut, _) | (_, 0 | 1) => 0,
        (ProcessRole::Load, _) | (_, 2) => 1,
        (ProcessRole::Supporting, _) | (ProcessRole::Store, 3) => 2,
        (ProcessRole::Store, _) => 3,
    }
}

/// The number of online CPUs.
pub(crate) fn online_cpus() -> usize {
    // `available_parallelism` would return 1, because this thread is pinned.
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let last = online.trim().rsplit(['-', ',']).next();
    last.and_then(|last| last.parse::<usize>().ok())
        .map_or(1, |last| last + 1)
}

/// The CPU of a role on this machine.
pub(crate) fn cpu_of(role: ProcessRole) -> usize {
    cpu(role, online_cpus())
}

/// Pins this thread, and the processes that it starts afterwards, to the CPU of a role.
pub(crate) fn pin(role: ProcessRole) -> BenchResult<()> {
    let mut set = CpuSet::new();
    set.set(cpu_of(role));
    sched_setaffinity(None, &set)?;
    Ok(())
}

/// Raises the limit of open files to the hard limit, for this process and the processes that it starts afterwards.
pub(crate) fn raise_file_limit() -> BenchResult<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_under_test_shares_its_cpu_with_no_other_role() {
        for cpus in 2..10 {
            for other in [ProcessRole::Supporting, ProcessRole::Store, ProcessRole::Load] {
                assert_ne!(cpu(ProcessRole::FanOut, cpus), cpu(other, cpus));
                assert!(cpu(other, cpus) < cpus);
            }
        }
    }
}
