//! The header of a WebSocket frame (RFC 6455, section 5.2), read byte by byte, because frames arrive in chunks of any size.

/// A complete header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The first byte: the FIN bit, the bits of extensions, and the opcode.
    pub(crate) first: u8,
    /// The length of the payload, in bytes.
    pub(crate) length: u64,
    /// The masking key; a browser's frames have one.
    pub(crate) mask: Option<[u8; 4]>,
}

impl FrameHeader {
    /// 0 continues a message, 1 is text, 2 binary; the others are control frames.
    pub(crate) fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    /// Whether the frame is a complete message, or a control frame.
    pub(crate) fn is_complete(&self) -> bool {
        self.first & 0x80 != 0 && self.opcode() != 0
    }

    /// Whether an extension has set one of its bits.
    pub(crate) fn has_extension(&self) -> bool {
        self.first & 0x70 != 0
    }
}

/// Reads headers.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    bytes: [u8; 14],
    length: u8,
}

impl HeaderReader {
    /// Takes the next byte. Returns the header when it is complete; the next byte then begins another header.
    pub(crate) fn take(&mut self, byte: u8) -> Option<FrameHeader> {
        self.bytes[usize::from(self.length)] = byte;
        self.length += 1;
        if self.length < 2 {
            return None;
        }
        let (masked, short) = (self.bytes[1] & 0x80 != 0, self.bytes[1] & 0x7f);
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask_at = 2 + extended;
        if usize::from(self.length) < mask_at + if masked { 4 } else { 0 } {
            return None;
        }
        self.length = 0;
        let long = self.bytes[2..mask_at].iter();
        let long = long.fold(0, |length, byte| length << 8 | u64::from(*byte));
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.bytes[mask_at..mask_at + 4]);
        Some(FrameHeader {
            first: self.bytes[0],
            length: if extended == 0 { u64::from(short) } else { long },
            mask: masked.then_some(mask),
        })
    }
}
