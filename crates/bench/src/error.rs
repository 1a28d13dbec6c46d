//! The error type of the benchmark: a message for the person who runs it.

use std::error::Error;

/// Any error. Plain text converts into it.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// A result whose error is only ever shown to a person.
pub(crate) type BenchResult<T> = Result<T, BoxError>;
