//! The wire format: the generated code of `proto/`, the conversions between it and the domain, and the table of errors.
//!
//! Conversions from the wire are fallible: a message is parsed once, here, and every invalid field is named
//! ([`Invalid`]). Conversions to the wire are infallible. This crate must never depend on the store or the edge.

pub mod batch;
mod codec;
pub mod command;
mod error;
mod event;
pub mod join;
mod json;
pub mod link;
mod log;
mod position;
mod session;
mod time;
mod violation;
pub mod watch;

pub use error::{Failure, TokenFault};
pub use violation::{Invalid, Violation};

/// The generated code of the package `roomcast.v1`.
#[expect(clippy::allow_attributes, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("roomcast.v1");
}

/// The encoded descriptors of every file of the package and of its imports, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("roomcast.v1");
