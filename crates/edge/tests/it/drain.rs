//! I8: an edge that drains accepts nothing new, and closes its transports at a limited rate.

use std::time::Duration;

use roomcast_edge::Drain;
use tokio::net::TcpStream;

use crate::{browser::Browser, time::eventually, world::World};

/// A world with browsers in one session, which drains with this configuration.
async fn world(browsers: usize, drain: Drain) -> (World, Vec<Browser>) {
    let world = World::with(1, |config| config.drain = drain).await;
    world.create_session("s1", &["alice"]);
    let mut opened = Vec::new();
    for _ in 0..browsers {
        opened.push(world.member("alice", "s1").await);
    }
    (world, opened)
}

fn open(browsers: &[Browser]) -> usize {
    browsers.iter().filter(|browser| !browser.is_closed()).count()
}

impl World {
    /// Waits until this many browsers are open, and shows that they are served.
    async fn serves(&self, browsers: &[Browser], count: usize, status: &str) {
        eventually("a closed transport", || (open(browsers) <= count).then_some(())).await;
        self.metric_is("sockets", count as u64).await;
        self.set_status("s1", status);
        for browser in browsers.iter().filter(|browser| !browser.is_closed()) {
            assert_eq!(browser.status().await, status);
        }
        assert_eq!(open(browsers), count);
    }

    async fn accepts_nothing(&self) {
        eventually("the end of the listener", || {
            std::net::TcpStream::connect(self.edge).err()
        })
        .await;
        TcpStream::connect(self.edge).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn i8_a_drain_accepts_nothing_new_and_closes_transports_at_the_rate() {
    let drain = Drain {
        sockets_per_second: 2,
        deadline: Duration::from_secs(60),
    };
    let (world, browsers) = world(4, drain).await;
    world.shutdown.begin("test");
    world.serves(&browsers, 3, "after the first").await;
    world.accepts_nothing().await;
    for (left, status) in [(2, "after 500 ms"), (1, "after 1 s")] {
        tokio::time::advance(Duration::from_millis(500)).await;
        world.serves(&browsers, left, status).await;
    }
    tokio::time::advance(Duration::from_millis(500)).await;
    world.serves(&browsers, 0, "").await;
    tokio::time::advance(Duration::from_millis(500)).await;
    let drained = world.tasks.wait_for_drain(Duration::from_secs(1)).await;
    assert_eq!(drained.overdue, [""; 0]);
    for browser in &browsers {
        assert_eq!(
            browser.unread(),
            [""; 0],
            "no DISCONNECT, so that a stock client reconnects"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn i8_a_drain_ends_by_its_deadline() {
    let drain = Drain {
        sockets_per_second: 1,
        deadline: Duration::from_secs(2),
    };
    let (world, browsers) = world(8, drain).await;
    world.shutdown.begin("test");
    for left in (0..8).rev() {
        world.serves(&browsers, left, &left.to_string()).await;
        tokio::time::advance(Duration::from_millis(250)).await;
    }
    let drained = world.tasks.wait_for_drain(Duration::from_secs(1)).await;
    assert_eq!(drained.overdue, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn i8_a_connection_that_is_open_but_idle_when_the_drain_begins_is_closed() {
    let (world, _) = world(0, Drain::default()).await;
    let idle = TcpStream::connect(world.edge).await.unwrap();
    let not_connected = Browser::open("alice", world.edge).await;
    world.metric_is("transports", 1).await;
    world.shutdown.begin("test");
    not_connected.closed().await;
    eventually("the end of the idle connection", || {
        let read = idle.try_read(&mut [0]);
        match read {
            Ok(0) => Some(()),
            Ok(_) => panic!("no byte was requested"),
            Err(error) => (error.kind() != std::io::ErrorKind::WouldBlock).then_some(()),
        }
    })
    .await;
}
