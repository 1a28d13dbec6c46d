//! Server reflection and the health service.

use roomcast_tests::{Process, TempDir, grpcurl};

#[tokio::test]
async fn services_are_described_by_reflection() {
    let dev = Process::dev(&[]).await;
    let grpc = dev.addr("grpc");
    let listed = grpcurl(grpc, "ADDR list", "").await;
    for service in [
        "roomcast.v1.SessionService",
        "roomcast.v1.EdgeService",
        "grpc.health.v1.Health",
    ] {
        assert!(listed.out.contains(service), "{listed:?}");
    }
    // Older callers know only the former name of the reflection service, which reflection does not list: they bring its
    // description.
    let folder = TempDir::new();
    folder.write(
        "old.proto",
        "syntax = 'proto3'; package grpc.reflection.v1alpha;
         service ServerReflection { rpc ServerReflectionInfo(stream Request) returns (stream Response); }
         message Request { string list_services = 7; }
         message Response { Services list_services_response = 6; }
         message Services { repeated Service service = 1; }
         message Service { string name = 1; }",
    );
    let arguments = format!(
        "-import-path {} -proto old.proto ADDR grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        folder.path().display()
    );
    let listed = grpcurl(grpc, &arguments, r#"{"list_services":"*"}"#).await;
    assert!(listed.out.contains("roomcast.v1.SessionService"), "{listed:?}");
    let described = grpcurl(grpc, "ADDR describe roomcast.v1.SessionService.SelectRole", "").await;
    assert!(described.out.contains("SelectRoleRequest"), "{described:?}");
    let health = grpcurl(
        grpc,
        "ADDR grpc.health.v1.Health/Check",
        r#"{"service":"roomcast.v1.SessionService"}"#,
    )
    .await;
    assert_eq!(health.json()["status"], "SERVING");
    // Error details are readable, because reflection describes their types.
    let call = grpcurl(
        grpc,
        "ADDR roomcast.v1.SessionService/GetSession",
        r#"{"session_id":""}"#,
    )
    .await;
    assert!(
        call.err.contains("google.rpc.BadRequest") && call.err.contains("session_id"),
        "{call:?}"
    );
}
