//! The tests of the whole crate: the contract that each store keeps, and the tests of Redis alone.

mod contract;
mod redis;
mod support;
