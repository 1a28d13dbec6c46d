//! The tests of the whole crate: the contract that each store keeps, and what only Redis has to keep.

mod contract;
mod redis;
mod support;
