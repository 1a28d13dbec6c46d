//! The metrics of a control plane. No label names a user, a room or an edge.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use tonic::Code;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// The metric families of a control plane. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<MethodLabels, Histogram, fn() -> Histogram>,
    commands: Family<CommandLabels, Counter>,
    reads: Family<ReadLabels, Counter>,
    pub(crate) rooms: Gauge,
    pub(crate) edges: Gauge,
    pub(crate) entries_sent: Counter,
    pub(crate) slow_followers_closed: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_5, 2.0, 15));
        let metrics = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(seconds),
            commands: Family::default(),
            reads: Family::default(),
            rooms: Gauge::default(),
            edges: Gauge::default(),
            entries_sent: Counter::default(),
            slow_followers_closed: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("control_plane");
        registry.register(
            "calls",
            "gRPC calls that ended, by method and code",
            metrics.calls.clone(),
        );
        let help = "Duration of unary gRPC calls";
        registry.register_with_unit("call", help, Unit::Seconds, metrics.call_seconds.clone());
        let help = "Commands of StreamCommands calls that were executed or failed, by gRPC code";
        registry.register("streamed_commands", help, metrics.commands.clone());
        registry.register(
            "reads",
            "Attempts of the hub to read the store, by kind and outcome",
            metrics.reads.clone(),
        );
        registry.register(
            "rooms_of_interest",
            "Rooms that at least one link or WatchEvents stream follows",
            metrics.rooms.clone(),
        );
        registry.register(
            "edges_attached",
            "Edges whose link is open",
            metrics.edges.clone(),
        );
        let help = "Log entries put into the queues of links and WatchEvents streams";
        registry.register("entries_sent", help, metrics.entries_sent.clone());
        let help = "Links and WatchEvents streams that were closed because their queue was full";
        let closed = metrics.slow_followers_closed.clone();
        registry.register("slow_followers_closed", help, closed);
        metrics
    }

    pub(crate) fn call_ended(&self, method: &'static str, code: Code) {
        self.calls
            .get_or_create(&CallLabels {
                method,
                code: code_name(code),
            })
            .inc();
    }

    pub(crate) fn call_duration(&self, method: &'static str, duration: Duration) {
        self.call_seconds
            .get_or_create(&MethodLabels { method })
            .observe(duration.as_secs_f64());
    }

    pub(crate) fn command_ended(&self, code: Code) {
        let code = code_name(code);
        self.commands.get_or_create(&CommandLabels { code }).inc();
    }

    pub(crate) fn read_ended(&self, kind: &'static str, ok: bool) {
        let outcome = if ok { "ok" } else { "failed" };
        self.reads.get_or_create(&ReadLabels { kind, outcome }).inc();
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn metric_names_contain_their_unit() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.call_ended("GetSession", Code::NotFound);
        metrics.call_duration("GetSession", Duration::from_millis(3));
        metrics.command_ended(Code::Ok);
        metrics.read_ended("log", true);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "control_plane_calls_total{method=\"GetSession\",code=\"NOT_FOUND\"} 1",
            "control_plane_call_seconds_count{method=\"GetSession\"} 1",
            "control_plane_streamed_commands_total{code=\"OK\"} 1",
            "control_plane_reads_total{kind=\"log\",outcome=\"ok\"} 1",
            "control_plane_rooms_of_interest 0",
            "control_plane_edges_attached 0",
            "control_plane_entries_sent_total 0",
            "control_plane_slow_followers_closed_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in {text}");
        }
    }
}
