//! Event names with escapes, such as `["say \"hi\"", …]`, on their way to the crate: it takes them for a broken
//! protocol and ends the connection. Here each escape in a name becomes two question marks, so that the event is an
//! unknown one, and is answered as such. Lengths do not change, so no frame does.
//!
//! Names of ours have no escapes, and whoever escapes what needs none is not understood.

use super::frame_header::HeaderReader;

/// Looks at one Socket.IO packet, byte by byte (Engine.IO `4`, Socket.IO `2` or `5N-`, an acknowledgement's digits,
/// `["name"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Scan {
    #[default]
    Start,
    Message,
    /// Before the opening bracket.
    Head,
    Bracket,
    Name,
    Escape,
    /// Nothing more to look at.
    Done,
}

impl Scan {
    /// Takes the next byte; gives the one to hand on.
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

/// Changes a polling request's payload: packets with `0x1e` between them.
pub(crate) fn in_payload(payload: &mut [u8]) {
    for packet in payload.split_mut(|byte| *byte == 0x1e) {
        let mut scan = Scan::default();
        for byte in packet {
            *byte = scan.next(*byte);
        }
    }
}

/// Changes the masked frames of a browser (RFC 6455, section 5.2), in whatever chunks they are read.
#[derive(Debug, Default)]
pub(crate) struct FrameNames {
    header: HeaderReader,
    left: u64,
    mask: [u8; 4],
    /// Which byte of the mask is next.
    at: u8,
    scan: Scan,
    upgraded: bool,
}

impl FrameNames {
    /// Takes the next bytes, and changes them where they are.
    pub(crate) fn rewrite(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.left == 0 {
                self.header(*byte);
            } else {
                let mask = self.mask[usize::from(self.at)];
                self.upgraded |= self.scan == Scan::Start && *byte ^ mask == b'5';
                *byte = self.scan.next(*byte ^ mask) ^ mask;
                self.at = (self.at + 1) % 4;
                self.left -= 1;
            }
        }
    }

    /// Whether the packet was there by which a browser ends an upgrade (Engine.IO `5`).
    pub(crate) fn has_upgraded(&self) -> bool {
        self.upgraded
    }

    /// Takes a byte of a header. What is no valid header is the crate's to refuse.
    fn header(&mut self, byte: u8) {
        let Some(header) = self.header.take(byte) else {
            return;
        };
        self.left = header.length;
        self.mask = header.mask.unwrap_or_default();
        self.at = 0;
        // A text frame begins a packet; continuations and control frames between them go on with what there is.
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
        in_payload(&mut bytes);
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
    fn everything_else_stays_as_it_is() {
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
        fn frames_are_changed_as_payloads_are_whatever_the_chunks(
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
                    in_payload(&mut text);
                }
                frame(&text, *mask)
            }).collect::<Vec<u8>>();
            let (mut bytes, mut names) = (whole(false), FrameNames::default());
            for chunk in bytes.chunks_mut(chunk) {
                names.rewrite(chunk);
            }
            prop_assert_eq!(bytes, whole(true));
        }
    }
}
