//! The registry in which each crate registers its own metrics, and the two metrics of the process itself.

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;

pub use prometheus_client::registry::Registry;

/// Creates a registry that prefixes every metric name with `roomcast_`. It contains `roomcast_build_info{version}` and
/// `roomcast_start_time_seconds`.
///
/// `started_at` is the time at which the process started, in milliseconds since the Unix epoch.
pub fn registry(version: &'static str, started_at: i64) -> Registry {
    registry_with_labels(version, &[], started_at)
}

/// As [`registry`], with further labels of `roomcast_build_info`.
pub fn registry_with_labels(
    version: &'static str,
    labels: &[(&'static str, String)],
    started_at: i64,
) -> Registry {
    let mut registry = Registry::with_prefix("roomcast");
    let labels = labels.iter().cloned();
    let labels: Vec<_> = [("version", version.to_owned())]
        .into_iter()
        .chain(labels)
        .collect();
    registry.register(
        "build",
        "Version of the program, and the ids of the parts that run in the process",
        Info::new(labels),
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this era fit into the 53 bits of a double"
    )]
    let seconds = started_at as f64 / 1000.0;
    registry.register_with_unit(
        "start_time",
        "Start time of the process since the Unix epoch",
        Unit::Seconds,
        ConstGauge::new(seconds),
    );
    registry
}
