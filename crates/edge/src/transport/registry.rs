//! The registry of an edge's transports: by number, and by Engine.IO id.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, AtomicU64},
    },
};

use http::request::Parts;
use prometheus_client::metrics::gauge::Gauge;
use roomcast_runtime::lifecycle::TaskGroup;
use tokio::sync::Notify;

use super::{InitialTransport, TAG, Transport, UpgradeState};
use crate::{config::Limits, direct::Flushers};

/// The registry of an edge's transports, which register themselves while they exist.
#[derive(Debug, Clone)]
pub(crate) struct Transports {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    open: Mutex<OpenTransports>,
    /// The metric that counts them.
    count: Gauge,
    pub(super) limits: Limits,
    pub(super) flushers: Flushers<Transport>,
    tasks: TaskGroup,
}

#[derive(Debug, Default)]
pub(super) struct OpenTransports {
    next_number: u64,
    by_number: HashMap<u64, Weak<Transport>>,
    pub(super) by_sid: HashMap<String, Weak<Transport>>,
}

impl Transports {
    pub(super) fn lock(&self) -> MutexGuard<'_, OpenTransports> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty registry.
    pub(crate) fn new(count: Gauge, limits: Limits) -> Self {
        let shared = Shared {
            open: Mutex::default(),
            count,
            limits,
            flushers: Flushers::default(),
            tasks: TaskGroup::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn flushers(&self) -> &Flushers<Transport> {
        &self.shared.flushers
    }

    /// Spawns a task that ends with the registry.
    pub(super) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawner().spawn(name, task);
    }

    /// Opens a transport.
    pub(crate) fn open(&self, initial: InitialTransport) -> Arc<Transport> {
        let mut open = self.lock();
        let number = open.next_number;
        open.next_number += 1;
        let transport = Arc::new(Transport {
            number,
            initial,
            registry: self.clone(),
            sid: OnceLock::new(),
            connect: Mutex::default(),
            killed: AtomicBool::new(false),
            upgrade: AtomicU8::new(UpgradeState::NotStarted as u8),
            sent: AtomicU64::new(0),
            changed: Notify::new(),
            wire: OnceLock::new(),
        });
        open.by_number.insert(number, Arc::downgrade(&transport));
        self.shared.count.inc();
        transport
    }

    /// The transport that a request opened: the one in the extensions of a polling request, or the one of the tagged
    /// URI of a WebSocket request.
    pub(crate) fn find_by_request(&self, request: &Parts) -> Option<Arc<Transport>> {
        if let Some(polling) = request.extensions.get::<Arc<Transport>>() {
            return Some(polling.clone());
        }
        // The browser's query may contain a tag, too; the last one is ours.
        let (_, number) = request.uri.query()?.rsplit_once(TAG)?;
        let weak = self.lock().by_number.get(&number.parse().ok()?).cloned();
        weak?.upgrade()
    }

    /// The transport with this Engine.IO id.
    pub(crate) fn find_by_sid(&self, sid: &str) -> Option<Arc<Transport>> {
        // The reference is upgraded outside of the lock, because dropping a transport takes the lock.
        let weak = self.lock().by_sid.get(sid).cloned();
        weak?.upgrade()
    }

    pub(crate) fn all(&self) -> Vec<Weak<Transport>> {
        self.lock().by_number.values().cloned().collect()
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        open.by_number.remove(&self.number);
        self.registry.shared.count.dec();
        if let Some(sid) = self.sid.get() {
            open.by_sid.remove(&**sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::Pin, task::Poll};

    use http::Uri;

    use super::*;

    fn transports() -> Transports {
        Transports::new(Gauge::default(), Limits::DEFAULT)
    }

    #[tokio::test]
    async fn waiting_for_events_in_flight_ends_when_enough_have_left() {
        let transport = transports().open(InitialTransport::Polling);
        transport.in_flight_at_most(4, 4).await;
        let waiting = transport.in_flight_at_most(4, 6);
        tokio::pin!(waiting);
        assert!(is_pending(&mut waiting).await);
        transport.add_sent(1);
        assert!(is_pending(&mut waiting).await);
        transport.add_sent(1);
        waiting.await;
    }

    fn request(uri: Uri) -> Parts {
        let mut request = http::Request::new(());
        *request.uri_mut() = uri;
        request.into_parts().0
    }

    #[test]
    fn a_request_finds_its_transport_whatever_its_query_is() {
        let transports = transports();
        let (one, other) = (
            transports.open(InitialTransport::WebSocket),
            transports.open(InitialTransport::WebSocket),
        );
        let forged = format!("/socket.io/?EIO=4{TAG}{}", other.number);
        for uri in ["/socket.io/", "http://host/socket.io/?EIO=4&t=%20", &forged] {
            let found = transports.find_by_request(&request(one.tagged_uri(&uri.parse().unwrap())));
            assert!(Arc::ptr_eq(&found.unwrap(), &one), "{uri}");
        }
        assert!(
            transports
                .find_by_request(&request(Uri::from_static("/socket.io/?EIO=4")))
                .is_none()
        );
    }

    async fn is_pending(waiting: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await
    }

    #[test]
    fn a_transport_is_registered_while_it_exists() {
        let transports = transports();
        let transport = transports.open(InitialTransport::Polling);
        transport.set_sid("sid".into());
        assert!(transports.find_by_sid("sid").is_some());
        drop(transport);
        assert!(transports.find_by_sid("sid").is_none());
        assert!(transports.all().is_empty());
    }
}
