//! What leaves for a browser: a WebSocket text frame (RFC 6455, section 5.2) with one Socket.IO packet.
//!
//! A server's frames are unmasked and no extension is negotiated, so one frame serves every socket that gets the
//! same packet, and an event's payload is shared also where the cursors after it differ.

use std::io::IoSlice;

use bytes::Bytes;
use roomcast_core::browser_event::BrowserEvent;

/// The first byte of a whole text message.
const TEXT: u8 = 0x81;

/// A whole frame: in one piece, or in three that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    body: Bytes,
    /// What is before and after the body.
    around: Option<Box<(Head, Bytes)>>,
    /// Events and acknowledgements in it for which somebody waits until the kernel took them.
    awaited: u32,
    last: bool,
}

/// The header of a frame, at most 10 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Head {
    bytes: [u8; 10],
    length: u8,
}

impl Head {
    fn text(payload: usize) -> Self {
        let mut head = Self::default();
        head.put(&[TEXT]);
        match payload {
            short @ 0..126 => head.put(&[short as u8]),
            medium @ 126..65_536 => {
                head.put(&[126]);
                head.put(&(medium as u16).to_be_bytes());
            }
            long => {
                head.put(&[127]);
                head.put(&(long as u64).to_be_bytes());
            }
        }
        head
    }

    fn put(&mut self, bytes: &[u8]) {
        let at = usize::from(self.length);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Frame {
    /// A text frame with this payload.
    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::of_pieces(&[payload.as_ref()])
    }

    /// A text frame with a payload that is these pieces together.
    fn of_pieces(pieces: &[&[u8]]) -> Self {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let head = Head::text(length);
        let mut frame = Vec::with_capacity(head.as_slice().len() + length);
        frame.extend_from_slice(head.as_slice());
        for piece in pieces {
            frame.extend_from_slice(piece);
        }
        Self::whole(frame.into(), 0)
    }

    /// Bytes that are whole frames already.
    pub(crate) fn whole(body: Bytes, awaited: u32) -> Self {
        Self {
            body,
            around: None,
            awaited,
            last: false,
        }
    }

    /// An event with the cursor after it, in one piece.
    pub(crate) fn event(event: &BrowserEvent, cursor: &str) -> Self {
        let pieces = [
            r#"42[""#,
            event.name,
            r#"","#,
            &event.payload,
            r#",""#,
            cursor,
            r#""]"#,
        ];
        Self::of_pieces(&pieces.map(str::as_bytes))
    }

    /// The beginning of an event's packet, which is the same for all.
    pub(crate) fn opening(event: &BrowserEvent) -> String {
        format!(r#"42["{}",{},"#, event.name, event.payload)
    }

    /// An event with a cursor of its own after it; the rest is shared.
    pub(crate) fn with_cursor(opening: Bytes, cursor: &str) -> Self {
        let tail = format!(r#""{cursor}"]"#);
        let head = Head::text(opening.len() + tail.len());
        Self {
            around: Some(Box::new((head, tail.into()))),
            ..Self::whole(opening, 0)
        }
    }

    /// An acknowledgement of a question by its number.
    pub(crate) fn ack(number: i64, json: &str) -> Self {
        Self::text(format!("43{number}[{json}]"))
    }

    /// A Socket.IO DISCONNECT, after which nothing of ours comes.
    pub(crate) fn disconnect() -> Self {
        Self {
            last: true,
            ..Self::text("41")
        }
    }

    /// Whether nothing of ours comes after it.
    pub(crate) fn is_last(&self) -> bool {
        self.last
    }

    /// Its bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces().iter().map(|piece| piece.len()).sum()
    }

    /// Events and acknowledgements in it that are waited for.
    pub(crate) fn awaited(&self) -> u64 {
        self.awaited.into()
    }

    /// All of it, where it is in one piece: a plain write costs less than a vectored one.
    pub(crate) fn one_piece(&self) -> Option<&[u8]> {
        self.around.is_none().then_some(&self.body)
    }

    /// Its pieces after the first `skip` bytes; some may be empty.
    pub(crate) fn slices(&self, mut skip: usize) -> [IoSlice<'_>; 3] {
        self.pieces().map(|piece| {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            IoSlice::new(&piece[skipped..])
        })
    }

    fn pieces(&self) -> [&[u8]; 3] {
        match self.around.as_deref() {
            None => [&[], &self.body, &[]],
            Some((head, tail)) => [head.as_slice(), &self.body, tail],
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All bytes of a frame.
    pub(crate) fn bytes(frame: &Frame) -> Vec<u8> {
        frame.pieces().concat()
    }

    #[test]
    fn an_event_in_one_piece_and_one_with_a_cursor_of_its_own_are_the_same_bytes() {
        for length in [0, 50, 100, 300, 70_000] {
            let event = BrowserEvent {
                name: "session-updated",
                payload: format!(r#""{}""#, "x".repeat(length)).into(),
            };
            let whole = bytes(&Frame::event(&event, "1;s1,0000000000ab,7"));
            let opening = Frame::opening(&event).into();
            let shared = Frame::with_cursor(opening, "1;s1,0000000000ab,7");
            assert_eq!(bytes(&shared), whole);
            assert_eq!(shared.len(), whole.len());
            let skipped: Vec<u8> = shared.slices(5).iter().flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(skipped, whole[5..]);
        }
    }

    #[test]
    fn a_header_says_the_length() {
        assert_eq!(&bytes(&Frame::text("41"))[..2], [0x81, 2]);
        assert_eq!(&bytes(&Frame::text("x".repeat(126)))[..4], [0x81, 126, 0, 126]);
        let long = Frame::text("x".repeat(65_536));
        assert_eq!(&bytes(&long)[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(
            bytes(&Frame::ack(7, "{}")),
            b"\x81\x0743".iter().chain(b"7[{}]").copied().collect::<Vec<_>>()
        );
    }
}
