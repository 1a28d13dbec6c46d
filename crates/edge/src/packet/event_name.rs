//! Event names with JSON escapes, such as `["say \"hi\"", …]`, on their way to socketioxide, which closes the connection
//! when it reads one. Here each escape in a name becomes two question marks, so that the event has an unknown name and is
//! denied as such. No length changes, so that frame headers stay valid.
//!
//! The names of our own events contain no escapes. A client that escapes characters without need gets `bad_request`.

use super::{RECORD_SEPARATOR, frame_header::HeaderReader};

/// Scans one Socket.IO packet byte by byte: Engine.IO `4`, Socket.IO `2` or `5N-`, an acknowledgement's digits,
/// `["name"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Scan {
    #[default]
    Start,
    Message,
    /// The digits and dashes before the opening bracket.
    Head,
    Bracket,
    Name,
    Escape,
    /// The rest of the packet is not scanned.
    Done,
}

impl Scan {
    /// Takes the next byte and returns the byte that replaces it.
    fn next(&mut self, byte: u8) -> u8 {
        *self = match (*self, byte) {
            (Self::Start, b'4') => Self::Message,
            (Self::Message, b'2' | b'5') => Self::Head,
            (Self::Head, b'0'..=b'9' | b'-') => Self::Head,
            (Self::Head, b'[') => Self::Bracket,
            (Self::Bracket, b' ' | b'\t' | b'\n' | b'\r') => Self::Bracket,
            (Self::Bracket, b'"') => Self::Name,
            (Self::Name, b'\\') => {
                *self = Self::Escape;
                return b'?';
            }
            (Self::Name, b'"') => Self::Done,
            (Self::Name, _) => Self::Name,
            (Self::Escape, _) => {
                *self = Self::Name;
                return b'?';
            }
            _ => Self::Done,
        };
        byte
    }
}

/// Replaces escapes in the event names of a polling request's payload.
pub(crate) fn replace_escapes(payload: &mut [u8]) {
    for packet in payload.split_mut(|byte| *byte == RECORD_SEPARATOR) {
        let mut scan = Scan::default();
        for byte in packet {
            *byte = scan.next(*byte);
        }
    }
}

/// Replaces escapes in the event names of a browser's masked frames (RFC 6455, section 5.2), which may be read in chunks
/// of any size.
#[derive(Debug, Default)]
pub(crate) struct FrameRewriter {
    header: HeaderReader,
    /// The bytes of the payload that have not been read yet.
    remaining: u64,
    mask: [u8; 4],
    /// The index of the next byte of the mask.
    mask_at: u8,
    scan: Scan,
    upgraded: bool,
}

impl FrameRewriter {
    /// Takes the next bytes and changes them in place.
    pub(crate) fn rewrite(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.remaining == 0 {
                self.header(*byte);
            } else {
                let mask = self.mask[usize::from(self.mask_at)];
                self.upgraded |= self.scan == Scan::Start && *byte ^ mask == b'5';
                *byte = self.scan.next(*byte ^ mask) ^ mask;
                self.mask_at = (self.mask_at + 1) % 4;
                self.remaining -= 1;
            }
        }
    }

    /// Whether the browser has sent the packet that completes an upgrade (Engine.IO `5`).
    pub(crate) fn has_upgraded(&self) -> bool {
        self.upgraded
    }

    /// Takes a byte of a header. socketioxide denies a header that is not valid.
    fn header(&mut self, byte: u8) {
        let Some(header) = self.header.take(byte) else {
            return;
        };
        self.remaining = header.length;
        self.mask = header.mask.unwrap_or_default();
        self.mask_at = 0;
        // A text frame begins a packet. A continuation frame continues it; a control frame in between does not change it.
        match header.opcode() {
            1 => self.scan = Scan::default(),
            2 => self.scan = Scan::Done,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewritten(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        replace_escapes(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn escapes_in_a_name_become_question_marks() {
        assert_eq!(rewritten(r#"42["a\"b\\","\n"]"#), r#"42["a??b??","\n"]"#);
        assert_eq!(rewritten(r#"4217[ "\u00e9",1]"#), r#"4217[ "??00e9",1]"#);
        assert_eq!(rewritten(r#"451-3["\t",{}]"#), r#"451-3["??",{}]"#);
        assert_eq!(
            rewritten("2\u{1e}42[\"\\n\"]\u{1e}40{\"token\":\"\\n\"}"),
            "2\u{1e}42[\"??\"]\u{1e}40{\"token\":\"\\n\"}"
        );
    }

    #[test]
    fn all_other_text_stays_unchanged() {
        for text in [
            r#"42["join-session","a\"b"]"#,
            r#"40{"token":"\\"}"#,
            r#"430["\n"]"#,
            "3",
            "",
            r#"42["cut"#,
        ] {
            assert_eq!(rewritten(text), text);
        }
    }

    proptest! {
        #[test]
        fn frames_are_changed_like_payloads_in_chunks_of_any_size(
            packets in proptest::collection::vec(("42\\[\"[a\\\\\"n]{0,300}", any::<[u8; 4]>()), 1..4),
            chunk in 1usize..50,
        ) {
            let frame = |text: &[u8], mask: [u8; 4]| {
                let mut frame = vec![0x81];
                match text.len() {
                    len @ 0..126 => frame.push(0x80 | len as u8),
                    len => {
                        frame.push(0x80 | 126);
                        frame.extend((len as u16).to_be_bytes());
                    }
                }
                frame.extend(mask);
                frame.extend(text.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
                frame
            };
            let whole = |change: bool| packets.iter().flat_map(|(text, mask)| {
                let mut text = text.as_bytes().to_vec();
                if change {
                    replace_escapes(&mut text);
                }
                frame(&text, *mask)
            }).collect::<Vec<u8>>();
            let (mut bytes, mut rewriter) = (whole(false), FrameRewriter::default());
            for chunk in bytes.chunks_mut(chunk) {
                rewriter.rewrite(chunk);
            }
            prop_assert_eq!(bytes, whole(true));
        }
    }
}
