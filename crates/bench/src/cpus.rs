//! Which CPU does what: what is measured has one of its own, and the load does not run on it.

use rustix::{
    child::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::error::Outcome;

/// What a process or thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Holds the sockets and writes to them: what is measured.
    FanOut,
    /// What it needs besides: a control plane, the node that events are published at.
    Behind,
    /// A store.
    Store,
    /// The generator.
    Load,
}

/// The CPU of a role, on a machine with so many. With two, all but the fan-out shares the generator's.
const fn cpu(role: Role, cpus: usize) -> usize {
    match (role, cpus) {
        (Role::FanOut, _) | (_, 0 | 1) => 0,
        (Role::Load, _) | (_, 2) => 1,
        (Role::Behind, _) | (Role::Store, 3) => 2,
        (Role::Store, _) => 3,
    }
}

/// How many CPUs there are.
pub(crate) fn count() -> usize {
    // Not what is available to this thread, which is one.
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let last = online.trim().rsplit(['-', ',']).next();
    last.and_then(|last| last.parse::<usize>().ok())
        .map_or(1, |last| last + 1)
}

/// Puts this thread, and what it starts from here on, on the CPU of a role.
pub(crate) fn pin(role: Role) -> Outcome<()> {
    let mut set = CpuSet::new();
    set.set(cpu(role, count()));
    sched_setaffinity(None, &set)?;
    Ok(())
}

/// The CPU of a role on this machine.
pub(crate) fn of(role: Role) -> usize {
    cpu(role, count())
}

/// As many file descriptors as are allowed, here and in what is started from here; how many these are.
pub(crate) fn raise_file_limit() -> Outcome<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_shares_its_cpu_with_nothing() {
        for cpus in 2..10 {
            for other in [Role::Behind, Role::Store, Role::Load] {
                assert_ne!(cpu(Role::FanOut, cpus), cpu(other, cpus));
                assert!(cpu(other, cpus) < cpus);
            }
        }
    }
}
