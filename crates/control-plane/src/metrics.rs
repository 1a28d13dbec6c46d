//! What operators see. No label of a user, a room or an edge.

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

/// The families of a control plane. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<MethodLabels, Histogram, fn() -> Histogram>,
    commands: Family<CommandLabels, Counter>,
    reads: Family<ReadLabels, Counter>,
    pub(crate) rooms: Gauge,
    pub(crate) edges: Gauge,
    pub(crate) entries_sent: Counter,
    pub(crate) followers_cut: Counter,
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
            followers_cut: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("control_plane");
        registry.register("calls", "gRPC calls that ended", metrics.calls.clone());
        let help = "How long unary gRPC calls took";
        registry.register_with_unit("call", help, Unit::Seconds, metrics.call_seconds.clone());
        let help = "Commands of StreamCommands that were done or failed";
        registry.register("streamed_commands", help, metrics.commands.clone());
        registry.register("reads", "Reads of the store for the hub", metrics.reads.clone());
        registry.register(
            "rooms_of_interest",
            "Rooms that some follower is fed",
            metrics.rooms.clone(),
        );
        registry.register("edges_attached", "Links that are open", metrics.edges.clone());
        let help = "Log entries handed to links and watchers";
        registry.register("entries_sent", help, metrics.entries_sent.clone());
        let help = "Links and watchers ended because their queue was full";
        registry.register("followers_cut", help, metrics.followers_cut.clone());
        metrics
    }

    pub(crate) fn call(&self, method: &'static str, code: Code) {
        self.calls
            .get_or_create(&CallLabels {
                method,
                code: code_name(code),
            })
            .inc();
    }

    pub(crate) fn call_took(&self, method: &'static str, time: Duration) {
        self.call_seconds
            .get_or_create(&MethodLabels { method })
            .observe(time.as_secs_f64());
    }

    pub(crate) fn command(&self, code: Code) {
        let code = code_name(code);
        self.commands.get_or_create(&CommandLabels { code }).inc();
    }

    pub(crate) fn read(&self, kind: &'static str, ok: bool) {
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
    fn every_family_has_its_unit_in_its_name() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.call("GetSession", Code::NotFound);
        metrics.call_took("GetSession", Duration::from_millis(3));
        metrics.command(Code::Ok);
        metrics.read("log", true);
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
            "control_plane_followers_cut_total 0",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in {text}");
        }
    }
}
