//! What is going on, on standard error.

use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

use crate::measure::Measured;

/// Says what runs and what it gave.
pub(crate) struct Progress {
    begin: Instant,
    all: usize,
    done: usize,
}

impl Progress {
    /// So many measurements come.
    pub(crate) fn new(all: usize) -> Self {
        Self {
            begin: Instant::now(),
            all,
            done: 0,
        }
    }

    /// This one runs.
    pub(crate) fn begin(&mut self, scenario: &str, round: usize, peer: &str) {
        self.done += 1;
        let (begin, done, all) = (self.begin.elapsed().as_secs(), self.done, self.all);
        write(&format!(
            "[{begin:>4} s {done:>3}/{all}] {scenario:<18} round {round}  {peer:<17}"
        ));
    }

    /// It gave this.
    pub(crate) fn end(&self, measured: &Measured) {
        const SHOWN: [(&str, &str, f64, usize); 11] = [
            ("deliveries_per_cpu_s", "k/cpu-s", 1e3, 1),
            ("deliveries_per_cpu_s_all", "all", 1e3, 1),
            ("busy_server", "busy", 0.01, 0),
            ("busy_load", "load", 0.01, 0),
            ("p99_us_at_50", "p99@50 ms", 1e3, 2),
            ("connects_per_cpu_s", "k conn/cpu-s", 1e3, 1),
            ("bytes_per_socket", "KB/socket", 1e3, 1),
            ("back_s", "s until back", 1.0, 2),
            ("publishes_per_s", "k publishes/s", 1e3, 1),
            ("publishes_per_cpu_s", "k publishes/cpu-s", 1e3, 1),
            ("redis_benchmark_per_s", "k/s by redis-benchmark", 1e3, 1),
        ];
        let mut line = String::new();
        for (name, unit, scale, digits) in SHOWN {
            if let Some(figure) = measured.figures.get(name) {
                line.push_str(&format!("{:.digits$} {unit}  ", figure / scale));
            }
        }
        if !measured.faults.is_none() {
            line.push_str(&format!("FAULTS {:?} ", measured.faults));
        }
        if let Some(error) = &measured.publish_error {
            line.push_str(error);
        }
        write(&format!("{}\n", line.trim_end()));
    }

    /// It failed.
    pub(crate) fn failed(&self, error: &dyn std::fmt::Display) {
        write(&format!("FAILED {error}\n"));
    }
}

/// Says something.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stderr().lock();
    let _gone = out.write_all(text.as_bytes());
    if !out.is_terminal() {
        return;
    }
    let _gone = out.flush();
}
