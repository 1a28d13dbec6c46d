//! The end of a process that does not start its work.

use std::io::{self, Write};
use std::process::ExitCode;

use super::ConfigError;
use crate::PROGRAM;

/// Why the process exits before it starts its work.
#[derive(Debug)]
pub enum EarlyExit {
    /// The help or the version was requested: printed to standard output, exit status 0.
    Help(Box<clap::Error>),
    /// The configuration is invalid: one line without the program's name, printed to standard error, exit status 2.
    Invalid(String),
}

impl EarlyExit {
    /// Prints the text and returns the exit status.
    pub fn print(self) -> ExitCode {
        match self {
            Self::Help(text) => {
                let _ = text.print(); // A closed pipe is not an error.
                ExitCode::SUCCESS
            }
            Self::Invalid(line) => {
                let _ = writeln!(io::stderr(), "{PROGRAM}: {line}"); // A closed pipe is not an error.
                ExitCode::from(2)
            }
        }
    }
}

impl From<ConfigError> for EarlyExit {
    fn from(error: ConfigError) -> Self {
        Self::Invalid(error.to_string())
    }
}
