//! Service tokens that end while a stream goes on.

use roomcast_proto::v1;
use roomcast_tests::{
    Backend, Browsers, Client, Process, Redis, TempDir, claims_json, reason, session, signed, token, within,
};
use tonic::{Code, Request};

const SECRET: &str = "a-secret-of-services-that-is-long-enough";

/// A service's token, good for so many seconds.
fn service(folder: &TempDir, seconds: i64) -> String {
    let mut claims = claims_json("edge", seconds);
    claims["aud"] = "roomcast-api".into();
    signed("HS256", &folder.write("secret", SECRET), None, &claims)
}

fn called<T>(token: &str, request: T) -> Request<T> {
    let mut request = Request::new(request);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_an_edge_goes_on_with_the_next_one() {
    let folder = TempDir::new();
    let redis = Redis::start().await;
    let control_plane = Process::control_plane(&redis.url(), &["--api-jwt-secret", SECRET]).await;
    control_plane.ready().await;
    let grpc = control_plane.addr("grpc");
    let good = service(&folder, 600);
    let publish = |status: &str| v1::PublishSessionUpdateRequest {
        session: Some(session("s1", status, "alice=observer")),
        ..Default::default()
    };
    let mut backend = Backend::connect(grpc).await;
    backend
        .0
        .publish_session_update(called(&good, publish("start")))
        .await
        .unwrap();

    let file = folder.write("token", service(&folder, 5));
    let edge = Process::edge(&[grpc], &["--api-token-file", &file]).await;
    edge.ready().await;
    // Read when the link is made anew.
    folder.write("token", &good);
    let browsers = Browsers::start(Client::Js48);
    let mut alice = browsers.connect(&edge.url(), &token("alice")).await;
    alice.join("s1").await;

    let watched = v1::WatchEventsRequest {
        room: Some(v1::watch_events_request::Room::SessionId("s1".to_owned())),
        after: None,
    };
    let short = service(&folder, 5);
    let mut stream = backend
        .0
        .watch_events(called(&short, watched))
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let error = within("the end of the token", stream.message())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error)),
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );

    // The link's token, which was made before that one, is over too; the socket has noticed nothing.
    for n in 0..20 {
        backend
            .0
            .publish_session_update(called(&good, publish(&n.to_string())))
            .await
            .unwrap();
        assert_eq!(
            alice.told("session-updated").await["session"]["status"],
            n.to_string()
        );
    }
    edge.ready().await;
}
