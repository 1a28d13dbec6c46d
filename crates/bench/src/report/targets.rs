//! What Roomcast wants to reach, and what it reached in this run.

use super::tables::ratio;
use crate::{peers::Peer, results::Results};

enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

/// A table of wishes.
pub(super) fn table(results: &Results) -> String {
    const PER_CPU: &str = "deliveries_per_cpu_s";
    const ALL: &str = "deliveries_per_cpu_s_all";
    let of = |scenario, figure, peer| ratio(results, scenario, figure, Peer::Roomcast, peer);
    let median = |scenario, figure| {
        let spread = results.spread(scenario, Peer::Roomcast.name(), figure);
        spread.map(|spread| spread.median)
    };
    let merged = median("hot-room", PER_CPU).zip(median("room-of-1000", PER_CPU));
    let mut rows = vec![
        (
            "rooms of 4, per CPU second, of the ceiling",
            Wanted::AtLeast(0.9),
            of("rooms-of-4", PER_CPU, Peer::Raw),
        ),
        (
            "… of Node",
            Wanted::AtLeast(2.3),
            of("rooms-of-4", PER_CPU, Peer::Node),
        ),
        (
            "… of Node with Redis, the process with the sockets",
            Wanted::AtLeast(5.0),
            of("rooms-of-4", PER_CPU, Peer::NodeRedis),
        ),
        (
            "… of Node with Redis, all processes of both",
            Wanted::AtLeast(5.0),
            of("rooms-of-4", ALL, Peer::NodeRedis),
        ),
        (
            "room of 1,000, one event under way, of the ceiling",
            Wanted::AtLeast(0.95),
            of("room-of-1000", PER_CPU, Peer::Raw),
        ),
        (
            "hot room, of the room of 1,000",
            Wanted::AtLeast(6.0),
            merged.map(|(hot, one)| hot / one),
        ),
        (
            "latency at half load, p99, rooms of 4, of the ceiling's",
            Wanted::AtMost(1.5),
            of("rooms-of-4", "p99_us_at_50", Peer::Raw),
        ),
        (
            "latency at half load, p99, room of 1,000, of the ceiling's",
            Wanted::AtMost(1.5),
            of("room-of-1000", "p99_us_at_50", Peer::Raw),
        ),
        (
            "connects and joins an edge's CPU second",
            Wanted::AtLeast(12_000.0),
            median("rooms-of-4", "connects_per_cpu_s"),
        ),
        (
            "bytes of an idle, joined socket",
            Wanted::AtMost(17_000.0),
            median("rooms-of-4", "bytes_per_socket"),
        ),
        (
            "… of Centrifugo's",
            Wanted::AtMost(1.0),
            of("rooms-of-4", "bytes_per_socket", Peer::Centrifugo),
        ),
    ];
    for (name, scenario) in [
        ("rooms of 4, of Centrifugo", "rooms-of-4"),
        ("room of 1,000, of Centrifugo", "room-of-1000"),
        ("room of 10,000, of Centrifugo", "room-of-10000"),
        ("hot room, of Centrifugo", "hot-room"),
    ] {
        rows.push((
            name,
            Wanted::AtLeast(1.0),
            of(scenario, PER_CPU, Peer::Centrifugo),
        ));
    }
    let mut table = String::from("| | wanted | measured | |\n| --- | ---: | ---: | --- |\n");
    for (name, wanted, measured) in rows {
        let (sign, bound) = match wanted {
            Wanted::AtLeast(bound) => ("≥", bound),
            Wanted::AtMost(bound) => ("≤", bound),
        };
        let digits = if bound < 100.0 { 2 } else { 0 };
        let shown = measured.map_or("–".to_owned(), |measured| format!("{measured:.digits$}"));
        let verdict = match (wanted, measured) {
            (_, None) => "",
            (Wanted::AtLeast(bound), Some(measured)) if measured >= bound => "yes",
            (Wanted::AtMost(bound), Some(measured)) if measured <= bound => "yes",
            (Wanted::AtLeast(_) | Wanted::AtMost(_), Some(_)) => "no",
        };
        table.push_str(&format!("| {name} | {sign} {bound} | {shown} | {verdict} |\n"));
    }
    table
}
