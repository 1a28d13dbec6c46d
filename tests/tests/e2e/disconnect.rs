//! `DisconnectUser`.

use roomcast_tests::{Backend, Browsers, Client, Process, Redis, session, token};
use serde_json::json;

#[tokio::test]
async fn every_socket_of_the_user_is_closed_on_every_edge() {
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &[]).await;
    let edges = [
        Process::edge(&[control_plane.addr("grpc")], &[]).await,
        Process::edge(&[control_plane.addr("grpc")], &[]).await,
    ];
    let mut backend = Backend::connect(control_plane.addr("grpc")).await;
    let (js, python) = (Browsers::start(Client::Js48), Browsers::start(Client::Python));
    let (mut hers, mut his) = (Vec::new(), Vec::new());
    for edge in &edges {
        edge.ready().await;
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
