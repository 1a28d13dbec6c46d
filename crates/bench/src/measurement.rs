//! The result of one competitor in one scenario, measured once.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::generator::Faults;

/// Named figures, and the faults, of which there must be none.
#[derive(Debug, Default)]
pub(crate) struct Measurement {
    /// Figures by name. The name states the unit.
    pub(crate) figures: BTreeMap<String, f64>,
    pub(crate) faults: Faults,
    /// The first error of a publish call, if one failed.
    pub(crate) publish_error: Option<String>,
}

impl Measurement {
    /// Records a figure.
    pub(crate) fn put(&mut self, name: &str, figure: f64) {
        self.figures.insert(name.to_owned(), figure);
    }

    /// Records percentiles of latencies in nanoseconds as `p<percentile>_us_<suffix>`, in microseconds.
    pub(crate) fn put_latency(&mut self, percentiles: &[f64], suffix: &str, latency: &Histogram<u64>) {
        for percentile in percentiles {
            let nanoseconds = latency.value_at_percentile(*percentile);
            self.put(&format!("p{percentile:.0}_us_{suffix}"), nanoseconds as f64 / 1e3);
        }
    }
}
