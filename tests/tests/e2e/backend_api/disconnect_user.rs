//! `DisconnectUser` closes every connection of a user.

use roomcast_tests::{Browsers, Client, Cluster, session, token};
use serde_json::json;

#[tokio::test]
async fn every_socket_of_a_user_is_closed_on_every_edge() {
    let cluster = Cluster::start(1, 2).await;
    let mut backend = cluster.backend(0).await;
    let (js, python) = (Browsers::start(Client::Js48), Browsers::start(Client::Python));
    let (mut of_alice, mut of_bob) = (Vec::new(), Vec::new());
    for edge in &cluster.edges {
        of_alice.push(js.connect(&edge.url(), &token("alice")).await);
        let polling = json!({ "token": token("alice"), "transports": ["polling"] });
        let mut polling = js.open_with(&edge.url(), polling).await;
        polling.connected().await;
        of_alice.push(polling);
        of_alice.push(python.connect(&edge.url(), &token("alice")).await);
        of_bob.push(js.connect(&edge.url(), &token("bob")).await);
    }
    backend.disconnect("alice").await;
    for browser in &mut of_alice {
        let reason = browser.disconnected().await;
        assert!(
            ["io server disconnect", "server disconnect"].contains(&reason.as_str()),
            "{reason}"
        );
    }
    // Sockets of other users stay connected, and Alice may connect again.
    backend
        .publish(session("s1", "a", "alice=interviewer bob=interviewee"))
        .await;
    for browser in &mut of_bob {
        browser.join("s1").await;
    }
    of_alice[0].reconnect(None).await;
    of_alice[0].connected().await;
    of_alice[0].join("s1").await;
}
