//! The browsers' side: where it listens, which pages may connect, and bounds for each socket.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use roomcast_edge::{Drain, Limits, Origins};
use roomcast_runtime::config::values;

use super::{size, some_time};

#[derive(Debug, Args)]
#[command(next_help_heading = "Browsers")]
pub(crate) struct HttpOptions {
    /// Where browsers connect
    #[arg(long, env = "ROOMCAST_HTTP_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:3000", value_parser = values::socket_addr)]
    pub(crate) http_addr: SocketAddr,
    /// An origin whose pages may connect (https://app.example.com), or * for any; repeatable. Unset: with `dev` any,
    /// with `edge` only pages of the edge's own host
    #[arg(long, env = "ROOMCAST_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub(crate) cors_origin: Vec<String>,
    /// How many sessions one socket can be in at once
    #[arg(long, env = "ROOMCAST_SESSIONS_PER_SOCKET", value_name = "COUNT", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) sessions_per_socket: u16,
    /// How much waits for one socket at most, in bytes (1048576, 1MiB), 128KiB at least; then its transport is closed and
    /// its page resumes
    #[arg(long, env = "ROOMCAST_OUTBOUND_CAP", value_name = "SIZE", default_value = "1MiB", value_parser = outbound)]
    pub(crate) outbound_cap: usize,
    /// Whether events for WebSockets go past the Socket.IO library, in frames that are encoded once for all; without it
    /// they are slower, and otherwise the same
    #[arg(long, env = "ROOMCAST_DIRECT_PATH", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(crate) direct_path: bool,
    /// How long a browser may take nothing of what is sent before its transport is closed
    #[arg(long, env = "ROOMCAST_WRITE_STALL_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = some_time)]
    pub(crate) write_stall_timeout: Duration,
    /// How often a browser is asked whether it is there; a network that swallows everything is noticed after this and
    /// --ping-timeout, by both sides
    #[arg(long, env = "ROOMCAST_PING_INTERVAL", value_name = "TIME", default_value = "25s", value_parser = some_time)]
    pub(crate) ping_interval: Duration,
    /// How long the answer may take
    #[arg(long, env = "ROOMCAST_PING_TIMEOUT", value_name = "TIME", default_value = "20s", value_parser = some_time)]
    pub(crate) ping_timeout: Duration,
    /// Events a second that one socket may send in the long run
    #[arg(long, env = "ROOMCAST_EVENT_RATE", value_name = "COUNT", default_value = "200", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_rate: u32,
    /// Events that one socket may send at once
    #[arg(long, env = "ROOMCAST_EVENT_BURST", value_name = "COUNT", default_value = "4000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_burst: u32,
    /// New connections a second that are let in, as many at once at most. The others are turned away before they cost
    /// anything, and stock clients come back by themselves: so a crowd that lost its edge comes in at this pace
    #[arg(long, env = "ROOMCAST_CONNECT_RATE", value_name = "COUNT", default_value = "2000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connect_rate: u32,
    /// Sockets closed in a second when the edge ends; faster where --drain-timeout asks for it
    #[arg(long, env = "ROOMCAST_DRAIN_RATE", value_name = "COUNT", default_value = "500", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) drain_rate: u32,
}

impl HttpOptions {
    /// Which pages may connect; `otherwise`, where no origin was given.
    pub(crate) fn origins(&self, otherwise: Origins) -> Origins {
        if self.cors_origin.iter().any(|origin| origin == "*") {
            Origins::Any
        } else if self.cors_origin.is_empty() {
            otherwise
        } else {
            Origins::Listed(self.cors_origin.clone())
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            sessions_per_socket: usize::from(self.sessions_per_socket),
            outbound_bytes: self.outbound_cap,
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
        // The rest of the time is for what the sockets leave behind.
        Drain {
            sockets_per_second: self.drain_rate,
            deadline: timeout.mul_f64(0.8),
        }
    }
}

/// Room for the largest event of the default size, and one more.
fn outbound(text: &str) -> Result<usize, String> {
    size(text, &(128 * 1024..=1024 * 1024 * 1024))
}

fn origin(text: &str) -> Result<String, String> {
    let plain = |uri: &http::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some()
            && !text.ends_with('/')
    };
    if text == "*"
        || text
            .parse()
            .is_ok_and(|uri: http::Uri| plain(&uri) && uri.path() == "/" && uri.query().is_none())
    {
        return Ok(text.to_owned());
    }
    Err("not an origin (expected e.g. https://app.example.com, without a path, or *)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
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
    fn the_defaults_are_those_of_the_edge() {
        #[derive(clap::Parser)]
        struct Alone {
            #[command(flatten)]
            http: HttpOptions,
        }
        let limits = <Alone as clap::Parser>::parse_from(["x"]).http.limits();
        assert_eq!(format!("{limits:?}"), format!("{:?}", Limits::default()));
    }
}
