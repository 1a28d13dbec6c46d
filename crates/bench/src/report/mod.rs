//! The report: a template in words, and tables and pictures in its places.

pub(crate) mod svg;
mod tables;
mod targets;

use std::{fs, path::Path};

use self::tables::{Column, by_peer, cell, peers};
use crate::{failure::Outcome, peers::Peer, results::Results};

const TEMPLATE: &str = include_str!("performance.md");
const FAN_OUT: [(&str, &str); 4] = [
    ("rooms-of-4", "Rooms of 4"),
    ("room-of-1000", "One room of 1,000, one event at a time"),
    ("room-of-10000", "One room of 10,000, one event at a time"),
    ("hot-room", "A hot room of 1,000: 64 events under way"),
];
const GROWTH: [(&str, &str); 5] = [
    ("connections", "1,200 × sockets in rooms of 4"),
    ("rooms", "8,000 sockets in 250 × rooms"),
    ("members", "one room of 1,200 ×"),
    ("rate", "300 × events a second to rooms of 4"),
    ("edges", "8,000 sockets in rooms of 32 on 1 × edges"),
];

/// Writes the report's text to a file, and its pictures to the folder of the same name beside it.
pub(crate) fn write(results: &Results, file: &Path) -> Outcome<()> {
    let folder = file.with_extension("");
    fs::create_dir_all(&folder)?;
    let mut text = TEMPLATE.to_owned();
    for (place, content) in [
        ("about", about(results)),
        ("command", format!("crates/bench/run {}", results.command)),
        ("targets", targets::table(results)),
        ("fan-out", fan_out(results, &folder)?),
        ("latency", latency(results)),
        ("connect", connect(results)),
        ("reconnect", reconnect(results)),
        ("publish", publish(results)),
        ("growth", growth(results, &folder)?),
        ("faults", faults(results)),
    ] {
        text = text.replace(&format!("{{{{{place}}}}}"), content.trim_end());
    }
    fs::write(file, text)?;
    Ok(())
}

fn about(results: &Results) -> String {
    let rows = results
        .about
        .iter()
        .map(|(name, value)| format!("| {name} | {value} |\n"));
    format!("| | |\n| --- | --- |\n{}", rows.collect::<String>())
}

fn fan_out(results: &Results, folder: &Path) -> Outcome<String> {
    const FIGURE: &str = "deliveries_per_cpu_s";
    let mut text = String::new();
    for (scenario, title) in FAN_OUT {
        let bars: Vec<_> = peers(results, scenario)
            .into_iter()
            .filter_map(|peer| {
                let spread = results.spread(scenario, peer.name(), FIGURE)?;
                Some((peer.title().to_owned(), spread))
            })
            .collect();
        if bars.is_empty() {
            continue;
        }
        let picture = svg::bars(title, "deliveries a CPU second", &bars);
        fs::write(folder.join(format!("{scenario}.svg")), picture)?;
        let columns = [
            Column("k deliveries a CPU second", FIGURE, 1e3),
            Column("of all processes", "deliveries_per_cpu_s_all", 1e3),
            Column("k deliveries a second", "deliveries_per_s", 1e3),
            Column("user µs each", "user_us", 1.0),
            Column("system µs each", "system_us", 1.0),
            Column("server's CPU busy %", "busy_server", 0.01),
            Column("load's CPU busy %", "busy_load", 0.01),
        ];
        let table = by_peer(results, scenario, &columns, Some(FIGURE));
        let name = folder_name(folder);
        text.push_str(&format!(
            "### {title}\n\n![{title}]({name}/{scenario}.svg)\n\n{table}\n"
        ));
    }
    Ok(text)
}

fn latency(results: &Results) -> String {
    let columns = [
        Column("10 %: p50", "p50_us_at_10", 1e3),
        Column("p90", "p90_us_at_10", 1e3),
        Column("p99", "p99_us_at_10", 1e3),
        Column("50 %: p50", "p50_us_at_50", 1e3),
        Column("p90", "p90_us_at_50", 1e3),
        Column("p99", "p99_us_at_50", 1e3),
        Column("80 %: p50", "p50_us_at_80", 1e3),
        Column("p90", "p90_us_at_80", 1e3),
        Column("p99", "p99_us_at_80", 1e3),
        Column("100 %: k events a second", "events_per_s", 1e3),
    ];
    let scenarios = [
        ("rooms-of-4", "Rooms of 4: milliseconds"),
        (
            "room-of-1000",
            "One room of 1,000, one event at a time: milliseconds",
        ),
        (
            "end-to-end-1",
            "End to end, one control plane and one edge: milliseconds",
        ),
        (
            "end-to-end-2",
            "End to end, two control planes and two edges: milliseconds",
        ),
    ];
    sections(results, &scenarios, &columns, Some("p99_us_at_50"))
}

