//! What only a store in Redis has to show.

mod cluster;
mod concurrency;
mod faults;
mod replicas;
mod sentinel;
