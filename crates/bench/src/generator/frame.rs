//! WebSocket frames (RFC 6455, section 5.2). Fragments and extensions are not supported.

/// The first frame in a buffer. `used` is the length of the frame, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ParsedFrame<'a> {
    /// A complete text frame. `payload` does not contain the header.
    Text { payload: &'a [u8], used: usize },
    /// A control frame.
    Control { opcode: u8, used: usize },
    /// The end of the frame is missing.
    Incomplete,
    /// Not a supported frame of a server.
    Invalid,
}

/// The opcode of a close frame.
pub(super) const CLOSE: u8 = 8;

/// The largest supported payload in bytes, which is smaller than the read buffer.
const MAX_PAYLOAD_BYTES: usize = 128 * 1024;

/// Parses the first frame that a server has sent.
#[inline]
pub(super) fn parse(bytes: &[u8]) -> ParsedFrame<'_> {
    let &[first, second, ..] = bytes else {
        return ParsedFrame::Incomplete;
    };
    let (header, length) = match second {
        0..=125 => (2, usize::from(second)),
        126 => match bytes {
            [_, _, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            _ => return ParsedFrame::Incomplete,
        },
        127 => match bytes.get(2..10).and_then(|long| long.try_into().ok()) {
            Some(long) => match usize::try_from(u64::from_be_bytes(long)) {
                Ok(length) if length <= MAX_PAYLOAD_BYTES => (10, length),
                _ => return ParsedFrame::Invalid,
            },
            None => return ParsedFrame::Incomplete,
        },
        128.. => return ParsedFrame::Invalid,
    };
    let used = header + length;
    let Some(payload) = bytes.get(header..used) else {
        return ParsedFrame::Incomplete;
    };
    match first {
        0x81 => ParsedFrame::Text { payload, used },
        0x88..=0x8a => ParsedFrame::Control {
            opcode: first & 0x0f,
            used,
        },
        _ => ParsedFrame::Invalid,
    }
}

/// Appends a client's text frame. Its masking key is zero, which the protocol allows and which leaves the payload
/// unchanged.
pub(super) fn push_masked_text(text: &str, out: &mut Vec<u8>) {
    out.push(0x81);
    push_length(text.len(), 0x80, out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a server's text frame.
pub(crate) fn push_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(0x81);
    push_length(text.len(), 0, out);
    out.extend_from_slice(text);
}

fn push_length(length: usize, mask: u8, out: &mut Vec<u8>) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => out.push(mask | short),
        (_, Ok(medium)) => {
            out.push(mask | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_returns_the_payload_that_was_written_whatever_its_length() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut frame = vec![];
            push_text(&payload, &mut frame);
            let used = frame.len();
            frame.extend_from_slice(b"\x81\x01");
            assert_eq!(
                parse(&frame),
                ParsedFrame::Text {
                    payload: &payload,
                    used
                }
            );
            for missing in [1, used - 1, used] {
                assert_eq!(
                    parse(&frame[..used - missing]),
                    ParsedFrame::Incomplete,
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn frames_that_a_server_must_not_send_are_invalid() {
        for invalid in [
            [0x81, 0x80, 0, 0, 0, 0].as_slice(), // masked
            &[0x01, 0],                          // a fragment
            &[0x82, 0],                          // binary
            &[0xc1, 0],                          // compressed
            &[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(parse(invalid), ParsedFrame::Invalid, "{invalid:x?}");
        }
        assert_eq!(
            parse(&[0x88, 0]),
            ParsedFrame::Control {
                opcode: CLOSE,
                used: 2
            }
        );
    }

    #[test]
    fn a_frame_of_a_client_is_masked() {
        let mut frame = vec![];
        push_masked_text("40", &mut frame);
        assert_eq!(frame, [0x81, 0x82, 0, 0, 0, 0, b'4', b'0']);
    }
}