fn connect(results: &Results) -> String {
    let columns = [
        Column("sockets", "sockets", 1.0),
        Column("connects and joins a CPU second", "connects_per_cpu_s", 1.0),
        Column("of all processes", "connects_per_cpu_s_all", 1.0),
        Column("a second", "connects_per_s", 1.0),
        Column("KB a socket", "bytes_per_socket", 1e3),
        Column("resident MB in all", "resident", 1e6),
    ];
    let scenarios = [
        ("rooms-of-4", "Rooms of 4"),
        ("connect-one-user", "The same, all of one user with one token"),
        ("idle-19000", "As many as a process has file descriptors for"),
    ];
    sections(results, &scenarios, &columns, None)
}

/// A titled table for each scenario that was measured.
fn sections(
    results: &Results,
    scenarios: &[(&str, &str)],
    columns: &[Column],
    of_raw: Option<&str>,
) -> String {
    let mut text = String::new();
    for (scenario, title) in scenarios {
        if !peers(results, scenario).is_empty() {
            let table = by_peer(results, scenario, columns, of_raw);
            text.push_str(&format!("### {title}\n\n{table}\n"));
        }
    }
    text
}

fn reconnect(results: &Results) -> String {
    let columns = [
        Column("sockets", "back_sockets", 1.0),
        Column("seconds until all are back", "back_s", 1.0),
        Column("back a second", "back_per_s", 1.0),
        Column("back a CPU second of the edge", "back_per_cpu_s", 1.0),
    ];
    by_peer(results, "reconnect", &columns, None)
}

fn publish(results: &Results) -> String {
    let columns = [
        Column("k publishes a second", "publishes_per_s", 1e3),
        Column("… a CPU second of the control plane", "publishes_per_cpu_s", 1e3),
        Column("… a CPU second of Redis", "publishes_per_store_cpu_s", 1e3),
        Column("redis-benchmark: k calls a second", "redis_benchmark_per_s", 1e3),
        Column("… a CPU second of Redis", "redis_benchmark_per_store_cpu_s", 1e3),
        Column(
            "… with 16 under way on each",
            "redis_benchmark_pipelined_per_s",
            1e3,
        ),
        Column("half load: p50 ms", "p50_us_at_50", 1e3),
        Column("p99 ms", "p99_us_at_50", 1e3),
    ];
    let table =
        |(scenario, title)| format!("### {title}\n\n{}\n", by_peer(results, scenario, &columns, None));
    let both = [
        ("publish-unary", "Unary calls"),
        ("publish-bulk", "Batches on streams"),
    ];
    both.map(table).concat()
}

fn growth(results: &Results, folder: &Path) -> Outcome<String> {
    const TIMES: [usize; 4] = [1, 2, 4, 8];
    let mut text = String::new();
    for (name, title) in GROWTH {
        let scenario = |times| format!("grow-{name}-{times}");
        let mut series = vec![];
        let mut table = String::from("| | 1× | 2× | 4× | 8× |\n| --- | ---: | ---: | ---: | ---: |\n");
        for peer in [Peer::Raw, Peer::Roomcast] {
            for (figure, words, scale, is_drawn) in [
                ("deliveries_per_cpu_s", "k deliveries a CPU second", 1e3, true),
                ("bytes_per_socket", "KB a socket", 1e3, false),
            ] {
                let spread = |times| results.spread(&scenario(times), peer.name(), figure);
                let points: Vec<_> = TIMES
                    .into_iter()
                    .filter_map(|times| Some((times as f64, spread(times)?)))
                    .collect();
                if points.is_empty() {
                    continue;
                }
                let cells = TIMES.map(|times| cell(spread(times), scale)).join(" | ");
                table.push_str(&format!("| {}: {words} | {cells} |\n", peer.title()));
                if is_drawn {
                    series.push((peer.title().to_owned(), points));
                }
            }
        }
        if !series.is_empty() {
            let picture = svg::lines(title, "deliveries a CPU second", &series);
            fs::write(folder.join(format!("grow-{name}.svg")), picture)?;
            let folder = folder_name(folder);
            text.push_str(&format!(
                "### {title}\n\n![{title}]({folder}/grow-{name}.svg)\n\n{table}\n"
            ));
        }
    }
    Ok(text)
}

fn faults(results: &Results) -> String {
    let bad: Vec<_> = results
        .rows
        .iter()
        .filter(|row| !row.faults.is_empty())
        .map(|row| {
            format!(
                "- {} in {}, round {}: {}\n",
                row.peer, row.scenario, row.round, row.faults
            )
        })
        .collect();
    if bad.is_empty() {
        return format!("None in {} measurements.", results.rows.len());
    }
    bad.concat()
}

fn folder_name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
