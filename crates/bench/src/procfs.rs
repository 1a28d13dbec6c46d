//! CPU time and memory of processes, and the load of CPUs, from `/proc` (proc(5)).

use std::{
    fs,
    ops::{Add, Sub},
};

/// The CPU time of a process or a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// In nanoseconds, summed over all threads.
    total: u64,
    /// In clock ticks of 10 ms, which is precise enough only for the ratio of user time to system time.
    user: u64,
    /// In clock ticks of 10 ms.
    system: u64,
}

impl CpuTime {
    /// The CPU time of a process so far; zero if there is no such process.
    pub(crate) fn of_process(pid: u32) -> Self {
        let (user, system) = fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|stat| user_and_system_ticks(&stat))
            .unwrap_or_default();
        Self {
            total: schedstat_of_each_thread(pid)
                .iter()
                .map(|schedstat| nanoseconds_on_cpu(schedstat))
                .sum(),
            user,
            system,
        }
    }

    /// The CPU time of the calling thread so far.
    pub(crate) fn of_this_thread() -> Self {
        Self {
            total: fs::read_to_string("/proc/thread-self/schedstat")
                .map_or(0, |text| nanoseconds_on_cpu(&text)),
            ..Self::default()
        }
    }

    /// The share that was spent outside the kernel, from 0 to 1.
    pub(crate) fn user_share(self) -> f64 {
        let all = self.user + self.system;
        if all == 0 {
            return 0.0;
        }
        self.user as f64 / all as f64
    }

    /// The total in seconds.
    pub(crate) fn seconds(self) -> f64 {
        self.total as f64 / 1e9
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

impl Add for CpuTime {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            user: self.user + other.user,
            system: self.system + other.system,
        }
    }
}

impl std::iter::Sum for CpuTime {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        times.fold(Self::default(), Add::add)
    }
}

fn schedstat_of_each_thread(pid: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return vec![];
    };
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    tasks.flatten().filter_map(read).collect()
}

/// The first field of a thread's `schedstat`.
fn nanoseconds_on_cpu(schedstat: &str) -> u64 {
    let first = schedstat.split_whitespace().next();
    first.and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// `utime` and `stime`, fields 14 and 15. Field 2, the name, may contain any character, but ends with the last
/// parenthesis of the line.
fn user_and_system_ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemoryUsage {
    /// All resident memory (`VmRSS`).
    pub(crate) resident: u64,
    /// Resident memory without mapped files, such as heap and stacks (`RssAnon`).
    pub(crate) anonymous: u64,
}

impl MemoryUsage {
    /// The memory of a process; zero if there is no such process.
    pub(crate) fn of_process(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        Self {
            resident: status_bytes(&status, "VmRSS:"),
            anonymous: status_bytes(&status, "RssAnon:"),
        }
    }
}

/// The value of a field of `/proc/PID/status`, which states it in KiB.
fn status_bytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The time that a CPU has been busy and its total time since boot, in clock ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTicks {
    busy: u64,
    total: u64,
}

impl CpuTicks {
    /// The ticks of a CPU, by its number.
    pub(crate) fn of_cpu(cpu: usize) -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let name = format!("cpu{cpu} ");
        let line = stat
            .lines()
            .find_map(|line| line.strip_prefix(&name))
            .unwrap_or_default();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        // The fields after the eighth repeat time that the first eight contain. Fields 4 and 5 are idle and iowait.
        let total = ticks.iter().take(8).sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: total - idle,
            total,
        }
    }

    /// The share of the time after an earlier reading in which the CPU was busy, from 0 to 1.
    pub(crate) fn busy_share_since(self, earlier: Self) -> f64 {
        let total = self.total.saturating_sub(earlier.total).max(1);
        self.busy.saturating_sub(earlier.busy) as f64 / total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_after_a_process_name_with_parentheses() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 1234 567 0 0";
        assert_eq!(user_and_system_ticks(stat), Some((1234, 567)));
        assert_eq!(nanoseconds_on_cpu("123456789 5 6\n"), 123_456_789);
        assert_eq!(
            status_bytes("VmRSS:\t  12 kB\nRssAnon:\t 5 kB\n", "RssAnon:"),
            5 * 1024
        );
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(CpuTime::of_process(pid).total > 0 && CpuTime::of_this_thread().total > 0);
        let memory = MemoryUsage::of_process(pid);
        assert!(memory.resident >= memory.anonymous);
    }
}
