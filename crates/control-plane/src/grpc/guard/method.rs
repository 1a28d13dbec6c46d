//! The methods of this server: their names in metrics, whether they require a token, and how their calls end.

use roomcast_proto::v1::{edge_service_server, session_service_server};

/// How a call of a method ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// One request and one response.
    Unary,
    /// A stream that either side ends. Its caller reconnects to another control plane by itself.
    Stream,
    /// A stream that, in a drain, first responds to what it has received.
    StreamCommands,
    /// A stream that, in a drain, gives the edge time to attach to another control plane.
    Link,
}

/// One method of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method {
    /// The label in metrics: one of a fixed set, whatever path the caller sends.
    pub(crate) name: &'static str,
    pub(crate) kind: CallKind,
    /// Whether a call requires a service token, if the control plane is configured to verify tokens.
    pub(crate) requires_token: bool,
}

impl Method {
    pub(crate) fn from_path(path: &str) -> Self {
        let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
            return Self::UNKNOWN;
        };
        match service {
            session_service_server::SERVICE_NAME => Self::of_session_service(method),
            edge_service_server::SERVICE_NAME => Self::of_edge_service(method),
            "grpc.health.v1.Health" => match method {
                "Check" => Self::without_token("HealthCheck", CallKind::Unary),
                "Watch" => Self::without_token("HealthWatch", CallKind::Stream),
                _ => Self::UNKNOWN,
            },
            "grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection" => {
                Self::without_token("Reflection", CallKind::Stream)
            }
            _ => Self::UNKNOWN,
        }
    }

    fn of_session_service(method: &str) -> Self {
        match method {
            "PublishSessionUpdate" => Self::with_token("PublishSessionUpdate", CallKind::Unary),
            "SelectRole" => Self::with_token("SelectRole", CallKind::Unary),
            "RequireFeedback" => Self::with_token("RequireFeedback", CallKind::Unary),
            "UpdateFeedback" => Self::with_token("UpdateFeedback", CallKind::Unary),
            "AuthorizeJoin" => Self::with_token("AuthorizeJoin", CallKind::Unary),
            "RemoveParticipant" => Self::with_token("RemoveParticipant", CallKind::Unary),
            "DisconnectUser" => Self::with_token("DisconnectUser", CallKind::Unary),
            "GetSession" => Self::with_token("GetSession", CallKind::Unary),
            "WatchEvents" => Self::with_token("WatchEvents", CallKind::Stream),
            "StreamCommands" => Self::with_token("StreamCommands", CallKind::StreamCommands),
            _ => Self::UNKNOWN,
        }
    }

    fn of_edge_service(method: &str) -> Self {
        match method {
            "Attach" => Self::with_token("Attach", CallKind::Link),
            "GetLoad" => Self::with_token("GetLoad", CallKind::Unary),
            "AuthorizeJoins" => Self::with_token("AuthorizeJoins", CallKind::Unary),
            "ReadLog" => Self::with_token("ReadLog", CallKind::Unary),
            _ => Self::UNKNOWN,
        }
    }

    const UNKNOWN: Self = Self::with_token("unknown", CallKind::Unary);

    const fn with_token(name: &'static str, kind: CallKind) -> Self {
        Self {
            name,
            kind,
            requires_token: true,
        }
    }

    const fn without_token(name: &'static str, kind: CallKind) -> Self {
        Self {
            name,
            kind,
            requires_token: false,
        }
    }
}
