//! The gRPC server: its configuration, and what all calls have in common (tokens, deadlines, drain, sizes, TLS, health).

mod config;
mod guard;
mod health;
mod message_size;
mod server;
mod tls;

pub use config::{ApiTokens, Config};
pub use server::{ControlPlane, ServeError};
pub use tls::{Tls, TlsError};
