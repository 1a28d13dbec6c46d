//! The registry in which every crate registers its own metric families, and the two families of the process itself.

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;

pub use prometheus_client::registry::Registry;

use crate::clock;

/// A registry whose families are all named `roomcast_…`, with `roomcast_build_info{version}` and
/// `roomcast_start_time_seconds` in it.
pub fn registry(version: &'static str) -> Registry {
    let mut registry = Registry::with_prefix("roomcast");
    registry.register(
        "build",
        "The version that runs",
        Info::new([("version", version)]),
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
