//! HTTP.

pub(crate) mod cors;
pub(crate) mod polling;
pub(crate) mod response;
pub(crate) mod upgrade;
