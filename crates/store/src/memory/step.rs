//! What a step in a slot of the memory store needs, and what it returns.

use std::sync::Arc;

use roomcast_core::{Entry, Epoch, Millis};

use super::log::Log;
use crate::limits::StoreLimits;

/// The result of a step, with the entries to notify the room's subscribers of.
pub(super) type StepResult<T> = (T, Vec<Arc<Entry>>);

/// The time, the limits and the source of randomness of one step.
pub(super) struct Context<'a> {
    pub(super) now: Millis,
    pub(super) limits: &'a StoreLimits,
    pub(super) random: &'a mut dyn FnMut() -> u64,
}

impl Context<'_> {
    pub(super) fn new_log(&mut self) -> Log {
        Log::new(Epoch::from_random((self.random)()), self.now)
    }

    /// Whether at least `retention` has passed since `start`.
    pub(super) fn has_passed(&self, start: Millis, retention: Millis) -> bool {
        self.now.saturating_sub(start) >= retention
    }

    /// Whether a slot that was last written at `written_at` has expired.
    pub(super) fn is_expired(&self, written_at: Millis) -> bool {
        self.has_passed(written_at, self.limits.state_retention)
    }
}
