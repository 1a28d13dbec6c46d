//! Stores sessions and the logs of rooms: one trait, two implementations, and one contract suite that both pass.
//!
//! The log is the single source of truth. A command on a session is one atomic step that changes the state and
//! appends the entry, so that state and log cannot disagree. This crate must never depend on gRPC or on edges.

mod feedback;
mod limits;
mod memory;
mod notification_queue;
mod redis;
mod store;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use self::{
    limits::StoreLimits,
    memory::MemoryStore,
    redis::{RedisConfig, RedisStore, RedisUrl, RedisUrlError},
    store::{
        Appended, FeedbackRequirement, Outcome, Participation, Store, StoreError, Subscription,
        SubscriptionSignal,
    },
};
pub use roomcast_core::ids::RequestKey;
