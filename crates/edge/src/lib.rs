//! An edge: terminates Socket.IO connections, lets users into the rooms of their sessions, and fans events out.
//!
//! It holds no state that must survive and never knows the store: a control plane feeds it over the link.

mod answer;
mod config;
mod connect_packet;
mod direct;
mod event_names;
mod frame_header;
mod incoming;
mod link;
mod metrics;
mod origin;
mod outbound;
mod peer;
mod pid;
mod polling;
mod rate;
mod server;
mod sockets;
mod stream;
mod switch;
mod transport;
mod upgrade;

pub use config::{ApiToken, ClientTls, Config, Drain, Limits, Origins};
pub use link::{Credentials, DialError, Dialer, Plane};
pub use server::{Process, serve};
