//! An edge: terminates Socket.IO connections, lets users into the rooms of their sessions, and fans events out.
//!
//! It holds no state that must survive and never knows the store: a control plane feeds it over the link.

mod config;
mod direct;
mod http;
mod link;
mod metrics;
mod outbound;
mod packet;
mod rate_limit;
mod rooms_task;
mod server;
mod sockets;
mod transport;

pub use config::{ApiToken, ClientTls, Config, Drain, Limits, Origins};
pub use link::{Credentials, DialError, Dialer, Plane};
pub use server::{Process, serve};
