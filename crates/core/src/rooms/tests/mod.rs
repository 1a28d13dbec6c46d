//! The rooms of an edge, tested against a model of their surroundings.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the model names only the variants that it uses"
)]

mod model;

use proptest::prelude::*;

use crate::{
    Role, browser_event,
    command::SessionCommand,
    rooms::{Input, SocketId, SocketRequestId},
};
use model::{Page, SOCKETS, USERS, World, at, session_id, user};

proptest! {
    /// Links fail and results arrive late and in any order: each page in the room has every event once, in order, from its
    /// join (I1, I5), none past a removal (I4), and every request gets a response.
    #[test]
    fn every_page_has_everything_once_and_in_order(
        steps in proptest::collection::vec((0u8..13, 0..SOCKETS, 0u8..16), 1..120)
    ) {
        let mut world = World::new();
        world.publish(7);
        for (kind, socket, n) in steps {
            step(&mut world, kind, SocketId(socket), n);
        }
        world.settle();
        for page in world.pages.values() {
            prop_assert_eq!(page.unanswered, 0, "a request without a response");
            if let Some(joined) = page.joined {
                for entry in &world.entries[joined.offset.0 as usize..] {
                    prop_assert_eq!(browser_event::session_event(&session_id(), &entry.event), None, "I1: not delivered");
                }
                prop_assert!(world.session.as_ref().unwrap().participant(&user(page.user)).is_some(), "I4");
            }
        }
        for socket in world.pages.keys().copied().collect::<Vec<_>>() {
            world.input(Input::Disconnected(socket));
        }
        prop_assert_eq!(world.rooms.rooms(), 0, "a room without sockets");
    }
}

/// One step of the property test; `n` selects its variant.
fn step(world: &mut World, kind: u8, socket: SocketId, n: u8) {
    let who = user(usize::from(n) % USERS);
    let page = world.pages.get(&socket).copied();
    match (kind, page) {
        (0, _) => world.publish(n % 12),
        (1, _) => world.command(&SessionCommand::SelectRole {
            user: who,
            role: Role::Observer,
        }),
        (2, _) => world.command(&SessionCommand::RemoveParticipant { user: who }),
        (3, None) => {
            let page = Page {
                user: usize::from(n) % USERS,
                ..Page::default()
            };
            world.pages.insert(socket, page);
            world.input(Input::Connected { socket, user: who });
        }
        (4, Some(page)) => disconnect(world, socket, page, n),
        (5 | 6, Some(page)) if !page.resuming => {
            let after = page.last.filter(|_| n.is_multiple_of(2));
            let request = world.request(socket);
            world.input(Input::Join {
                socket,
                session: session_id(),
                after,
                request,
            });
        }
        (7, Some(page)) if !page.resuming => {
            let request = world.request(socket);
            world.input(Input::Leave {
                socket,
                session: session_id(),
                request,
            });
        }
        (4..=7, _) => {}
        (8, _) if n == 0 => world.attach(),
        (9, _) => world.handle_link_request(),
        (10, _) => world.receive(),
        _ => world.complete(usize::from(n)),
    }
}

/// The socket's connection ends; if `n` is less than 12, the page connects again and presents what it has.
fn disconnect(world: &mut World, socket: SocketId, page: Page, n: u8) {
    world.pages.remove(&socket);
    world.input(Input::Disconnected(socket));
    if n >= 12 {
        return;
    }
    let new = Page {
        unanswered: 0,
        joined: None,
        resuming: false,
        ..page
    };
    world.pages.insert(socket, new);
    world.input(Input::Connected {
        socket,
        user: user(page.user),
    });
    // A stock client presents its cursor, and sends no requests before the outcome.
    if let (0..8, Some(_), Some(last)) = (n, page.joined, page.last) {
        world.pages.get_mut(&socket).unwrap().resuming = true;
        world.sent_requests += 1;
        let (positions, request) = (
            [(session_id(), last)].into(),
            SocketRequestId(world.sent_requests),
        );
        world.input(Input::Resume {
            socket,
            positions,
            request,
        });
    }
}

#[test]
fn a_removal_that_the_room_has_passed_denies_a_join_in_progress() {
    let mut world = World::new();
    world.publish(7);
    for (socket, who) in [(SocketId(0), 0), (SocketId(1), 1)] {
        world.pages.insert(
            socket,
            Page {
                user: who,
                unanswered: 1,
                ..Page::default()
            },
        );
        world.input(Input::Connected {
            socket,
            user: user(who),
        });
        world.input(Input::Join {
            socket,
            session: session_id(),
            after: None,
            request: SocketRequestId(1),
        });
    }
    world.settle();
    assert!(world.pages[&SocketId(1)].joined.is_some());
    world.pages.get_mut(&SocketId(1)).unwrap().unanswered = 2;
    world.input(Input::Leave {
        socket: SocketId(1),
        session: session_id(),
        request: SocketRequestId(2),
    });
    world.input(Input::Join {
        socket: SocketId(1),
        session: session_id(),
        after: None,
        request: SocketRequestId(3),
    });
    // The admission precedes the removal and arrives after it.
    let admitted_at = at(world.entries.len());
    world.pending.clear();
    world.command(&SessionCommand::RemoveParticipant { user: user(1) });
    world.receive();
    world.input(Input::Authorized {
        socket: SocketId(1),
        session: session_id(),
        request: SocketRequestId(3),
        result: Ok(admitted_at),
    });
    assert_eq!(world.pages[&SocketId(1)].joined, None);
}
