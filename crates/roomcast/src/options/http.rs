//! The browsers' side: where it listens, which pages may connect, and bounds for each socket.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use roomcast_edge::{Drain, Limits, Origins};
use roomcast_runtime::config::values;

#[derive(Debug, Args)]
#[command(next_help_heading = "Browsers")]
pub(crate) struct HttpOptions {
    /// Where browsers connect
    #[arg(long, env = "ROOMCAST_HTTP_ADDR", default_value = "127.0.0.1:3000", value_parser = values::socket_addr)]
    pub(crate) http_addr: SocketAddr,
    /// An origin whose pages may connect (https://app.example.com), or * for any; repeatable. Unset: with `dev` any,
    /// with `edge` only pages of the edge's own host
    #[arg(long, env = "ROOMCAST_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub(crate) cors_origin: Vec<String>,
    /// How many sessions one socket can be in at once
    #[arg(long, env = "ROOMCAST_SESSIONS_PER_SOCKET", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) sessions_per_socket: u16,
    /// Bytes that wait for one socket at most; then its transport is closed and its page resumes
    #[arg(long, env = "ROOMCAST_OUTBOUND_CAP", default_value = "1MiB", value_parser = values::bytes)]
    pub(crate) outbound_cap: usize,
    /// How long a browser may take nothing of what is sent before its transport is closed
    #[arg(long, env = "ROOMCAST_WRITE_STALL_TIMEOUT", default_value = "10s", value_parser = values::duration)]
    pub(crate) write_stall_timeout: Duration,
    /// Events a second that one socket may send in the long run
    #[arg(long, env = "ROOMCAST_EVENT_RATE", default_value = "200", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_rate: u32,
    /// Events that one socket may send at once
    #[arg(long, env = "ROOMCAST_EVENT_BURST", default_value = "4000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) event_burst: u32,
    /// Sockets closed in a second when the edge ends; faster where --drain-timeout asks for it
    #[arg(long, env = "ROOMCAST_DRAIN_RATE", default_value = "500", value_parser = clap::value_parser!(u32).range(1..))]
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
            write_stall: self.write_stall_timeout,
            event_rate: self.event_rate,
            event_burst: self.event_burst,
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
    Err("is no origin (expected e.g. https://app.example.com, without a path, or *)".to_owned())
}
