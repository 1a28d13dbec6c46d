//! The header of a WebSocket frame (RFC 6455, section 5.2), taken byte by byte, in whatever chunks the frame comes.

/// A whole header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The first byte: whether the frame is the last of its message, extensions, and the kind.
    pub(crate) first: u8,
    /// Bytes of the payload.
    pub(crate) length: u64,
    /// What the payload is masked with; a browser's is.
    pub(crate) mask: Option<[u8; 4]>,
}

impl FrameHeader {
    /// The kind: 0 goes on with a message, 1 is text, 2 binary, the others control.
    pub(crate) fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    /// Whether it is a whole message, or a control frame.
    pub(crate) fn is_whole(&self) -> bool {
        self.first & 0x80 != 0 && self.opcode() != 0
    }

    /// Whether an extension has marked it.
    pub(crate) fn is_extended(&self) -> bool {
        self.first & 0x70 != 0
    }
}

/// What there is of a header.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    bytes: [u8; 14],
    have: u8,
}

impl HeaderReader {
    /// Takes the next byte; gives the header once it is whole, and is then ready for the next one.
    pub(crate) fn take(&mut self, byte: u8) -> Option<FrameHeader> {
        self.bytes[usize::from(self.have)] = byte;
        self.have += 1;
        if self.have < 2 {
            return None;
        }
        let (masked, short) = (self.bytes[1] & 0x80 != 0, self.bytes[1] & 0x7f);
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask_at = 2 + extended;
        if usize::from(self.have) < mask_at + if masked { 4 } else { 0 } {
            return None;
        }
        self.have = 0;
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
