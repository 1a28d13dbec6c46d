//! What every competitor needs to start.

use std::path::PathBuf;

use tokio::runtime::Runtime;

/// Paths of programs and folders, and the runtime of the publishers.
pub(crate) struct Environment {
    /// The Roomcast program.
    pub(crate) roomcast: PathBuf,
    /// The Centrifugo program.
    pub(crate) centrifugo: PathBuf,
    /// The folder of the Node server.
    pub(crate) node: PathBuf,
    /// The folder for results, logs and configuration files.
    pub(crate) folder: PathBuf,
    /// Runs the tasks of the publishers.
    pub(crate) runtime: Runtime,
}

impl Environment {
    /// The folder for the logs of child processes.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }
}
