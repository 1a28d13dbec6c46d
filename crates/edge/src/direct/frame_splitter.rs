//! Splits what socketioxide writes, in chunks of any size, into complete WebSocket frames (RFC 6455, section 5.2), so that
//! direct frames can go between them.
//!
//! A server's frames are not masked, and socketioxide uses neither extensions nor fragments. Any other frame is an error.

use std::io;

use bytes::BytesMut;

use crate::packet::frame_header::HeaderReader;

/// The name of the last event that is sent through socketioxide when the direct path replaces polling. It never reaches a
/// browser.
pub(crate) const SENTINEL: &str = "~";

/// The kinds of frames that the wire treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
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

impl FrameKind {
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

/// A complete frame of socketioxide.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawFrame<'a> {
    pub(crate) kind: FrameKind,
    pub(crate) bytes: &'a [u8],
    /// The offset of its payload in `bytes`.
    pub(crate) payload_at: usize,
}

/// Splits a byte stream into frames.
#[derive(Debug, Default)]
pub(crate) struct FrameSplitter {
    /// The beginning of a frame that is not complete yet; mostly empty.
    rest: BytesMut,
}

impl FrameSplitter {
    /// Takes the next bytes and passes each frame that is complete with them to `each`.
    pub(crate) fn split(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(RawFrame<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.rest.is_empty() {
            let rest = split_all(bytes, &mut each)?;
            self.rest.extend_from_slice(rest);
            return Ok(());
        }
        self.rest.extend_from_slice(bytes);
        let rest = split_all(&self.rest, &mut each)?.len();
        self.rest = self.rest.split_off(self.rest.len() - rest);
        Ok(())
    }
}

/// Returns the bytes of the last, incomplete frame.
fn split_all<'a>(
    mut bytes: &'a [u8],
    each: &mut impl FnMut(RawFrame<'_>) -> io::Result<()>,
) -> io::Result<&'a [u8]> {
    let mut reader = HeaderReader::default();
    while let Some((last, header)) = bytes
        .iter()
        .enumerate()
        .find_map(|(at, byte)| Some((at, reader.take(*byte)?)))
    {
        if header.mask.is_some() || header.has_extension() || !header.is_complete() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "socketioxide wrote a frame that is masked, extended or a fragment",
            ));
        }
        let payload_at = last + 1;
        let payload = usize::try_from(header.length).map_err(io::Error::other)?;
        if bytes.len() - payload_at < payload {
            break;
        }
        let (frame, rest) = bytes.split_at(payload_at + payload);
        each(RawFrame {
            kind: FrameKind::of(header.opcode(), &frame[payload_at..]),
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

    fn split(chunks: &[&[u8]]) -> Vec<(FrameKind, Vec<u8>)> {
        let (mut splitter, mut frames) = (FrameSplitter::default(), Vec::new());
        for chunk in chunks {
            let each = |frame: RawFrame<'_>| {
                frames.push((frame.kind, frame.bytes[frame.payload_at..].to_vec()));
                Ok(())
            };
            splitter.split(chunk, each).unwrap();
        }
        assert!(splitter.rest.is_empty());
        frames
    }

    proptest! {
        #[test]
        fn frames_are_found_in_chunks_of_any_size(
            frames in proptest::collection::vec((0usize..5, 0usize..70_000), 0..8),
            chunks in proptest::collection::vec(1usize..5_000, 1..40),
        ) {
            let kinds = [
                ("40{\"sid\":", FrameKind::Connect),
                ("42[\"~\"", FrameKind::Sentinel),
                ("42[\"a\"", FrameKind::Event),
                ("43", FrameKind::Event),
                ("2", FrameKind::Other),
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
            prop_assert!(split(&pieces) == expected);
        }
    }

    #[test]
    fn a_frame_that_a_server_never_sends_is_an_error() {
        for bytes in [[0x81, 0x80], [0xc1, 0], [0x01, 0], [0x00, 0]] {
            let bytes = [&bytes[..], &[0; 4]].concat();
            FrameSplitter::default().split(&bytes, |_| Ok(())).unwrap_err();
        }
        assert_eq!(split(&[&[0x88, 0]]), [(FrameKind::Close, Vec::new())]);
    }
}
