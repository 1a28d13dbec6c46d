//! The `pid` of Socket.IO's connection state recovery. A stock client sends it with its cursor when it reconnects; if
//! CONNECT repeats it, the client's connection is recovered.
//!
//! A pid grants no rights, because every resume is authenticated and authorized again. It cannot be guessed, and it is
//! bound to its user, so that a page that reconnects as another user gets a fresh connection.

use roomcast_core::UserId;
use sha2::{Digest, Sha256};

/// A pid of this user.
pub(super) fn mint(user: &UserId, random: u128) -> String {
    format!("{random:032x}{}", checksum(user, random))
}

/// Whether the pid was minted for this user.
pub(super) fn belongs_to(pid: &str, user: &UserId) -> bool {
    let random = pid
        .get(..32)
        .and_then(|digits| u128::from_str_radix(digits, 16).ok());
    random.is_some_and(|random| mint(user, random) == pid)
}

fn checksum(user: &UserId, random: u128) -> String {
    let digest = Sha256::new()
        .chain_update(random.to_be_bytes())
        .chain_update(user.as_str())
        .finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_belongs_to_one_user() {
        let (alice, bob): (UserId, UserId) = ("alice".parse().unwrap(), "bob".parse().unwrap());
        let pid = mint(&alice, 7);
        assert!(belongs_to(&pid, &alice) && !belongs_to(&pid, &bob));
        for bad in ["", "x", &pid[1..], &pid.to_uppercase(), &format!("{pid}0"), "é"] {
            assert!(!belongs_to(bad, &alice), "{bad}");
        }
    }
}
