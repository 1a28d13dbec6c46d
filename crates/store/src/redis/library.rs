//! The Lua library. Its name contains a digest of its text, so that control planes of different versions, each with
//! its own library, can share a server.

use redis::Cmd;
use sha2::{Digest as _, Sha256};

use super::keys::hex;

/// The text of the released library, without its first line and its name.
pub(crate) const SOURCE: &str = concat!(
    include_str!("functions/step.lua"),
    include_str!("functions/session.lua"),
    include_str!("functions/user.lua"),
    include_str!("functions/read.lua"),
);

/// A library as the server has to load it.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    name: String,
    text: String,
}

impl Library {
    pub(crate) fn from_source(source: &str) -> Self {
        let digest = hex(&Sha256::digest(source));
        let name = format!("roomcast_{}", &digest[..16]);
        let text = format!("#!lua name={name}\n{}", source.replace("@LIBRARY@", &name));
        Self { name, text }
    }

    /// The command that loads it. Loading it again changes nothing.
    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("FUNCTION");
        load.arg("LOAD").arg("REPLACE").arg(&self.text);
        load
    }

    /// The command that calls one of its functions.
    pub(crate) fn call(&self, function: &str, keys: &[String], args: &[String]) -> Cmd {
        let mut call = redis::cmd("FCALL");
        call.arg(format!("{}_{function}", self.name))
            .arg(keys.len())
            .arg(keys)
            .arg(args);
        call
    }
}
