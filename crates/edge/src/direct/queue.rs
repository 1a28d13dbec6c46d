//! The queue of one socket: complete frames in order. A part of the first one may have been written already. The queue
//! itself never writes.

use std::{collections::VecDeque, fmt, io::IoSlice};

use super::frame::Frame;

/// The memory of one item in addition to its frame, in bytes.
const ITEM_BYTES: usize = 64;
/// Frames of a lazy item are encoded in batches of about this many bytes.
const LAZY_BYTES: usize = 64 * 1024;
/// The most frames in one write.
pub(crate) const FRAMES_PER_WRITE: usize = 64;

/// An item of the queue.
pub(crate) enum QueueItem {
    Frame(Frame),
    /// Frames that are encoded when they are about to be written, so that a long replay needs little memory.
    Lazy(Box<dyn Iterator<Item = Frame> + Send>),
}

impl fmt::Debug for QueueItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => frame.fmt(f),
            Self::Lazy(_) => f.write_str("Lazy"),
        }
    }
}

impl QueueItem {
    /// Whether no direct frame may follow.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Frame(frame) if frame.is_last())
    }

    /// The memory that counts toward the limit, in bytes.
    pub(super) fn bytes(&self) -> usize {
        ITEM_BYTES
            + match self {
                Self::Frame(frame) => frame.len(),
                Self::Lazy(_) => 0,
            }
    }
}

