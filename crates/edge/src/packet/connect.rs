//! The Socket.IO CONNECT packet on its way to the browser (`40{"sid":"…"}`). socketioxide does not implement connection
//! state recovery, so the `pid` is inserted here.

use bytes::Bytes;

use super::RECORD_SEPARATOR;

/// Returns the packet with a pid; `None` if it is not CONNECT.
pub(crate) fn with_pid(packet: &[u8], pid: &str) -> Option<Vec<u8>> {
    let rest = packet.strip_prefix(br#"40{"sid":"#)?.strip_suffix(b"}")?;
    let mut changed = br#"40{"sid":"#.to_vec();
    changed.extend_from_slice(rest);
    changed.extend_from_slice(format!(r#","pid":"{pid}"}}"#).as_bytes());
    Some(changed)
}

/// Returns a polling response's payload with a pid in its first CONNECT; `None` if it contains no CONNECT.
pub(crate) fn payload_with_pid(payload: &Bytes, pid: &str) -> Option<Bytes> {
    let mut found = false;
    let packets = payload.split(|byte| *byte == RECORD_SEPARATOR).map(|packet| {
        let changed = if found { None } else { with_pid(packet, pid) };
        found |= changed.is_some();
        changed.unwrap_or_else(|| packet.to_vec())
    });
    let changed = packets.collect::<Vec<_>>().join(&RECORD_SEPARATOR);
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
        assert_eq!(payload_with_pid(&payload, "P"), Some(Bytes::from(expected)));
        assert_eq!(
            payload_with_pid(&Bytes::from("42[\"a\"]\u{1e}44{\"message\":\"x\"}"), "P"),
            None
        );
    }
}
