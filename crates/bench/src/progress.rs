//! Progress on standard error.

use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

use crate::measurement::Measurement;

/// Prints which measurement runs, and its most important figures.
pub(crate) struct Progress {
    started_at: Instant,
    total: usize,
    begun: usize,
}

impl Progress {
    /// Progress through this many measurements.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            started_at: Instant::now(),
            total,
            begun: 0,
        }
    }

    /// A measurement begins.
    pub(crate) fn begin(&mut self, scenario: &str, round: usize, competitor: &str) {
        self.begun += 1;
        let (elapsed, begun, total) = (self.started_at.elapsed().as_secs(), self.begun, self.total);
        print(&format!(
            "[{elapsed:>4} s {begun:>3}/{total}] {scenario:<18} round {round}  {competitor:<17}"
        ));
    }

    /// The measurement that began last has this result.
    pub(crate) fn end(&self, measurement: &Measurement) {
        // Name of the figure, unit, divisor, digits.
        const SHOWN: [(&str, &str, f64, usize); 11] = [
            ("deliveries_per_cpu_s", "k/cpu-s", 1e3, 1),
            ("deliveries_per_cpu_s_all", "all", 1e3, 1),
            ("busy_server", "busy", 0.01, 0),
            ("busy_load", "load", 0.01, 0),
            ("p99_us_at_50", "p99@50 ms", 1e3, 2),
            ("connects_per_cpu_s", "k conn/cpu-s", 1e3, 1),
            ("bytes_per_socket", "KB/socket", 1e3, 1),
            ("back_s", "s until recovered", 1.0, 2),
            ("publishes_per_s", "k publishes/s", 1e3, 1),
            ("publishes_per_cpu_s", "k publishes/cpu-s", 1e3, 1),
            ("redis_benchmark_per_s", "k/s by redis-benchmark", 1e3, 1),
        ];
        let mut line = String::new();
        for (name, unit, divisor, digits) in SHOWN {
            if let Some(figure) = measurement.figures.get(name) {
                line.push_str(&format!("{:.digits$} {unit}  ", figure / divisor));
            }
        }
        if !measurement.faults.is_none() {
            line.push_str(&format!("FAULTS {:?} ", measurement.faults));
        }
        if let Some(error) = &measurement.publish_error {
            line.push_str(error);
        }
        print(&format!("{}\n", line.trim_end()));
    }

    /// The measurement that began last failed.
    pub(crate) fn failed(&self, error: &dyn std::fmt::Display) {
        print(&format!("FAILED {error}\n"));
    }
}

/// Writes text to standard error.
pub(crate) fn print(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()); // progress is not worth a failure
    if stderr.is_terminal() {
        let _ = stderr.flush(); // as above
    }
}
