//! New connections: the origin of the page, and the rate.

use roomcast_edge::Origins;

use crate::{
    browser::upgrade,
    world::{STEP, World},
};

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_rate_are_rejected_for_a_time() {
    let world = World::with(1, |config| config.limits.connect_rate = 2).await;
    let mut browsers = vec![world.browser("alice").await, world.browser("bob").await];
    let rejected = upgrade(world.edge, "").await;
    assert!(rejected.starts_with("HTTP/1.1 503"), "{rejected}");
    assert!(rejected.contains("retry-after: 1\r\n"), "{rejected}");
    assert_eq!(world.metric("rate_limited_connections_total"), 1);
    tokio::time::advance(STEP).await;
    browsers.push(world.browser("carol").await);
    for browser in &mut browsers {
        browser.is_served().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_another_origin_may_not_connect() {
    let origins = Origins::Listed(vec!["https://app.example".to_owned()]);
    let world = World::with(1, |config| config.origins = origins).await;
    for (origin, status) in [
        ("https://app.example", 101),
        ("https://other.example", 403),
        ("null", 403),
    ] {
        let response = upgrade(world.edge, &format!("Origin: {origin}\r\n")).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{origin}: {response}"
        );
    }
    let response = upgrade(world.edge, "").await;
    assert!(
        response.starts_with("HTTP/1.1 101"),
        "not from a page: {response}"
    );
}
