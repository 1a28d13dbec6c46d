//! What only a store in Redis has to show.

mod cluster;
mod faults;
mod linear;
mod replicas;
mod sentinel;
