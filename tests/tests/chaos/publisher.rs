//! Backends, each of which publishes to one session.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use roomcast_proto::v1::{self, session_service_client::SessionServiceClient};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tonic::Code;

use crate::{deployment::Deployment, plan::Plan};

/// The publishers of all sessions.
pub(crate) struct Publishers {
    stop: watch::Sender<bool>,
    /// The publisher of each session.
    tasks: BTreeMap<String, JoinHandle<u64>>,
    /// The number of the last event of each session; zero while its publisher is running.
    ends: BTreeMap<String, watch::Sender<u64>>,
}

impl Publishers {
    /// Creates every session with its pages as participants, and starts to publish to it.
    pub(crate) async fn start(
        plan: &Plan,
        deployment: &Deployment,
        acknowledged: &Arc<Acknowledged>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (mut tasks, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for session in 0..plan.sessions() {
            let id = format!("s{session}");
            let pages = (0..plan.pages).filter(|page| plan.is_in(*page, session));
            let participants: Vec<_> = pages.map(|page| format!("u{page}=observer")).collect();
            deployment.create(&id, &participants.join(" ")).await;
            let publishing = publisher(
                id.clone(),
                deployment.grpc(),
                plan.publish_interval(),
                stopped.clone(),
                acknowledged.clone(),
            );
            tasks.insert(id.clone(), tokio::spawn(publishing));
            ends.insert(id, watch::Sender::new(0));
        }
        Self { stop, tasks, ends }
    }

    /// The number of the last event of each session; zero while its publisher is running.
    pub(crate) fn ends(&self) -> BTreeMap<String, watch::Receiver<u64>> {
        let each = self.ends.iter();
        each.map(|(id, end)| (id.clone(), end.subscribe())).collect()
    }

    /// Stops every publisher after its current event; returns the sum of the sessions' last numbers.
    pub(crate) async fn finish(self) -> u64 {
        self.stop.send_replace(true);
        let mut published = 0;
        for (id, task) in self.tasks {
            let end = timeout(Duration::from_secs(30), task).await;
            let end = end.expect("the last publish").unwrap();
            published += end;
            self.ends[&id].send_replace(end);
        }
        published
    }
}

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
async fn publisher(
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
