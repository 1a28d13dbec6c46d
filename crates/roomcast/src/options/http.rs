//! The options of the Socket.IO server: its address, the allowed origins, and the limits of each socket.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use roomcast_edge::{Drain, Limits, Origins};
use roomcast_runtime::config::values;

use super::{positive_duration, size};

#[derive(Debug, Args)]
#[command(next_help_heading = "Browsers")]
pub(crate) struct HttpOptions {
    /// Address of the Socket.IO server, to which browsers connect
    #[arg(long, env = "ROOMCAST_HTTP_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:3000", value_parser = values::socket_addr)]
    pub(crate) http_addr: SocketAddr,
    /// Origin whose pages may connect (https://app.example.com), or * for any; repeatable. Unset: `dev` allows any origin,
    /// `edge` allows only the same origin
    #[arg(long, env = "ROOMCAST_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub(crate) cors_origin: Vec<String>,
    /// Maximum number of sessions that one socket can be in at the same time; from 1 to 1000
    #[arg(long, env = "ROOMCAST_SESSIONS_PER_SOCKET", value_name = "COUNT", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) sessions_per_socket: u16,
    /// Maximum size of a socket's outbound queue in bytes, such as 1048576 or 1MiB; from 128KiB to 1GiB. A full queue closes
    /// the transport, and the client resumes
    #[arg(long = "outbound-cap", env = "ROOMCAST_OUTBOUND_CAP", value_name = "SIZE", default_value = "1MiB", value_parser = outbound_size)]
    pub(crate) outbound_limit: usize,
    /// Whether events for WebSockets bypass socketioxide, in frames that are encoded once for all sockets. Only the
    /// performance depends on it: false is slower
    #[arg(long, env = "ROOMCAST_DIRECT_PATH", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(crate) direct_path: bool,
    /// How long a client may accept no data before its transport is closed
    #[arg(long, env = "ROOMCAST_WRITE_STALL_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = positive_duration)]
    pub(crate) write_stall_timeout: Duration,
    /// How often each client is pinged; a dead connection is detected after --ping-interval plus --ping-timeout, by both
    /// sides
    #[arg(long, env = "ROOMCAST_PING_INTERVAL", value_name = "TIME", default_value = "25s", value_parser = positive_duration)]
    pub(crate) ping_interval: Duration,
    /// How long a client may take to respond to a ping
    #[arg(long, env = "ROOMCAST_PING_TIMEOUT", value_name = "TIME", default_value = "20s", value_parser = positive_duration)]
    pub(crate) ping_timeout: Duration,
    /// Maximum sustained rate at which one socket may send events, in events per second; at least 1
    #[arg(long, env = "ROOMCAST_EVENT_RATE", value_name = "COUNT", default_value = "200", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_rate: u32,
    /// Maximum number of events that one socket may send in a burst; at least 1
    #[arg(long, env = "ROOMCAST_EVENT_BURST", value_name = "COUNT", default_value = "4000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_burst: u32,
    /// Maximum rate of new connections, in connections per second, and the maximum burst; at least 1. Further connections
    /// are rejected early, and clients retry automatically: many clients that lost their edge at the same time connect at
    /// this rate
    #[arg(long, env = "ROOMCAST_CONNECT_RATE", value_name = "COUNT", default_value = "2000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connect_rate: u32,
    /// How many sockets per second are closed while the edge drains; at least 1. The rate is higher if --drain-timeout
    /// requires it
    #[arg(long, env = "ROOMCAST_DRAIN_RATE", value_name = "COUNT", default_value = "500", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) drain_rate: u32,
}

impl HttpOptions {
    /// The allowed origins; `default` if no origin is given.
    pub(crate) fn origins(&self, default: Origins) -> Origins {
        if self.cors_origin.iter().any(|origin| origin == "*") {
            Origins::Any
        } else if self.cors_origin.is_empty() {
            default
        } else {
            Origins::Listed(self.cors_origin.clone())
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            sessions_per_socket: usize::from(self.sessions_per_socket),
            outbound_bytes: self.outbound_limit,
            direct_path: self.direct_path,
            write_stall: self.write_stall_timeout,
            ping_interval: self.ping_interval,
            ping_timeout: self.ping_timeout,
            event_rate: self.event_rate,
            event_burst: self.event_burst,
            connect_rate: self.connect_rate,
        }
    }

    pub(crate) fn drain(&self, timeout: Duration) -> Drain {
        // The remaining time is for the work that follows after the sockets are closed.
        Drain {
            sockets_per_second: self.drain_rate,
            deadline: timeout.mul_f64(0.8),
        }
    }
}

/// The minimum is two events of the default maximum size.
fn outbound_size(text: &str) -> Result<usize, String> {
    size(text, &(128 * 1024..=1024 * 1024 * 1024))
}

fn origin(text: &str) -> Result<String, String> {
    let has_http_host = |uri: &http::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some()
            && !text.ends_with('/')
    };
    if text == "*"
        || text
            .parse()
            .is_ok_and(|uri: http::Uri| has_http_host(&uri) && uri.path() == "/" && uri.query().is_none())
    {
        return Ok(text.to_owned());
    }
    Err("not an origin (expected e.g. https://app.example.com, without a path, or *)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_consists_of_a_scheme_and_a_host() {
        for text in [
            "*",
            "https://app.example.com",
            "http://localhost:5173",
            "http://[::1]:80",
        ] {
            assert_eq!(origin(text), Ok(text.to_owned()));
        }
        for text in [
            "",
            "app.example.com",
            "https://a/",
            "https://a/b",
            "https://a?b",
            "ftp://a",
            "null",
        ] {
            origin(text).unwrap_err();
        }
    }

    #[test]
    fn the_defaults_of_the_options_are_those_of_the_edge() {
        #[derive(clap::Parser)]
        struct TestCli {
            #[command(flatten)]
            http: HttpOptions,
        }
        let limits = <TestCli as clap::Parser>::parse_from(["x"]).http.limits();
        assert_eq!(format!("{limits:?}"), format!("{:?}", Limits::default()));
    }
}
