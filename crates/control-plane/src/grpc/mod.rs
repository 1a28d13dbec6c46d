//! The gRPC server: what all calls have in common.

mod config;
mod guard;
mod health;
mod message_size;
mod server;
mod tls;

pub use config::{ApiTokens, Config};
pub use server::{ControlPlane, ServeError};
pub use tls::{Tls, TlsError};
