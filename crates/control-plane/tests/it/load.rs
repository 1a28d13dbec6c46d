//! `GetLoad`, and the logs and metrics that distinguish attached edges from edges that only look for a control plane.

use prometheus_client::encoding::text::encode;
use roomcast_control_plane::Config;
use roomcast_proto::{
    link::{ControlPlaneLoad, Load},
    v1,
};
use roomcast_runtime::metrics::Registry;

use crate::{edge::Edge, harness::TestServer, log_capture::LogCapture};

async fn get_load(server: &TestServer) -> Load {
    let response = server.edge().get_load(v1::GetLoadRequest {}).await.unwrap();
    ControlPlaneLoad::try_from(response.into_inner()).unwrap().load
}

fn metrics(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

#[tokio::test]
async fn the_load_counts_attached_edges_and_not_its_callers() {
    let server = TestServer::start().await;
    let expected = |edges| Load {
        store_unreachable: false,
        edges,
    };
    assert_eq!(get_load(&server).await, expected(0));
    let edge = Edge::start(&server).await;
    assert_eq!(get_load(&server).await, expected(1));
    edge.detach().await.unwrap();
    assert_eq!(get_load(&server).await, expected(0));
}

#[tokio::test]
async fn a_probe_is_not_logged_and_is_neither_an_attachment_nor_a_failed_call() {
    let log = LogCapture::start();
    let server = TestServer::start().await;
    get_load(&server).await;
    assert_eq!(log.lines_with("edge"), Vec::<String>::new());
    let text = metrics(&server.registry);
    let calls: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("control_plane_calls_total"))
        .collect();
    assert_eq!(
        calls,
        ["control_plane_calls_total{method=\"GetLoad\",code=\"OK\"} 1"]
    );
    assert!(text.contains("control_plane_edges_attached 0"), "{text}");
}

#[tokio::test]
async fn an_edge_is_logged_once_when_it_attaches_and_once_when_it_detaches_with_both_ids() {
    let log = LogCapture::start();
    let server = TestServer::with_config(Config {
        id: "control-plane-7".into(),
        ..Config::default()
    })
    .await;
    let edge = Edge::start(&server).await;
    assert_eq!(
        log.lines_with("edge"),
        ["message=edge attached edge.id=edge-1 edge.version=0.1.0 control_plane.id=control-plane-7"]
    );
    edge.detach().await.unwrap();
    assert_eq!(
        log.lines_with("edge detached"),
        ["message=edge detached edge.id=edge-1 control_plane.id=control-plane-7"]
    );
    assert_eq!(log.lines_with("edge").len(), 2);
}
