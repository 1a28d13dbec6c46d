//! Cuts what the crate writes into whole WebSocket frames (RFC 6455, section 5.2), in whatever chunks it comes, so
//! that frames of ours can go between them, and says of each what matters here.
//!
//! Server frames are unmasked, and neither extensions nor fragments are used: whatever else comes is an error.

use std::io;

use bytes::BytesMut;

use crate::packet::frame_header::HeaderReader;

/// The name of an event that never reaches a browser: what comes after it goes the direct path.
pub(crate) const SENTINEL: &str = "~";

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Socket.IO CONNECT.
    Connect,
    /// The event named [`SENTINEL`].
    Sentinel,
    /// Another event, or an acknowledgement.
    Event,
    /// A WebSocket close.
    Close,
    Other,
}

impl Kind {
    fn of(opcode: u8, payload: &[u8]) -> Self {
        match opcode {
            8 => Self::Close,
            1 if payload.starts_with(b"40") => Self::Connect,
            1 if payload.starts_with(b"42[\"~\"") => Self::Sentinel,
            1 if payload.starts_with(b"42") || payload.starts_with(b"43") => Self::Event,
            _ => Self::Other,
        }
    }
}

/// A whole frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<'a> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
    /// Where its payload begins.
    pub(crate) payload_at: usize,
}

/// What there is of a frame that is not whole yet; mostly nothing.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    rest: BytesMut,
}

impl Cutter {
    /// Takes the next bytes; hands on each frame that is whole with them.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Cut<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.rest.is_empty() {
            let rest = cut_all(bytes, &mut each)?;
            self.rest.extend_from_slice(rest);
            return Ok(());
        }
        self.rest.extend_from_slice(bytes);
        let rest = cut_all(&self.rest, &mut each)?.len();
        self.rest = self.rest.split_off(self.rest.len() - rest);
        Ok(())
    }
}

/// Gives what is left.
fn cut_all<'a>(
    mut bytes: &'a [u8],
    each: &mut impl FnMut(Cut<'_>) -> io::Result<()>,
) -> io::Result<&'a [u8]> {
    let mut reader = HeaderReader::default();
    while let Some((last, header)) = bytes
        .iter()
        .enumerate()
        .find_map(|(at, byte)| Some((at, reader.take(*byte)?)))
    {
        if header.mask.is_some() || header.is_extended() || !header.is_whole() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a server's frame that is masked, extended or a fragment",
            ));
        }
        let payload_at = last + 1;
        let payload = usize::try_from(header.length).map_err(io::Error::other)?;
        if bytes.len() - payload_at < payload {
            break;
        }
        let (frame, rest) = bytes.split_at(payload_at + payload);
        each(Cut {
            kind: Kind::of(header.opcode(), &frame[payload_at..]),
            bytes: frame,
            payload_at,
        })?;
        bytes = rest;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::direct::frame::{Frame, tests::bytes};

    fn cut(chunks: &[&[u8]]) -> Vec<(Kind, Vec<u8>)> {
        let (mut cutter, mut cuts) = (Cutter::default(), Vec::new());
        for chunk in chunks {
            let each = |cut: Cut<'_>| {
                cuts.push((cut.kind, cut.bytes[cut.payload_at..].to_vec()));
                Ok(())
            };
            cutter.take(chunk, each).unwrap();
        }
        assert!(cutter.rest.is_empty());
        cuts
    }

    proptest! {
        #[test]
        fn frames_are_cut_whatever_the_chunks(
            frames in proptest::collection::vec((0usize..5, 0usize..70_000), 0..8),
            chunks in proptest::collection::vec(1usize..5_000, 1..40),
        ) {
            let kinds = [
                ("40{\"sid\":", Kind::Connect),
                ("42[\"~\"", Kind::Sentinel),
                ("42[\"a\"", Kind::Event),
                ("43", Kind::Event),
                ("2", Kind::Other),
            ];
            let (mut all, mut expected) = (Vec::new(), Vec::new());
            for (kind, length) in frames {
                let (start, kind) = kinds[kind];
                let payload = format!("{start}{}", "x".repeat(length));
                all.extend(bytes(&Frame::text(&payload)));
                expected.push((kind, payload.into_bytes()));
            }
            let (mut pieces, mut rest) = (Vec::new(), &all[..]);
            for chunk in chunks.iter().cycle() {
                let (piece, later) = rest.split_at((*chunk).min(rest.len()));
                pieces.push(piece);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(cut(&pieces) == expected);
        }
    }

    #[test]
    fn what_can_not_be_a_servers_frame_is_an_error() {
        for bytes in [[0x81, 0x80], [0xc1, 0], [0x01, 0], [0x00, 0]] {
            let bytes = [&bytes[..], &[0; 4]].concat();
            Cutter::default().take(&bytes, |_| Ok(())).unwrap_err();
        }
        assert_eq!(cut(&[&[0x88, 0]]), [(Kind::Close, Vec::new())]);
    }
}
