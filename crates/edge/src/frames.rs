//! Looks at the WebSocket frames that leave for one browser (RFC 6455, section 5.2), in whatever chunks they are
//! written, and counts those that carry a Socket.IO event or acknowledgement: a text frame whose payload begins
//! with Engine.IO `4` (message) and Socket.IO `2` (event) or `3` (acknowledgement).
//!
//! Server frames are unmasked and no extension is negotiated, which is asserted.

use crate::frame_header::HeaderReader;

/// Where the scan stands.
#[derive(Debug, Default)]
pub(crate) struct FrameScanner {
    header: HeaderReader,
    /// Payload bytes of the frame that are still to come.
    left: u64,
    /// The payload's first two bytes, as far as they came.
    first: [u8; 2],
    seen: usize,
    text: bool,
}

impl FrameScanner {
    /// Takes the next bytes; says how many events and acknowledgements ended in them.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> u64 {
        let mut ended = 0;
        while !bytes.is_empty() {
            if self.left == 0 {
                self.header(bytes[0]);
                bytes = &bytes[1..];
                continue;
            }
            let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (payload, rest) = bytes.split_at(take);
            for byte in payload.iter().take(2 - self.seen) {
                self.first[self.seen] = *byte;
                self.seen += 1;
            }
            self.left -= take as u64;
            if self.left == 0 && self.text && self.seen == 2 && matches!(&self.first, b"42" | b"43") {
                ended += 1;
            }
            bytes = rest;
        }
        ended
    }

    /// Takes a byte of a header.
    fn header(&mut self, byte: u8) {
        let Some(header) = self.header.take(byte) else {
            return;
        };
        assert!(header.mask.is_none(), "a server's frames are unmasked");
        assert!(!header.is_extended(), "no extension is negotiated");
        self.left = header.length;
        self.text = header.opcode() == 1;
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            len @ 0..126 => frame.push(len as u8),
            len @ 126..65_536 => {
                frame.push(126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    proptest! {
        #[test]
        fn events_are_counted_whatever_the_chunks(
            frames in proptest::collection::vec((0u8..5, 0usize..70_000), 0..8),
            chunks in proptest::collection::vec(1usize..5_000, 1..40),
        ) {
            let (mut bytes, mut expected) = (Vec::new(), 0);
            for (kind, len) in frames {
                let (opcode, start) = [(1, "42"), (1, "43"), (1, "2"), (2, "42"), (9, "")][usize::from(kind)];
                expected += u64::from(kind < 2);
                let payload = [start.as_bytes(), &vec![b'x'; len]].concat();
                bytes.extend(frame(opcode, &payload));
            }
            let (mut scanner, mut counted, mut rest) = (FrameScanner::default(), 0, &bytes[..]);
            for chunk in chunks.iter().cycle() {
                let (now, later) = rest.split_at((*chunk).min(rest.len()));
                counted += scanner.scan(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(counted, expected);
        }
    }
}
