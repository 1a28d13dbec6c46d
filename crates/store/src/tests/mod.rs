//! The tests of the whole crate.

pub(crate) mod contract;
mod redis;
pub(crate) mod support;
