//! `DisconnectUser`.

use roomcast_tests::{Browsers, Client, Cluster, session, token};
use serde_json::json;

#[tokio::test]
async fn every_socket_of_the_user_is_closed_on_every_edge() {
    let cluster = Cluster::start(1, 2).await;
    let mut backend = cluster.backend(0).await;
    let (js, python) = (Browsers::start(Client::Js48), Browsers::start(Client::Python));
    let (mut hers, mut his) = (Vec::new(), Vec::new());
    for edge in &cluster.edges {
        hers.push(js.connect(&edge.url(), &token("alice")).await);
        let polling = json!({ "token": token("alice"), "transports": ["polling"] });
        let mut polling = js.open_with(&edge.url(), polling).await;
        polling.connected().await;
        hers.push(polling);
        hers.push(python.connect(&edge.url(), &token("alice")).await);
        his.push(js.connect(&edge.url(), &token("bob")).await);
    }
    backend.disconnect("alice").await;
    for browser in &mut hers {
        let reason = browser.disconnected().await;
        assert!(
            ["io server disconnect", "server disconnect"].contains(&reason.as_str()),
            "{reason}"
        );
    }
    // Others stay, and she may come back.
    backend
        .publish(session("s1", "a", "alice=interviewer bob=interviewee"))
        .await;
    for browser in &mut his {
        browser.join("s1").await;
    }
    hers[0].reconnect(None).await;
    hers[0].connected().await;
    hers[0].join("s1").await;
}
