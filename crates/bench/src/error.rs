//! Why something did not work, for people.

use std::{error::Error, fmt};

/// A result of whatever can fail.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

/// A failure in plain words.
pub(crate) fn failed(words: impl Into<String>) -> Box<dyn Error + Send + Sync> {
    Box::new(Failure(words.into()))
}
