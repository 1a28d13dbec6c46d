//! Files that a test makes and throws away.

use std::path::{Path, PathBuf};

/// A folder of its own for one test.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes it.
    ///
    /// # Panics
    /// Where it can't be made.
    #[must_use]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("roomcast-test-{:016x}", rand::random::<u64>()));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, and says where.
    ///
    /// # Panics
    /// Where it can't be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the openssl command in the folder.
///
/// # Panics
/// Where it fails.
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
