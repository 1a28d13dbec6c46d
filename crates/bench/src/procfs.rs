//! What the kernel says of processes (proc(5)): CPU time and memory.

use std::{
    fs,
    ops::{Add, Sub},
};

/// CPU time of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// In nanoseconds, of all its threads.
    pub(crate) total: u64,
    /// In clock ticks of 10 ms: only good for the ratio of the two.
    user: u64,
    system: u64,
}

impl CpuTime {
    /// Of a process; zero where there is none.
    pub(crate) fn of(pid: u32) -> Self {
        let (user, system) = fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|stat| ticks(&stat))
            .unwrap_or_default();
        Self {
            total: threads(pid).iter().map(|thread| on_cpu(thread)).sum(),
            user,
            system,
        }
    }

    /// Of the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        Self {
            total: fs::read_to_string("/proc/thread-self/schedstat").map_or(0, |text| on_cpu(&text)),
            ..Self::default()
        }
    }

    /// How much of it was spent outside the kernel, from 0 to 1.
    pub(crate) fn user_share(self) -> f64 {
        let all = self.user + self.system;
        if all == 0 {
            return 0.0;
        }
        self.user as f64 / all as f64
    }

    /// In seconds.
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

fn threads(pid: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return vec![];
    };
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    tasks.flatten().filter_map(read).collect()
}

/// The first field of a thread's `schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> u64 {
    let first = schedstat.split_whitespace().next();
    first.and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// `utime` and `stime`, fields 14 and 15. The name, field 2, can hold anything, but ends with the last parenthesis.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// All that is resident.
    pub(crate) resident: u64,
    /// What is its own: heap and stacks.
    pub(crate) anonymous: u64,
}

impl Memory {
    /// Of a process; zero where there is none.
    pub(crate) fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        Self {
            resident: field(&status, "VmRSS:"),
            anonymous: field(&status, "RssAnon:"),
        }
    }
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// How long a CPU was busy and how long there was time at all, in clock ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    busy: u64,
    all: u64,
}

impl Busy {
    /// Of a CPU by its number.
    pub(crate) fn of(cpu: usize) -> Self {
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
        let all = ticks.iter().take(8).sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: all - idle,
            all,
        }
    }

    /// How much of the time since then it was busy, from 0 to 1.
    pub(crate) fn since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all).max(1);
        self.busy.saturating_sub(earlier.busy) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 1234 567 0 0";
        assert_eq!(ticks(stat), Some((1234, 567)));
        assert_eq!(on_cpu("123456789 5 6\n"), 123_456_789);
        assert_eq!(field("VmRSS:\t  12 kB\nRssAnon:\t 5 kB\n", "RssAnon:"), 5 * 1024);
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(CpuTime::of(pid).total > 0 && CpuTime::of_this_thread().total > 0);
        assert!(Memory::of(pid).resident >= Memory::of(pid).anonymous);
    }
}
