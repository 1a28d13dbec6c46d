//! What the tests run on.

pub(crate) mod acl;
pub(crate) mod server;
