//! When the edge logs that it has no control plane: at once, and then at intervals that double.

use std::time::Duration;

use tokio::time::Instant;

/// The outage is reported again after this time.
const FIRST_REPORT: Duration = Duration::from_secs(30);
/// The longest time between two reports.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// A time without a control plane.
#[derive(Debug)]
pub(super) struct Outage {
    began: Instant,
    /// Failed attempts to attach.
    attempts: u64,
    /// The duration of the outage after which the next report is due.
    next_report: Duration,
}

/// What to log after a failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    /// How long the outage has lasted.
    pub(super) lasted: Duration,
    /// Failed attempts to attach.
    pub(super) attempts: u64,
}

impl Outage {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            attempts: 0,
            next_report: FIRST_REPORT,
        }
    }

    /// Counts a failed attempt. Returns a report if it is time for one.
    pub(super) fn attempt_failed(&mut self, now: Instant) -> Option<Report> {
        self.attempts += 1;
        let lasted = now.duration_since(self.began);
        if lasted < self.next_report {
            return None;
        }
        self.next_report = lasted + lasted.min(LONGEST_PAUSE);
        Some(Report {
            lasted,
            attempts: self.attempts,
        })
    }

    /// How long the outage has lasted, and how many attempts failed.
    pub(super) fn report(&self, now: Instant) -> Report {
        Report {
            lasted: now.duration_since(self.began),
            attempts: self.attempts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_reported_at_intervals_that_double_up_to_a_limit() {
        let mut outage = Outage::new(Instant::now());
        let mut reported = Vec::new();
        for _ in 0..3_600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if let Some(report) = outage.attempt_failed(Instant::now()) {
                assert_eq!(report.attempts, report.lasted.as_secs());
                reported.push(report.lasted.as_secs());
            }
        }
        assert_eq!(reported, [30, 60, 120, 240, 480, 960, 1_560, 2_160, 2_760, 3_360]);
    }
}
