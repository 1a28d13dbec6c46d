//! A WebSocket text frame (RFC 6455, section 5.2) with one Socket.IO packet.
//!
//! A server's frames are not masked and no extension is negotiated, so that one frame serves all sockets that get the same
//! packet. If only the cursors at the end differ, the sockets share the bytes before the cursor.

use std::io::IoSlice;

use bytes::Bytes;
use roomcast_core::browser_event::BrowserEvent;

/// The first byte of a complete text message: FIN, opcode 1.
const TEXT: u8 = 0x81;

/// A complete frame: one piece, or three that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    body: Bytes,
    /// The header and the bytes after the body; `None` if `body` contains both.
    around: Option<Box<(Header, Bytes)>>,
    /// Events and acknowledgements in the frame that socketioxide's path counts when the kernel has accepted them.
    tracked_events: u32,
    is_last: bool,
}

/// The header of a frame, at most 10 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Header {
    bytes: [u8; 10],
    length: u8,
}

impl Header {
    fn text(payload: usize) -> Self {
        let mut header = Self::default();
        header.put(&[TEXT]);
        match payload {
            short @ 0..126 => header.put(&[short as u8]),
            medium @ 126..65_536 => {
                header.put(&[126]);
                header.put(&(medium as u16).to_be_bytes());
            }
            long => {
                header.put(&[127]);
                header.put(&(long as u64).to_be_bytes());
            }
        }
        header
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

    /// A text frame whose payload is these pieces, joined.
    fn of_pieces(pieces: &[&[u8]]) -> Self {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let header = Header::text(length);
        let mut frame = Vec::with_capacity(header.as_slice().len() + length);
        frame.extend_from_slice(header.as_slice());
        for piece in pieces {
            frame.extend_from_slice(piece);
        }
        Self::encoded(frame.into(), 0)
    }

    /// Bytes that are encoded already. `tracked_events`: see the field.
    pub(crate) fn encoded(body: Bytes, tracked_events: u32) -> Self {
        Self {
            body,
            around: None,
            tracked_events,
            is_last: false,
        }
    }

    /// An event and a cursor, in one piece.
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

    /// The bytes of an event's packet before the cursor.
    pub(crate) fn event_prefix(event: &BrowserEvent) -> String {
        format!(r#"42["{}",{},"#, event.name, event.payload)
    }

    /// An event whose bytes before the cursor are shared; see [`Self::event_prefix`].
    pub(crate) fn with_cursor(prefix: Bytes, cursor: &str) -> Self {
        let tail = format!(r#""{cursor}"]"#);
        let header = Header::text(prefix.len() + tail.len());
        Self {
            around: Some(Box::new((header, tail.into()))),
            ..Self::encoded(prefix, 0)
        }
    }

    /// An acknowledgement, by the id that the browser gave it.
    pub(crate) fn acknowledgement(id: i64, json: &str) -> Self {
        Self::text(format!("43{id}[{json}]"))
    }

    /// A Socket.IO DISCONNECT, the last direct frame.
    pub(crate) fn disconnect() -> Self {
        Self {
            is_last: true,
            ..Self::text("41")
        }
    }

    /// Whether no direct frame may follow.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Its length, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces().iter().map(|piece| piece.len()).sum()
    }

    pub(crate) fn tracked_events(&self) -> u64 {
        self.tracked_events.into()
    }

    /// The frame, if it is one piece: a plain write costs less than a vectored one.
    pub(crate) fn as_one_piece(&self) -> Option<&[u8]> {
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
            Some((header, tail)) => [header.as_slice(), &self.body, tail],
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// All bytes of a frame.
    pub(crate) fn bytes(frame: &Frame) -> Vec<u8> {
        frame.pieces().concat()
    }

    #[test]
    fn an_event_has_the_same_bytes_in_one_piece_and_with_a_shared_prefix() {
        for length in [0, 50, 100, 300, 70_000] {
            let event = BrowserEvent {
                name: "session-updated",
                payload: format!(r#""{}""#, "x".repeat(length)).into(),
            };
            let whole = bytes(&Frame::event(&event, "1;s1,0000000000ab,7"));
            let prefix = Frame::event_prefix(&event).into();
            let shared = Frame::with_cursor(prefix, "1;s1,0000000000ab,7");
            assert_eq!(bytes(&shared), whole);
            assert_eq!(shared.len(), whole.len());
            let skipped: Vec<u8> = shared.slices(5).iter().flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(skipped, whole[5..]);
        }
    }

    #[test]
    fn a_header_contains_the_length() {
        assert_eq!(&bytes(&Frame::text("41"))[..2], [0x81, 2]);
        assert_eq!(&bytes(&Frame::text("x".repeat(126)))[..4], [0x81, 126, 0, 126]);
        let long = Frame::text("x".repeat(65_536));
        assert_eq!(&bytes(&long)[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(
            bytes(&Frame::acknowledgement(7, "{}")),
            b"\x81\x0743".iter().chain(b"7[{}]").copied().collect::<Vec<_>>()
        );
    }
}
