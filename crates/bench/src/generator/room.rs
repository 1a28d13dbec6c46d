//! A room of the load generator, and its events in flight.

use std::collections::VecDeque;

/// The number of sockets in a room, and the events that not all of them have received.
#[derive(Debug)]
pub(super) struct Room {
    sockets: u32,
    /// The number of the first event in flight, or of the next event if none is in flight.
    first_number: u64,
    in_flight: VecDeque<EventInFlight>,
}

#[derive(Debug)]
struct EventInFlight {
    due: u64,
    missing_deliveries: u32,
}

/// One delivery that was expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// When the event was due, in nanoseconds after the generator's start.
    pub(super) due: u64,
    /// Whether all sockets of the room have received the event.
    pub(super) completes_event: bool,
}

impl Room {
    pub(super) const fn new() -> Self {
        Self {
            sockets: 0,
            first_number: 1,
            in_flight: VecDeque::new(),
        }
    }

    pub(super) const fn add_socket(&mut self) {
        self.sockets += 1;
    }

    /// Adds an event that is due at this time, in nanoseconds after the generator's start. Returns its number; the first
    /// event has the number 1.
    pub(super) fn publish(&mut self, due: u64) -> u64 {
        self.in_flight.push_back(EventInFlight {
            due,
            missing_deliveries: self.sockets,
        });
        self.first_number + self.in_flight.len() as u64 - 1
    }

    /// Counts one delivery of an event; `None` if no socket still waits for it.
    #[inline]
    pub(super) fn deliver(&mut self, number: u64) -> Option<Delivery> {
        let index = usize::try_from(number.checked_sub(self.first_number)?).ok()?;
        let event = self.in_flight.get_mut(index)?;
        event.missing_deliveries = event.missing_deliveries.checked_sub(1)?;
        let delivery = Delivery {
            due: event.due,
            completes_event: event.missing_deliveries == 0,
        };
        while self
            .in_flight
            .front()
            .is_some_and(|event| event.missing_deliveries == 0)
        {
            self.in_flight.pop_front();
            self.first_number += 1;
        }
        Some(delivery)
    }

    /// The number of deliveries that are still missing.
    pub(super) fn missing_deliveries(&self) -> u64 {
        self.in_flight
            .iter()
            .map(|event| u64::from(event.missing_deliveries))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_delivery_completes_an_event() {
        let delivery = |due, completes_event| Some(Delivery { due, completes_event });
        let mut room = Room::new();
        room.add_socket();
        room.add_socket();
        assert_eq!((room.publish(10), room.publish(20)), (1, 2));
        assert_eq!(room.deliver(2), delivery(20, false));
        assert_eq!(room.deliver(1), delivery(10, false));
        assert_eq!(room.deliver(2), delivery(20, true));
        assert_eq!(room.missing_deliveries(), 1);
        assert_eq!(room.deliver(1), delivery(10, true));
        assert_eq!(room.missing_deliveries(), 0);
        assert_eq!(room.publish(30), 3);
        assert_eq!(room.deliver(1), None, "all sockets have received this event");
        assert_eq!(room.deliver(4), None, "this event was not published");
    }
}
