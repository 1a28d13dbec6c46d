//! The Socket.IO CONNECT packet on its way to the browser (`40{"sid":"…"}`): the crate knows nothing of recovery, so
//! `pid` is put in here.

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame_header::HeaderReader;

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

/// The frames that leave for a browser before its CONNECT did (RFC 6455, section 5.2: a server's are unmasked). They are
/// taken in whatever chunks they are written, and given back whole.
#[derive(Debug, Default)]
pub(crate) struct ConnectFrames {
    cut: BytesMut,
}

impl ConnectFrames {
    /// Takes the next bytes; gives the whole frames in them, and whether CONNECT was one.
    pub(crate) fn take(&mut self, bytes: &[u8], pid: &str) -> (BytesMut, bool) {
        self.cut.extend_from_slice(bytes);
        let (mut whole, mut found) = (BytesMut::new(), false);
        while let Some((head, length)) = frame(&self.cut) {
            let frame = self.cut.split_to(head + length);
            let changed = if found || frame[0] != 0x81 {
                None
            } else {
                with_pid(&frame[head..], pid)
            };
            match changed {
                Some(changed) => {
                    found = true;
                    whole.put_u8(0x81);
                    match u8::try_from(changed.len()) {
                        Ok(length @ 0..126) => whole.put_u8(length),
                        // A CONNECT has one sid and one pid.
                        _ => {
                            whole.put_u8(126);
                            whole.put_u16(u16::try_from(changed.len()).unwrap_or(u16::MAX));
                        }
                    }
                    whole.extend_from_slice(&changed);
                }
                None => whole.extend_from_slice(&frame),
            }
        }
        (whole, found)
    }

    /// What is cut: the beginning of a frame whose rest comes after CONNECT.
    pub(crate) fn rest(&mut self) -> BytesMut {
        self.cut.split()
    }
}

/// The lengths of the header and the payload of a frame that is there as a whole.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut reader = HeaderReader::default();
    let (at, header) = bytes
        .iter()
        .enumerate()
        .find_map(|(at, byte)| Some((at, reader.take(*byte)?)))?;
    let (head, length) = (at + 1, usize::try_from(header.length).ok()?);
    (bytes.len() - head >= length).then_some((head, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &str) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            length @ 0..126 => frame.push(length as u8),
            length => {
                frame.push(126);
                frame.extend((length as u16).to_be_bytes());
            }
        }
        frame.extend(payload.as_bytes());
        frame
    }

    #[test]
    fn a_pid_is_put_into_connect_and_nothing_else_is_changed_whatever_the_chunks() {
        let pid = "p".repeat(48);
        let (before, after) = (
            text("0{\"sid\":\"x\"}"),
            text(&format!("42[\"{}\"]", "y".repeat(300))),
        );
        let connect = text("40{\"sid\":\"abc\"}");
        let written = [before.clone(), connect.clone(), after.clone(), connect.clone()].concat();
        let expected = [
            before,
            text(&format!("40{{\"sid\":\"abc\",\"pid\":\"{pid}\"}}")),
            after,
            connect,
        ]
        .concat();
        for chunk in 1..written.len() {
            let (mut frames, mut got, mut found) = (ConnectFrames::default(), Vec::new(), false);
            for bytes in written.chunks(chunk) {
                if found {
                    got.extend(bytes);
                } else {
                    let (whole, connected) = frames.take(bytes, &pid);
                    got.extend(whole);
                    found = connected;
                    if found {
                        got.extend(frames.rest());
                    }
                }
            }
            assert!(found);
            assert_eq!(got, expected, "chunks of {chunk}");
        }
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
