//! Temporary folders with files, and keys that openssl creates.

use std::path::{Path, PathBuf};

/// A new folder, which is deleted on drop.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Creates the folder.
    ///
    /// # Panics
    /// If it cannot be created.
    #[must_use]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("roomcast-test-{:016x}", rand::random::<u64>()));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    /// The absolute path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in the folder; returns its path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the operating system cleans up the rest
    }
}

/// Runs an openssl command in the folder.
///
/// # Panics
/// If it fails.
pub fn openssl(folder: &TempDir, command: &str) {
    let output = std::process::Command::new("openssl")
        .args(command.split_whitespace())
        .current_dir(folder.path())
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "openssl {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
