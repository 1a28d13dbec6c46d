//! An edge: terminates Socket.IO connections, lets users join the rooms of their sessions, and fans events out.
//!
//! It holds no durable state and never accesses the store: a control plane feeds it over the link.
//!
//! The modules are layers; a file imports only from its own folder and from lower layers. From the top:
//!
//! | layer | purpose |
//! | --- | --- |
//! | `server` | builds the parts and spawns the named tasks |
//! | `http/`, `sockets/` | connections and requests; Socket.IO's handlers |
//! | `rooms_task/` | the one task that drives the rooms |
//! | `link/` | the link to a control plane, and calls to it |
//! | `inbox` | the inputs of the rooms task |
//! | `outbound/`, `drain` | the two paths to a socket; closing all transports |
//! | `transport/` | the transport of a socket, and its registry |
//! | `direct/` | the direct path of WebSockets |
//! | `packet/`, `config`, `metrics`, `rate_limit` | pure formats and shared tools |

mod config;
mod direct;
mod drain;
mod http;
mod inbox;
mod link;
mod metrics;
mod outbound;
mod packet;
mod rate_limit;
mod rooms_task;
mod server;
mod sockets;
mod transport;

pub use config::{ApiToken, ClientTls, Config, Drain, EdgeId, InvalidEdgeId, Limits, Origins};
pub use link::{ControlPlaneChannel, Credentials, DialError, Dialer};
pub use server::{Process, serve};
