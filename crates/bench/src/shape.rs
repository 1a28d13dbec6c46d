//! How many sockets, rooms and processes a measurement has.

/// The size of a deployment and of its load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) sockets: usize,
    /// Divides `sockets` without remainder.
    pub(crate) sockets_per_room: usize,
    /// Whether all sockets belong to one user and use one token. Otherwise each room has users of its own.
    pub(crate) has_one_user: bool,
    /// How many edges the sockets connect to. Only Roomcast has edges.
    pub(crate) edges: usize,
    /// How many control planes feed the edges. Only Roomcast has control planes.
    pub(crate) control_planes: usize,
    /// Whether events are published in batches on streams instead of unary calls. Only Roomcast has both.
    pub(crate) uses_streams: bool,
}

/// The maximum number of users in a small room, where each socket has a user of its own.
const MAX_USERS_PER_SMALL_ROOM: usize = 4;
/// The number of users in a larger room, where each user has many sockets.
const USERS_PER_LARGE_ROOM: usize = 3;

impl Shape {
    /// This many sockets in rooms of this size, with one process of each kind.
    pub(crate) const fn new(sockets: usize, sockets_per_room: usize) -> Self {
        Self {
            sockets,
            sockets_per_room,
            has_one_user: false,
            edges: 1,
            control_planes: 1,
            uses_streams: true,
        }
    }

    pub(crate) fn room_count(&self) -> usize {
        (self.sockets / self.sockets_per_room).max(1)
    }

    /// The room of each socket. Consecutive sockets are in different rooms.
    pub(crate) fn room_of_each_socket(&self) -> Vec<u32> {
        let rooms = self.room_count();
        (0..self.sockets).map(|socket| (socket % rooms) as u32).collect()
    }

    /// The users of each room, who are the participants of its session.
    pub(crate) fn users_of_each_room(&self) -> Vec<Vec<String>> {
        if self.has_one_user {
            return vec![vec!["u0".to_owned()]; self.room_count()];
        }
        let users = if self.sockets_per_room > MAX_USERS_PER_SMALL_ROOM {
            USERS_PER_LARGE_ROOM
        } else {
            self.sockets_per_room
        };
        (0..self.room_count())
            .map(|room| {
                (0..users)
                    .map(|user| format!("u{}", room * users + user))
                    .collect()
            })
            .collect()
    }

    /// The user of each socket. The sockets of a room are distributed evenly among its users.
    pub(crate) fn user_of_each_socket(&self) -> Vec<String> {
        let (rooms, users_of_each_room) = (self.room_count(), self.users_of_each_room());
        (0..self.sockets)
            .map(|socket| {
                let users = &users_of_each_room[socket % rooms];
                users[socket / rooms % users.len()].clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_rooms_have_one_user_per_socket() {
        let shape = Shape::new(12, 4);
        let mut users = shape.user_of_each_socket();
        assert_eq!(shape.room_of_each_socket(), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(users[3], shape.users_of_each_room()[0][1]);
        users.sort();
        users.dedup();
        assert_eq!(users.len(), 12);
    }

    #[test]
    fn large_rooms_have_many_sockets_of_three_users() {
        let shape = Shape::new(100, 50);
        let users_of_each_room = shape.users_of_each_room();
        assert_eq!(
            users_of_each_room.iter().map(Vec::len).collect::<Vec<_>>(),
            [3, 3]
        );
        for (user, room) in shape
            .user_of_each_socket()
            .iter()
            .zip(shape.room_of_each_socket())
        {
            assert!(users_of_each_room[room as usize].contains(user));
        }
    }
}
