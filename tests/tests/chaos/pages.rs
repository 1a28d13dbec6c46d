//! Pages: each joins its sessions when it was not recovered, and checks every event that it receives.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use roomcast_tests::{Browser, Browsers, Client, eventually, quantiles, token};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_local},
    time::timeout,
};

use crate::{
    deployment::{Deployment, Fault},
    plan::Plan,
    publisher::{Acknowledged, Publishers},
};

/// Pages per driver process.
const PAGES_PER_PROCESS: usize = 100;

/// All pages, and the processes in which their clients run.
pub(crate) struct Pages {
    tasks: Vec<JoinHandle<()>>,
    _browsers: Vec<Browsers>,
}

impl Pages {
    /// Opens every page of the plan; each joins its sessions.
    pub(crate) async fn open(
        plan: &Plan,
        deployment: &Deployment,
        publishers: &Publishers,
        acknowledged: &Arc<Acknowledged>,
        observed: &Arc<Observations>,
    ) -> Self {
        let (mut tasks, mut browsers) = (Vec::new(), Vec::new());
        for n in 0..plan.pages {
            if n % PAGES_PER_PROCESS == 0 {
                browsers.push(Browsers::start(Client::Js48));
            }
            let (transport, transports) = transports(n);
            let options = json!({ "token": token(&format!("u{n}")), "transports": transports });
            let browser = browsers[n / PAGES_PER_PROCESS]
                .open_with(&deployment.url(n), options)
                .await;
            let sessions = (0..plan.sessions())
                .filter(|session| plan.is_in(n, *session))
                .map(|session| format!("s{session}"))
                .collect();
            let page = page(
                browser,
                transport,
                sessions,
                publishers.ends(),
                acknowledged.clone(),
                observed.clone(),
            );
            tasks.push(spawn_local(page));
        }
        Self {
            tasks,
            _browsers: browsers,
        }
    }

    /// Whether no page has failed or finished.
    pub(crate) fn all_running(&self) -> bool {
        self.tasks.iter().all(|page| !page.is_finished())
    }

    /// Waits until every page has received every event of its sessions.
    pub(crate) async fn finish(self, seed: u64) {
        for (n, page) in self.tasks.into_iter().enumerate() {
            let ended = timeout(Duration::from_secs(60), page).await;
            ended
                .unwrap_or_else(|_| panic!("page {n} does not have everything, seed {seed}"))
                .unwrap();
        }
    }
}

/// The transports of a page: their name in the results, and the client's option.
fn transports(page: usize) -> (&'static str, Value) {
    match page % 3 {
        0 => ("WebSocket", json!(["websocket"])),
        1 => ("polling and upgrade", json!(["polling", "websocket"])),
        _ => ("polling", json!(["polling"])),
    }
}

/// The observations of all pages.
#[derive(Debug, Default)]
pub(crate) struct Observations {
    joined: AtomicUsize,
    events: AtomicU64,
    recovered: AtomicU64,
    fresh: AtomicU64,
    /// The time from the OK of each event to its delivery.
    latencies: Mutex<Vec<Duration>>,
    faults: Mutex<Faults>,
    /// The longest latency on each kind of transport.
    by_transport: Mutex<BTreeMap<&'static str, Duration>>,
}

#[derive(Debug, Default)]
struct Faults {
    last: Option<Fault>,
    /// How often each was injected, and the longest latency until the next fault.
    each: BTreeMap<Fault, (u32, Duration)>,
}

impl Observations {
    pub(crate) async fn all_joined(&self, pages: usize) {
        eventually("every page in its sessions", async || {
            (self.joined.load(Ordering::Relaxed) == pages).then_some(())
        })
        .await;
    }

    pub(crate) fn record_fault(&self, fault: Fault) {
        let mut faults = self.faults.lock().unwrap();
        faults.last = Some(fault);
        faults.each.entry(fault).or_default().0 += 1;
    }

    fn latency(&self, latency: Duration, transport: &'static str) {
        let mut longest = self.by_transport.lock().unwrap();
        let longest = longest.entry(transport).or_default();
        *longest = latency.max(*longest);
        self.latencies.lock().unwrap().push(latency);
        let mut faults = self.faults.lock().unwrap();
        if let Some((_, longest)) = faults.last.and_then(|fault| faults.each.get_mut(&fault)) {
            *longest = latency.max(*longest);
        }
    }

    /// The longest latency on each kind of transport, as text.
    pub(crate) fn by_transport(&self) -> String {
        let longest = self.by_transport.lock().unwrap();
        let each = longest
            .iter()
            .map(|(transport, longest)| format!("{transport} {longest:.1?}"));
        each.collect::<Vec<_>>().join(", ")
    }

    /// A line for each kind of fault: how often, its description, and the longest latency until the next fault.
    pub(crate) fn by_fault(&self) -> Vec<String> {
        let faults = self.faults.lock().unwrap();
        let line = |(fault, (times, longest)): (&Fault, &(u32, Duration))| {
            format!("{times:>3} × {} ({longest:.1?})", fault.text())
        };
        faults.each.iter().map(line).collect()
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
            "{} delivered, {} reconnections, all recovered; from OK to delivery {p50:.0?} (p50), {p99:.0?} (p99), {last:.1?} at most",
            self.events.load(Ordering::Relaxed),
            self.recovered(),
        )
    }
}

async fn page(
    mut browser: Browser,
    transport: &'static str,
    sessions: Vec<String>,
    mut ends: BTreeMap<String, watch::Receiver<u64>>,
    acknowledged: Arc<Acknowledged>,
    observed: Arc<Observations>,
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
            report = browser.next_report() => report.expect("the driver process is running"),
            _ = next_end(&mut ends) => continue,
        };
        match (report["on"].as_str().unwrap(), report["event"].as_str()) {
            ("connect", _) if report["recovered"] == true => {
                observed.recovered.fetch_add(1, Ordering::Relaxed);
            }
            ("connect", _) => {
                assert!(
                    at.is_empty(),
                    "within the log's retention every reconnection is recovered"
                );
                observed.fresh.fetch_add(1, Ordering::Relaxed);
                for id in &sessions {
                    join(&browser, id, &mut at).await;
                }
                observed.joined.fetch_add(1, Ordering::Relaxed);
            }
            ("event", Some("session-updated")) => {
                let payload = &report["args"][0];
                let number: u64 = payload["session"]["status"].as_str().unwrap().parse().unwrap();
                let id = payload["sessionId"].as_str().unwrap();
                observed.events.fetch_add(1, Ordering::Relaxed);
                observed.latency(acknowledged.elapsed(id, number), transport);
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

/// Waits until another session ended.
async fn next_end(ends: &mut BTreeMap<String, watch::Receiver<u64>>) {
    for end in ends.values_mut() {
        if *end.borrow() == 0 && end.changed().await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}

/// Joins a session, and repeats the join while the service is unavailable.
async fn join(browser: &Browser, id: &str, at: &mut BTreeMap<String, u64>) {
    let number: u64 = eventually("a join", || async {
        // Without a response, the connection was lost: the client is recovered, with or without the room.
        let response = browser.try_request("join-session", json!([id])).await?;
        if response["ok"] == false {
            assert_eq!(response["error"]["code"], json!("unavailable"), "{response}");
            return None;
        }
        Some(response["session"]["status"].as_str().unwrap().parse().unwrap())
    })
    .await;
    at.insert(id.to_owned(), number);
}
