//! The Lua library. Its name carries a digest of its text, so that control planes of different versions, each
//! with its own, can share a server.

use redis::Cmd;
use sha2::{Digest as _, Sha256};

use super::keys::hex;

const SOURCE: &str = include_str!("functions/session.lua");

/// The library as this version needs it.
#[derive(Debug)]
pub(super) struct Library {
    name: String,
    text: String,
}

impl Library {
    pub(super) fn new() -> Self {
        let digest = hex(&Sha256::digest(SOURCE));
        let name = format!("roomcast_{}", &digest[..16]);
        let text = format!("#!lua name={name}\n{}", SOURCE.replace("@LIBRARY@", &name));
        Self { name, text }
    }

    /// The command that loads it; loading it again does nothing.
    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("FUNCTION");
        load.arg("LOAD").arg("REPLACE").arg(&self.text);
        load
    }

    /// The command that calls one of its functions.
    pub(super) fn call(&self, function: &str, keys: &[String], args: &[String]) -> Cmd {
        let mut call = redis::cmd("FCALL");
        call.arg(format!("{}_{function}", self.name))
            .arg(keys.len())
            .arg(keys)
            .arg(args);
        call
    }
}