/// Items in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Outside of `rest`, because mostly there is only one item, which then needs no allocation.
    first: Option<QueueItem>,
    /// Empty if there is no first item.
    rest: VecDeque<QueueItem>,
    bytes: usize,
    /// Bytes of the first frame that were written.
    written: usize,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The memory of all items, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether an item fits under a limit in bytes. Any item fits into an empty queue.
    pub(crate) fn fits(&self, item: &QueueItem, limit: usize) -> bool {
        self.is_empty() || self.bytes + item.bytes() <= limit
    }

    pub(crate) fn push(&mut self, item: QueueItem) {
        self.bytes += item.bytes();
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.rest.push_back(item),
        }
    }

    /// Adds a frame of which `written` bytes were written already. The queue is empty.
    pub(crate) fn push_partial(&mut self, frame: Frame, written: usize) {
        debug_assert!(self.is_empty(), "a partly written frame is the first");
        self.push(QueueItem::Frame(frame));
        self.written = written;
    }

    /// Appends another queue, of which nothing was written.
    pub(crate) fn append(&mut self, other: Self) {
        debug_assert_eq!(other.written, 0, "a partly written frame is the first");
        for item in other.first.into_iter().chain(other.rest) {
            self.push(item);
        }
    }

    /// The bytes to write next, if the queue holds one frame in one piece; otherwise see [`Self::next_slices`].
    pub(crate) fn next_piece(&self) -> Option<&[u8]> {
        match (&self.first, self.rest.is_empty()) {
            (Some(QueueItem::Frame(frame)), true) => frame.as_one_piece().map(|piece| &piece[self.written..]),
            _ => None,
        }
    }

    /// The bytes to write next, in order, of at most [`FRAMES_PER_WRITE`] frames. Empty if the queue is empty.
    pub(crate) fn next_slices(&mut self) -> Vec<IoSlice<'_>> {
        self.encode_lazy();
        let mut skip = self.written;
        let frames = self.first.iter().chain(&self.rest).map_while(|item| match item {
            QueueItem::Frame(frame) => Some(frame),
            QueueItem::Lazy(_) => None,
        });
        let slices = frames
            .take(FRAMES_PER_WRITE)
            .flat_map(|frame| frame.slices(std::mem::take(&mut skip)));
        slices.filter(|slice| !slice.is_empty()).collect()
    }

    /// If the first item is lazy, puts its next frames before it.
    fn encode_lazy(&mut self) {
        while let Some(QueueItem::Lazy(lazy)) = &mut self.first {
            let (mut frames, mut bytes) = (Vec::new(), 0);
            while bytes < LAZY_BYTES && frames.len() < FRAMES_PER_WRITE {
                let Some(frame) = lazy.next() else { break };
                bytes += frame.len();
                frames.push(QueueItem::Frame(frame));
            }
            if frames.is_empty() {
                self.bytes -= ITEM_BYTES;
                self.first = self.rest.pop_front();
                continue;
            }
            self.bytes += frames.iter().map(QueueItem::bytes).sum::<usize>();
            for item in self.first.take().into_iter().chain(frames.into_iter().rev()) {
                self.rest.push_front(item);
            }
            self.first = self.rest.pop_front();
        }
    }

    /// Removes this many bytes, which the kernel accepted. Returns the number of tracked events in the frames that are
    /// complete with them.
    pub(crate) fn advance(&mut self, mut accepted: usize) -> u64 {
        let mut tracked = 0;
        accepted += std::mem::take(&mut self.written);
        while let Some(QueueItem::Frame(frame)) = &self.first {
            if accepted < frame.len() {
                self.written = accepted;
                return tracked;
            }
            accepted -= frame.len();
            tracked += frame.tracked_events();
            self.bytes -= frame.len() + ITEM_BYTES;
            self.first = self.rest.pop_front();
        }
        debug_assert_eq!(accepted, 0, "no more is written than was queued");
        if self.rest.is_empty() && self.rest.capacity() > 0 {
            // An idle connection keeps no allocation.
            self.rest = VecDeque::new();
        }
        tracked
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        Replay(Vec<usize>),
        Write(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let size = || prop_oneof![0usize..200, 60_000usize..70_000];
        prop_oneof![
            size().prop_map(Step::Push),
            proptest::collection::vec(size(), 0..5).prop_map(Step::Replay),
            (1usize..200_000).prop_map(Step::Write),
        ]
    }

    proptest! {
        #[test]
        fn the_bytes_written_are_the_bytes_queued_however_many_the_kernel_accepts(
            steps in proptest::collection::vec(step(), 0..40)
        ) {
            let (mut queue, mut next, mut expected, mut written) = (Queue::default(), 0u8, Vec::new(), Vec::new());
            let (mut pushed, mut taken) = (0, 0);
            let mut frame = |size: usize, expected: &mut Vec<u8>| {
                next = next.wrapping_add(1);
                let frame = Frame::encoded(vec![next; size + 1].into(), 1);
                expected.extend(super::super::frame::tests::bytes(&frame));
                pushed += 1;
                frame
            };
            for step in steps.into_iter().chain(std::iter::repeat_n(Step::Write(usize::MAX), 100)) {
                match step {
                    Step::Push(size) => queue.push(QueueItem::Frame(frame(size, &mut expected))),
                    Step::Replay(sizes) => {
                        let frames: Vec<_> = sizes.iter().map(|size| frame(*size, &mut expected)).collect();
                        queue.push(QueueItem::Lazy(Box::new(frames.into_iter())));
                    }
                    Step::Write(most) => {
                        let (mut took, mut left) = (0, most);
                        for slice in queue.next_slices() {
                            let take = slice.len().min(left);
                            written.extend_from_slice(&slice[..take]);
                            took += take;
                            left -= take;
                        }
                        taken += queue.advance(took);
                    }
                }
            }
            prop_assert_eq!(taken, pushed);
            prop_assert!(queue.is_empty());
            prop_assert_eq!(queue.bytes(), 0);
            prop_assert!(written == expected);
        }
    }

    #[test]
    fn i7_a_full_queue_accepts_no_item_and_an_empty_one_accepts_any() {
        let item = |size: usize| QueueItem::Frame(Frame::encoded(vec![0; size].into(), 0));
        let mut queue = Queue::default();
        assert!(queue.fits(&item(5_000), 1_000));
        queue.push(item(436));
        assert!(queue.fits(&item(436), 1_000));
        queue.push(item(436));
        assert!(!queue.fits(&item(0), 1_000));
    }
}
