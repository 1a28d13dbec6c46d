//! Pages: they join their sessions whenever they were not recovered, and check every event that a listener sees.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use roomcast_tests::{Browser, eventually, quantiles};
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use crate::{publisher::Acknowledged, world::Fault};

/// What all pages saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    joined: AtomicUsize,
    events: AtomicU64,
    recovered: AtomicU64,
    fresh: AtomicU64,
    /// From the OK of each event to a listener.
    latencies: Mutex<Vec<Duration>>,
    suffered: Mutex<Suffered>,
    /// The longest of each kind of transport.
    by_transport: Mutex<BTreeMap<&'static str, Duration>>,
}

#[derive(Debug, Default)]
struct Suffered {
    last: Option<Fault>,
    /// How often, and the longest latency until the next one.
    each: BTreeMap<Fault, (u32, Duration)>,
}

impl Seen {
    pub(crate) async fn all_joined(&self, pages: usize) {
        eventually("every page in its sessions", || async {
            (self.joined.load(Ordering::Relaxed) == pages).then_some(())
        })
        .await;
    }

    pub(crate) fn suffers(&self, fault: Fault) {
        let mut suffered = self.suffered.lock().unwrap();
        suffered.last = Some(fault);
        suffered.each.entry(fault).or_default().0 += 1;
    }

    fn latency(&self, latency: Duration, transport: &'static str) {
        let mut longest = self.by_transport.lock().unwrap();
        let longest = longest.entry(transport).or_default();
        *longest = latency.max(*longest);
        self.latencies.lock().unwrap().push(latency);
        let mut suffered = self.suffered.lock().unwrap();
        if let Some((_, longest)) = suffered.last.and_then(|fault| suffered.each.get_mut(&fault)) {
            *longest = latency.max(*longest);
        }
    }

    /// The longest time from an OK to a listener on each kind of transport.
    pub(crate) fn by_transport(&self) -> String {
        let longest = self.by_transport.lock().unwrap();
        let each = longest
            .iter()
            .map(|(transport, longest)| format!("{transport} {longest:.1?}"));
        each.collect::<Vec<_>>().join(", ")
    }

    /// A line for each fault: how often, what, and the longest time from an OK to a listener until the next one.
    pub(crate) fn by_fault(&self) -> Vec<String> {
        let suffered = self.suffered.lock().unwrap();
        let line = |(fault, (times, longest)): (&Fault, &(u32, Duration))| {
            format!("{times:>3} × {} ({longest:.1?})", fault.text())
        };
        suffered.each.iter().map(line).collect()
    }

    pub(crate) fn fresh(&self) -> u64 {
        self.fresh.load(Ordering::Relaxed)
    }

    pub(crate) fn recovered(&self) -> u64 {
        self.recovered.load(Ordering::Relaxed)
    }

    pub(crate) fn summary(&self) -> String {
        let [p50, p99, last] = quantiles(&mut self.latencies.lock().unwrap());
        format!(
            "{} delivered, {} reconnections, all recovered; from OK to a listener {p50:.0?} (p50), {p99:.0?} (p99), {last:.1?} at most",
            self.events.load(Ordering::Relaxed),
            self.recovered(),
        )
    }
}

pub(crate) async fn page(
    mut browser: Browser,
    transport: &'static str,
    sessions: Vec<String>,
    ends: BTreeMap<String, watch::Receiver<u64>>,
    acknowledged: Arc<Acknowledged>,
    seen: Arc<Seen>,
) {
    let mut at: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let done = sessions.iter().all(|id| {
            let end = *ends[id].borrow();
            end != 0 && at.get(id) == Some(&end)
        });
        if done {
            return;
        }
        let report = tokio::select! {
            report = browser.reported() => report.expect("the clients' process lives"),
            () = sleep(Duration::from_millis(200)) => continue,
        };
        match (report["on"].as_str().unwrap(), report["event"].as_str()) {
            ("connect", _) if report["recovered"] == true => {
                seen.recovered.fetch_add(1, Ordering::Relaxed);
            }
            ("connect", _) => {
                assert!(
                    at.is_empty(),
                    "within the log's retention every reconnection is recovered"
                );
                seen.fresh.fetch_add(1, Ordering::Relaxed);
                for id in &sessions {
                    join(&browser, id, &mut at).await;
                }
                seen.joined.fetch_add(1, Ordering::Relaxed);
            }
            ("event", Some("session-updated")) => {
                let payload = &report["args"][0];
                let number: u64 = payload["session"]["status"].as_str().unwrap().parse().unwrap();
                let id = payload["sessionId"].as_str().unwrap();
                seen.events.fetch_add(1, Ordering::Relaxed);
                seen.latency(acknowledged.since(id, number), transport);
                let before = at.insert(id.to_owned(), number);
                let expected = before.map_or(number, |before| before + 1);
                assert_eq!(number, expected, "{id}: lost, repeated or out of order");
            }
            ("event", Some("session-joined"))
            | ("disconnect" | "connect_error" | "reconnect_attempt" | "upgrade", _) => {}
            _ => panic!("{report}"),
        }
    }
}

/// Joins a session, again and again while the service is out of reach.
async fn join(browser: &Browser, id: &str, at: &mut BTreeMap<String, u64>) {
    loop {
        match browser.try_ask("join-session", json!([id])).await {
            Some(answer) if answer["ok"] == true => {
                let number: u64 = answer["session"]["status"].as_str().unwrap().parse().unwrap();
                at.insert(id.to_owned(), number);
                return;
            }
            Some(answer) => assert_eq!(answer["error"]["code"], json!("unavailable"), "{answer}"),
            // The connection broke: the client is recovered, with or without the room, and asks again.
            None => {}
        }
        sleep(Duration::from_millis(100)).await;
    }
}
