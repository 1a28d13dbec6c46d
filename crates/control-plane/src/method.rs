//! The methods that this server has: their names in metrics, whether they need a token, and how long they may go on.

use roomcast_proto::v1::{edge_service_server, session_service_server};

/// How long a call of a method goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One request, one answer.
    Unary,
    /// Until either side ends it; whoever calls finds another control plane by itself.
    Stream,
    /// The same, and in a drain what was taken is answered first.
    Commands,
    /// The same, and in a drain an edge gets time to attach elsewhere.
    Link,
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method {
    /// For metrics: one of a fixed set, whatever callers ask for.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it needs no token.
    pub(crate) open: bool,
}

impl Method {
    pub(crate) fn of(path: &str) -> Self {
        let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
            return Self::closed("unknown", Kind::Unary);
        };
        match (service, method) {
            (session_service_server::SERVICE_NAME, method) => match method {
                "PublishSessionUpdate" => Self::closed("PublishSessionUpdate", Kind::Unary),
                "SelectRole" => Self::closed("SelectRole", Kind::Unary),
                "RequireFeedback" => Self::closed("RequireFeedback", Kind::Unary),
                "UpdateFeedback" => Self::closed("UpdateFeedback", Kind::Unary),
                "AuthorizeJoin" => Self::closed("AuthorizeJoin", Kind::Unary),
                "RemoveParticipant" => Self::closed("RemoveParticipant", Kind::Unary),
                "DisconnectUser" => Self::closed("DisconnectUser", Kind::Unary),
                "GetSession" => Self::closed("GetSession", Kind::Unary),
                "WatchEvents" => Self::closed("WatchEvents", Kind::Stream),
                "StreamCommands" => Self::closed("StreamCommands", Kind::Commands),
                _ => Self::closed("unknown", Kind::Unary),
            },
            (edge_service_server::SERVICE_NAME, "Attach") => Self::closed("Attach", Kind::Link),
            (edge_service_server::SERVICE_NAME, "AuthorizeJoins") => {
                Self::closed("AuthorizeJoins", Kind::Unary)
            }
            (edge_service_server::SERVICE_NAME, "GetLoad") => Self::closed("GetLoad", Kind::Unary),
            (edge_service_server::SERVICE_NAME, "ReadLog") => Self::closed("ReadLog", Kind::Unary),
            ("grpc.health.v1.Health", "Check") => Self::open("HealthCheck", Kind::Unary),
            ("grpc.health.v1.Health", "Watch") => Self::open("HealthWatch", Kind::Stream),
            ("grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection", _) => {
                Self::open("Reflection", Kind::Stream)
            }
            _ => Self::closed("unknown", Kind::Unary),
        }
    }

    fn closed(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            open: false,
        }
    }

    fn open(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            open: true,
        }
    }
}
