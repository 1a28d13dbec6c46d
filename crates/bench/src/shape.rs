//! How many sockets, rooms and processes a measurement has.

/// A crowd's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// How many sockets connect.
    pub(crate) sockets: usize,
    /// How many of them are in one room.
    pub(crate) room: usize,
    /// Whether all are of one user, who shows one token, rather than of a few for each room.
    pub(crate) has_one_user: bool,
    /// How many edges they connect to, where the peer has such.
    pub(crate) edges: usize,
    /// How many control planes feed those.
    pub(crate) control_planes: usize,
    /// Whether events are published in batches, where the peer has such.
    pub(crate) in_bulk: bool,
}

/// The most participants that a session has here: a larger room has many sockets of the same users.
const MOST_USERS: usize = 4;
/// The users of a room that is larger.
const USERS_OF_LARGE: usize = 3;

impl Shape {
    /// So many sockets in rooms of this size, with one process of each kind.
    pub(crate) const fn new(sockets: usize, room: usize) -> Self {
        Self {
            sockets,
            room,
            has_one_user: false,
            edges: 1,
            control_planes: 1,
            in_bulk: true,
        }
    }

    /// Each socket's room. Neighbours are in different rooms.
    pub(crate) fn rooms(&self) -> Vec<u32> {
        let rooms = self.room_count();
        (0..self.sockets).map(|socket| (socket % rooms) as u32).collect()
    }

    /// How many rooms there are.
    pub(crate) fn room_count(&self) -> usize {
        (self.sockets / self.room).max(1)
    }

    /// Each room's users.
    pub(crate) fn casts(&self) -> Vec<Vec<String>> {
        if self.has_one_user {
            return vec![vec!["u0".to_owned()]; self.room_count()];
        }
        let users = if self.room > MOST_USERS {
            USERS_OF_LARGE
        } else {
            self.room
        };
        (0..self.room_count())
            .map(|room| {
                (0..users)
                    .map(|user| format!("u{}", room * users + user))
                    .collect()
            })
            .collect()
    }

    /// Each socket's user: those of its room by turns.
    pub(crate) fn users(&self) -> Vec<String> {
        let (rooms, casts) = (self.room_count(), self.casts());
        (0..self.sockets)
            .map(|socket| {
                let cast = &casts[socket % rooms];
                cast[socket / rooms % cast.len()].clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_rooms_have_a_user_for_each_socket() {
        let shape = Shape::new(12, 4);
        let mut users = shape.users();
        assert_eq!(shape.rooms(), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(users[3], shape.casts()[0][1]);
        users.sort();
        users.dedup();
        assert_eq!(users.len(), 12);
    }

    #[test]
    fn large_rooms_have_many_sockets_of_three_users() {
        let shape = Shape::new(100, 50);
        assert_eq!(shape.casts().iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
        for (user, room) in shape.users().iter().zip(shape.rooms()) {
            assert!(shape.casts()[room as usize].contains(user));
        }
    }
}
