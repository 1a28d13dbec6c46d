//! The Socket.IO CONNECT packet on its way to the browser (`40{"sid":"…"}`): the crate knows nothing of recovery, so
//! `pid` is put in here.

use bytes::Bytes;

/// The packet with a pid; `None` where this is another packet.
pub(crate) fn with_pid(packet: &[u8], pid: &str) -> Option<Vec<u8>> {
    let rest = packet.strip_prefix(br#"40{"sid":"#)?.strip_suffix(b"}")?;
    let mut changed = br#"40{"sid":"#.to_vec();
    changed.extend_from_slice(rest);
    changed.extend_from_slice(format!(r#","pid":"{pid}"}}"#).as_bytes());
    Some(changed)
}

/// Changes the answer to a poll, packets with `0x1e` between them; `None` where CONNECT is not there.
pub(crate) fn in_payload(payload: &Bytes, pid: &str) -> Option<Bytes> {
    let mut found = false;
    let packets = payload.split(|byte| *byte == 0x1e).map(|packet| {
        let changed = if found { None } else { with_pid(packet, pid) };
        found |= changed.is_some();
        changed.unwrap_or_else(|| packet.to_vec())
    });
    let changed = packets.collect::<Vec<_>>().join(&0x1e);
    found.then(|| changed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_put_into_connect_and_nothing_else_is_changed() {
        let changed = with_pid(br#"40{"sid":"abc"}"#, "P").unwrap();
        assert_eq!(changed, br#"40{"sid":"abc","pid":"P"}"#);
        assert_eq!(with_pid(br#"44{"message":"x"}"#, "P"), None);
    }

    #[test]
    fn a_payload_with_connect_is_changed() {
        let payload = Bytes::from("2\u{1e}40{\"sid\":\"abc\"}\u{1e}42[\"a\"]");
        let expected = "2\u{1e}40{\"sid\":\"abc\",\"pid\":\"P\"}\u{1e}42[\"a\"]";
        assert_eq!(in_payload(&payload, "P"), Some(Bytes::from(expected)));
        assert_eq!(
            in_payload(&Bytes::from("42[\"a\"]\u{1e}44{\"message\":\"x\"}"), "P"),
            None
        );
    }
}
