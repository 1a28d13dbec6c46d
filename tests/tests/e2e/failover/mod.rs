//! Processes, networks and Redis that fail, and what clients notice of it.

mod clusters;
mod network_partitions;
mod reconnect_storm;
mod redis_hangs;
mod redis_outages;
mod redis_promotion;
mod redis_write_denials;
