//! What waits for one browser's kernel buffer: whole frames in order, of the first of which a part may be gone.
//! Pure: it never writes itself.

use std::{collections::VecDeque, fmt, io::IoSlice};

use super::frame::Frame;

/// What one part costs beside its bytes.
const PART_BYTES: usize = 64;
/// How much of a lazy part is made into frames at once, in bytes.
const LAZY_BYTES: usize = 64 * 1024;
/// Frames that one write takes at most.
pub(crate) const FRAMES_A_WRITE: usize = 64;

/// Something to write.
pub(crate) enum Part {
    Frame(Frame),
    /// Frames that are made when their turn has come: a long replay that waits costs little.
    Lazy(Box<dyn Iterator<Item = Frame> + Send>),
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => frame.fmt(f),
            Self::Lazy(_) => f.write_str("Lazy"),
        }
    }
}

impl Part {
    /// Whether nothing of ours comes after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Frame(frame) if frame.is_last())
    }

    /// What it costs, in bytes.
    pub(super) fn bytes(&self) -> usize {
        PART_BYTES
            + match self {
                Self::Frame(frame) => frame.len(),
                Self::Lazy(_) => 0,
            }
    }
}

/// Parts in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The first one, since mostly there is no other: it needs no memory of its own.
    first: Option<Part>,
    /// Empty where there is no first one.
    rest: VecDeque<Part>,
    bytes: usize,
    /// Bytes of the first frame that are gone.
    gone: usize,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What the parts cost, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a part fits under a cap; any one fits into an empty queue.
    pub(crate) fn fits(&self, part: &Part, cap: usize) -> bool {
        self.is_empty() || self.bytes + part.bytes() <= cap
    }

    pub(crate) fn push(&mut self, part: Part) {
        self.bytes += part.bytes();
        match self.first {
            None => self.first = Some(part),
            Some(_) => self.rest.push_back(part),
        }
    }

    /// Takes a frame of which `gone` bytes were written already, into an empty queue.
    pub(crate) fn begin(&mut self, frame: Frame, gone: usize) {
        debug_assert!(self.is_empty(), "a frame that was begun comes first");
        self.push(Part::Frame(frame));
        self.gone = gone;
    }

    /// Appends what waits in another queue of which nothing is gone.
    pub(crate) fn append(&mut self, other: Self) {
        debug_assert_eq!(other.gone, 0, "a frame that was begun comes first");
        for part in other.first.into_iter().chain(other.rest) {
            self.push(part);
        }
    }

    /// What is to be written next, where that is one piece. Otherwise [`Self::next_slices`] says it.
    pub(crate) fn next_piece(&self) -> Option<&[u8]> {
        match (&self.first, self.rest.is_empty()) {
            (Some(Part::Frame(frame)), true) => frame.one_piece().map(|piece| &piece[self.gone..]),
            _ => None,
        }
    }

    /// The bytes to write next, in order; no more than [`FRAMES_A_WRITE`] frames. None: there is nothing to write.
    pub(crate) fn next_slices(&mut self) -> Vec<IoSlice<'_>> {
        self.make_frames();
        let mut skip = self.gone;
        let frames = self.first.iter().chain(&self.rest).map_while(|part| match part {
            Part::Frame(frame) => Some(frame),
            Part::Lazy(_) => None,
        });
        let slices = frames
            .take(FRAMES_A_WRITE)
            .flat_map(|frame| frame.slices(std::mem::take(&mut skip)));
        slices.filter(|slice| !slice.is_empty()).collect()
    }

    /// Where a lazy part is first: puts its next frames before it.
    fn make_frames(&mut self) {
        while let Some(Part::Lazy(lazy)) = &mut self.first {
            let (mut frames, mut bytes) = (Vec::new(), 0);
            while bytes < LAZY_BYTES && frames.len() < FRAMES_A_WRITE {
                let Some(frame) = lazy.next() else { break };
                bytes += frame.len();
                frames.push(Part::Frame(frame));
            }
            if frames.is_empty() {
                self.bytes -= PART_BYTES;
                self.first = self.rest.pop_front();
                continue;
            }
            self.bytes += frames.iter().map(Part::bytes).sum::<usize>();
            for part in self.first.take().into_iter().chain(frames.into_iter().rev()) {
                self.rest.push_front(part);
            }
            self.first = self.rest.pop_front();
        }
    }

    /// The kernel took this many of the next bytes. Says how many events that are waited for were the last of them.
    pub(crate) fn advance(&mut self, mut taken: usize) -> u64 {
        let mut awaited = 0;
        taken += std::mem::take(&mut self.gone);
        while let Some(Part::Frame(frame)) = &self.first {
            if taken < frame.len() {
                self.gone = taken;
                return awaited;
            }
            taken -= frame.len();
            awaited += frame.awaited();
            self.bytes -= frame.len() + PART_BYTES;
            self.first = self.rest.pop_front();
        }
        debug_assert_eq!(taken, 0, "no more is taken than was there");
        if self.rest.is_empty() && self.rest.capacity() > 0 {
            // An idle connection keeps no memory of busier days.
            self.rest = VecDeque::new();
        }
        awaited
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
        fn what_comes_out_is_what_went_in_whatever_the_kernel_takes(
            steps in proptest::collection::vec(step(), 0..40)
        ) {
            let (mut queue, mut next, mut expected, mut written) = (Queue::default(), 0u8, Vec::new(), Vec::new());
            let (mut pushed, mut taken) = (0, 0);
            let mut frame = |size: usize, expected: &mut Vec<u8>| {
                next = next.wrapping_add(1);
                let frame = Frame::whole(vec![next; size + 1].into(), 1);
                expected.extend(super::super::frame::tests::bytes(&frame));
                pushed += 1;
                frame
            };
            for step in steps.into_iter().chain(std::iter::repeat_n(Step::Write(usize::MAX), 100)) {
                match step {
                    Step::Push(size) => queue.push(Part::Frame(frame(size, &mut expected))),
                    Step::Replay(sizes) => {
                        let frames: Vec<_> = sizes.iter().map(|size| frame(*size, &mut expected)).collect();
                        queue.push(Part::Lazy(Box::new(frames.into_iter())));
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
    fn a_full_queue_takes_no_more_but_any_one_part() {
        let part = |size: usize| Part::Frame(Frame::whole(vec![0; size].into(), 0));
        let mut queue = Queue::default();
        assert!(queue.fits(&part(5_000), 1_000));
        queue.push(part(436));
        assert!(queue.fits(&part(436), 1_000));
        queue.push(part(436));
        assert!(!queue.fits(&part(0), 1_000));
    }
}
