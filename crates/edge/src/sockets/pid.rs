//! The `pid` of Socket.IO's connection state recovery: what a stock client hands back beside its cursor when it
//! reconnects, and whose repetition tells it that it was recovered.
//!
//! It gives no right to anything, since every resume is authenticated and authorised anew. It cannot be guessed, and
//! it is bound to its user, so that a page that comes back as somebody else begins anew.

use roomcast_core::UserId;
use sha2::{Digest, Sha256};

/// A new one.
pub(crate) fn mint(user: &UserId, random: u128) -> String {
    format!("{random:032x}{}", check(user, random))
}

/// Whether this is one of this user's.
pub(crate) fn is_of(pid: &str, user: &UserId) -> bool {
    let random = pid
        .get(..32)
        .and_then(|digits| u128::from_str_radix(digits, 16).ok());
    random.is_some_and(|random| mint(user, random) == pid)
}

fn check(user: &UserId, random: u128) -> String {
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
    fn a_pid_is_of_its_user_alone() {
        let (alice, bob): (UserId, UserId) = ("alice".parse().unwrap(), "bob".parse().unwrap());
        let pid = mint(&alice, 7);
        assert!(is_of(&pid, &alice) && !is_of(&pid, &bob));
        for bad in ["", "x", &pid[1..], &pid.to_uppercase(), &format!("{pid}0"), "é"] {
            assert!(!is_of(bad, &alice), "{bad}");
        }
    }
}
