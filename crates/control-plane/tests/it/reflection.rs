//! Server reflection.

use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha,
};

use crate::harness::TestServer;

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let server = TestServer::start().await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let requests = futures_util::stream::iter([request]);
    let response = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = response.unwrap().message_response else {
        panic!("no list")
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for name in [
        "roomcast.v1.SessionService",
        "roomcast.v1.EdgeService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.iter().any(|listed| listed == name), "{names:?}");
    }
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
                "roomcast.v1.SessionService".into(),
            ),
        ),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
    let requests = futures_util::stream::iter([request]);
    let response = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap();
    let response = response.unwrap().message_response.unwrap();
    let found = matches!(
        response,
        v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_)
    );
    assert!(found, "{response:?}");
}
