//! The registry in which every crate registers its own metric families, and the two families of the process itself.

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;

pub use prometheus_client::registry::Registry;

use crate::clock;

/// A registry whose families are all named `roomcast_…`, with `roomcast_build_info{version}` and
/// `roomcast_start_time_seconds` in it.
pub fn registry(version: &'static str) -> Registry {
    registry_with_labels(version, &[])
}

/// As [`registry`], with further labels of `roomcast_build_info`.
pub fn registry_with_labels(version: &'static str, labels: &[(&'static str, String)]) -> Registry {
    let mut registry = Registry::with_prefix("roomcast");
    let labels = labels.iter().cloned();
    let labels: Vec<_> = [("version", version.to_owned())]
        .into_iter()
        .chain(labels)
        .collect();
    registry.register(
        "build",
        "The version of the program, and the ids of the parts that run in the process",
        Info::new(labels),
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this era fit a double's 53 bits"
    )]
    let started = ConstGauge::new(clock::now_millis() as f64 / 1000.0);
    let help = "When the process started, since the Unix epoch";
    registry.register_with_unit("start_time", help, Unit::Seconds, started);
    registry
}
