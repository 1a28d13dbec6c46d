//! WebSocket frames (RFC 6455, section 5.2), as far as a benchmark meets them: whole, unfragmented, without
//! extensions.

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A text frame and how many bytes it takes.
    Text { payload: &'a [u8], used: usize },
    /// A control frame: its opcode and how many bytes it takes.
    Control { opcode: u8, used: usize },
    /// The end is missing.
    Incomplete,
    /// No frame that a server may send here.
    Bad,
}

/// Opcode of a close frame.
pub(crate) const CLOSE: u8 = 8;

/// Reads one frame of a server.
#[inline]
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let &[first, second, ..] = bytes else {
        return Parsed::Incomplete;
    };
    let (header, length) = match second {
        0..=125 => (2, usize::from(second)),
        126 => match bytes {
            [_, _, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            _ => return Parsed::Incomplete,
        },
        127 => match bytes.get(2..10).and_then(|long| long.try_into().ok()) {
            Some(long) => match usize::try_from(u64::from_be_bytes(long)) {
                Ok(length) if length <= MAX_PAYLOAD => (10, length),
                _ => return Parsed::Bad,
            },
            None => return Parsed::Incomplete,
        },
        128.. => return Parsed::Bad,
    };
    let used = header + length;
    let Some(payload) = bytes.get(header..used) else {
        return Parsed::Incomplete;
    };
    match first {
        0x81 => Parsed::Text { payload, used },
        0x88..=0x8a => Parsed::Control {
            opcode: first & 0x0f,
            used,
        },
        _ => Parsed::Bad,
    }
}

/// The largest payload that is taken, in bytes: less than the buffer that it is read into.
const MAX_PAYLOAD: usize = 128 * 1024;

/// Writes a text frame of a client. The key of its mask is zero, which the protocol allows and which leaves the
/// payload as it is.
pub(crate) fn masked_text(text: &str, out: &mut Vec<u8>) {
    out.push(0x81);
    push_length(text.len(), 0x80, out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text.as_bytes());
}

/// Writes a text frame of a server.
pub(crate) fn text(text: &[u8], out: &mut Vec<u8>) {
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
    fn a_frame_of_any_length_is_read_as_it_was_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut frame = vec![];
            text(&payload, &mut frame);
            let used = frame.len();
            frame.extend_from_slice(b"\x81\x01");
            assert_eq!(
                parse(&frame),
                Parsed::Text {
                    payload: &payload,
                    used
                }
            );
            for missing in [1, used - 1, used] {
                assert_eq!(parse(&frame[..used - missing]), Parsed::Incomplete, "{length}");
            }
        }
    }

    #[test]
    fn what_no_server_sends_is_bad() {
        for bad in [
            [0x81, 0x80, 0, 0, 0, 0].as_slice(), // masked
            &[0x01, 0],                          // a fragment
            &[0x82, 0],                          // binary
            &[0xc1, 0],                          // compressed
            &[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(parse(bad), Parsed::Bad, "{bad:x?}");
        }
        assert_eq!(
            parse(&[0x88, 0]),
            Parsed::Control {
                opcode: CLOSE,
                used: 2
            }
        );
    }

    #[test]
    fn a_clients_frame_says_that_it_is_masked() {
        let mut frame = vec![];
        masked_text("40", &mut frame);
        assert_eq!(frame, [0x81, 0x82, 0, 0, 0, 0, b'4', b'0']);
    }
}
