//! The wire: generated code of `proto/`, the only conversions between it and the domain, and the one table of
//! errors.
//!
//! Inward is fallible: what comes in is parsed here, once, and every field that is wrong is named
//! ([`Invalid`]). Outward is not. This crate must never know the store or the edge.

pub mod batch;
pub mod codec;
pub mod command;
pub mod error;
pub mod event;
pub mod join;
pub mod json;
pub mod link;
pub mod log;
pub mod position;
pub mod room;
pub mod session;
pub mod time;
pub mod violation;

pub use error::{Failure, TokenFault};
pub use violation::{Invalid, Violation};

/// The package `roomcast.v1`.
#[expect(clippy::allow_attributes, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("roomcast.v1");
}

/// The descriptors of every file of the package and what they import, encoded, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("roomcast.v1");
