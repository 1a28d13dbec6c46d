//! A blocking sleep for the thread of the load generator.

use std::time::Duration;

/// Blocks the calling thread.
#[expect(clippy::disallowed_methods, reason = "this thread runs no async runtime")]
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}
