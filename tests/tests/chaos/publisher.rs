//! Backends, each of which publishes to one session.

use std::sync::Arc;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use roomcast_proto::v1::{self, session_service_client::SessionServiceClient};
use tokio::{sync::watch, time::sleep};
use tonic::Code;

/// When each publish (session and number) was acknowledged with OK.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged(Mutex<HashMap<(String, u64), Instant>>);

impl Acknowledged {
    fn insert(&self, id: &str, number: u64) {
        self.0
            .lock()
            .unwrap()
            .insert((id.to_owned(), number), Instant::now());
    }

    /// The time since the acknowledgement; zero if the event arrives before it.
    pub(crate) fn elapsed(&self, id: &str, number: u64) -> Duration {
        let at = self.0.lock().unwrap().get(&(id.to_owned(), number)).copied();
        at.map_or(Duration::ZERO, |at| at.elapsed())
    }
}

/// Publishes numbers to a session until `stop`; returns the last one. Each call is repeated with the same request id, at the
/// next control plane, until one responds with OK.
pub(crate) async fn publisher(
    id: String,
    planes: Vec<SocketAddr>,
    pause: Duration,
    stop: watch::Receiver<bool>,
    acknowledged: Arc<Acknowledged>,
) -> u64 {
    let (mut number, mut plane) = (1, 0);
    loop {
        number += 1;
        let last = *stop.borrow();
        let request = v1::PublishSessionUpdateRequest {
            session: Some(v1::Session {
                id: id.clone(),
                status: number.to_string(),
                participants: None,
                attributes: None,
            }),
            request_id: format!("{id}-{number}"),
            ..Default::default()
        };
        loop {
            let url = format!("http://{}", planes[plane % planes.len()]);
            if let Ok(mut client) = SessionServiceClient::connect(url).await {
                let mut request = tonic::Request::new(request.clone());
                request.set_timeout(Duration::from_secs(3));
                match client.publish_session_update(request).await {
                    Ok(_) => break acknowledged.insert(&id, number),
                    // When the connection is lost during a call, tonic makes the status.
                    Err(status) if std::error::Error::source(&status).is_some() => {}
                    Err(status) => assert!(
                        matches!(
                            status.code(),
                            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled
                        ),
                        "{status:?}"
                    ),
                }
            }
            plane += 1;
            sleep(Duration::from_millis(20)).await;
        }
        if last {
            return number;
        }
        sleep(pause).await;
    }
}
