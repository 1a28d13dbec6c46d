//! The report: a template in Markdown, with generated tables and pictures in its placeholders.

mod svg;
mod tables;
mod targets;

use std::{fs, path::Path};

use self::{
    svg::Series,
    tables::{Column, by_competitor, cell, measured_competitors},
};
use crate::{competitors::Competitor, error::BenchResult, results::Results};

const TEMPLATE: &str = include_str!("performance.md");

/// A scenario and its title in the report.
type TitledScenario = (&'static str, &'static str);

const FAN_OUT: [TitledScenario; 4] = [
    ("rooms-of-4", "Rooms of 4"),
    ("room-of-1000", "One room of 1,000, one event at a time"),
    ("room-of-10000", "One room of 10,000, one event at a time"),
    ("hot-room", "A hot room of 1,000: 64 events in flight"),
];
const LATENCY: [TitledScenario; 4] = [
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
const CONNECT: [TitledScenario; 3] = [
    ("rooms-of-4", "Rooms of 4"),
    ("connect-one-user", "The same, all of one user with one token"),
    ("idle-19000", "As many as a process has file descriptors for"),
];
const PUBLISH: [TitledScenario; 2] = [
    ("publish-unary", "Unary calls"),
    ("publish-bulk", "Batches on streams"),
];
/// The series of growth: the scenario without `grow-` and the factor, and the title.
const GROWTH: [TitledScenario; 5] = [
    ("connections", "1,200 × sockets in rooms of 4"),
    ("rooms", "8,000 sockets in 250 × rooms"),
    ("members", "one room of 1,200 ×"),
    ("rate", "300 × events per second to rooms of 4"),
    ("edges", "8,000 sockets in rooms of 32 on 1 × edges"),
];
const GROWTH_FACTORS: [usize; 4] = [1, 2, 4, 8];

const DELIVERIES_PER_CPU_S: &str = "deliveries_per_cpu_s";

/// Writes the report to a file, and its pictures to the folder of the same name beside it.
pub(crate) fn write(results: &Results, file: &Path) -> BenchResult<()> {
    let pictures = file.with_extension("");
    fs::create_dir_all(&pictures)?;
    let mut text = TEMPLATE.to_owned();
    for (placeholder, content) in [
        ("about", machine(results)),
        ("command", format!("crates/bench/run {}", results.command)),
        ("targets", targets::table(results)),
        ("fan-out", fan_out(results, &pictures)?),
        ("latency", latency(results)),
        ("connect", connect(results)),
        ("reconnect", reconnect(results)),
        ("publish", publish(results)),
        ("growth", growth(results, &pictures)?),
        ("faults", faults(results)),
    ] {
        text = text.replace(&format!("{{{{{placeholder}}}}}"), content.trim_end());
    }
    fs::write(file, text)?;
    Ok(())
}

fn machine(results: &Results) -> String {
    let rows = results
        .machine
        .iter()
        .map(|(name, value)| format!("| {name} | {value} |\n"));
    format!("| | |\n| --- | --- |\n{}", rows.collect::<String>())
}

fn fan_out(results: &Results, pictures: &Path) -> BenchResult<String> {
    let columns = [
        Column::new("k deliveries per CPU second", DELIVERIES_PER_CPU_S, 1e3),
        Column::new("of all processes", "deliveries_per_cpu_s_all", 1e3),
        Column::new("k deliveries per second", "deliveries_per_s", 1e3),
        Column::new("user µs each", "user_us", 1.0),
        Column::new("system µs each", "system_us", 1.0),
        Column::new("server's CPU busy %", "busy_server", 0.01),
        Column::new("load's CPU busy %", "busy_load", 0.01),
    ];
    let mut text = String::new();
    for (scenario, title) in FAN_OUT {
        let bars: Vec<_> = measured_competitors(results, scenario)
            .into_iter()
            .filter_map(|competitor| {
                let spread = results.spread(scenario, competitor.name(), DELIVERIES_PER_CPU_S)?;
                Some((competitor.title().to_owned(), spread))
            })
            .collect();
        if bars.is_empty() {
            continue;
        }
        let picture = svg::bars(title, "deliveries per CPU second", &bars);
        fs::write(pictures.join(format!("{scenario}.svg")), picture)?;
        let table = by_competitor(results, scenario, &columns, Some(DELIVERIES_PER_CPU_S));
        let folder = folder_name(pictures);
        text.push_str(&format!(
            "### {title}\n\n![{title}]({folder}/{scenario}.svg)\n\n{table}\n"
        ));
    }
    Ok(text)
}

fn latency(results: &Results) -> String {
    let columns = [
        Column::new("10 %: p50", "p50_us_at_10", 1e3),
        Column::new("p90", "p90_us_at_10", 1e3),
        Column::new("p99", "p99_us_at_10", 1e3),
        Column::new("50 %: p50", "p50_us_at_50", 1e3),
        Column::new("p90", "p90_us_at_50", 1e3),
        Column::new("p99", "p99_us_at_50", 1e3),
        Column::new("80 %: p50", "p50_us_at_80", 1e3),
        Column::new("p90", "p90_us_at_80", 1e3),
        Column::new("p99", "p99_us_at_80", 1e3),
        Column::new("100 %: k events per second", "events_per_s", 1e3),
    ];
    sections(results, &LATENCY, &columns, Some("p99_us_at_50"))
}

fn connect(results: &Results) -> String {
    let columns = [
        Column::new("sockets", "sockets", 1.0),
        Column::new("connects and joins per CPU second", "connects_per_cpu_s", 1.0),
        Column::new("of all processes", "connects_per_cpu_s_all", 1.0),
        Column::new("per second", "connects_per_s", 1.0),
        Column::new("KB per socket", "bytes_per_socket", 1e3),
        Column::new("resident MB in total", "resident", 1e6),
    ];
    sections(results, &CONNECT, &columns, None)
}

fn reconnect(results: &Results) -> String {
    let columns = [
        Column::new("sockets", "back_sockets", 1.0),
        Column::new("seconds until all have recovered", "back_s", 1.0),
        Column::new("recovered per second", "back_per_s", 1.0),
        Column::new("recovered per CPU second of the edge", "back_per_cpu_s", 1.0),
    ];
    by_competitor(results, "reconnect", &columns, None)
}

fn publish(results: &Results) -> String {
    let columns = [
        Column::new("k publishes per second", "publishes_per_s", 1e3),
        Column::new(
            "… per CPU second of the control plane",
            "publishes_per_cpu_s",
            1e3,
        ),
        Column::new("… per CPU second of Redis", "publishes_per_store_cpu_s", 1e3),
        Column::new(
            "redis-benchmark: k calls per second",
            "redis_benchmark_per_s",
            1e3,
        ),
        Column::new(
            "… per CPU second of Redis",
            "redis_benchmark_per_store_cpu_s",
            1e3,
        ),
        Column::new(
            "… with 16 in flight per connection",
            "redis_benchmark_pipelined_per_s",
            1e3,
        ),
        Column::new("half load: p50 ms", "p50_us_at_50", 1e3),
        Column::new("p99 ms", "p99_us_at_50", 1e3),
    ];
    let table = |(scenario, title)| {
        let table = by_competitor(results, scenario, &columns, None);
        format!("### {title}\n\n{table}\n")
    };
    PUBLISH.map(table).concat()
}

/// A titled table for each scenario that was measured.
fn sections(
    results: &Results,
    scenarios: &[TitledScenario],
    columns: &[Column],
    share_of_ceiling: Option<&str>,
) -> String {
    let mut text = String::new();
    for (scenario, title) in scenarios {
        if !measured_competitors(results, scenario).is_empty() {
            let table = by_competitor(results, scenario, columns, share_of_ceiling);
            text.push_str(&format!("### {title}\n\n{table}\n"));
        }
    }
    text
}

fn growth(results: &Results, pictures: &Path) -> BenchResult<String> {
    let mut text = String::new();
    for (name, title) in GROWTH {
        let (table, series) = growth_of(results, name);
        if series.is_empty() {
            continue;
        }
        let picture = svg::lines(title, "deliveries per CPU second", &series);
        fs::write(pictures.join(format!("grow-{name}.svg")), picture)?;
        let folder = folder_name(pictures);
        text.push_str(&format!(
            "### {title}\n\n![{title}]({folder}/grow-{name}.svg)\n\n{table}\n"
        ));
    }
    Ok(text)
}

/// The table and the lines of one series of growth.
fn growth_of(results: &Results, name: &str) -> (String, Vec<Series>) {
    let mut series = vec![];
    let mut table = String::from("| | 1× | 2× | 4× | 8× |\n| --- | ---: | ---: | ---: | ---: |\n");
    for competitor in [Competitor::Raw, Competitor::Roomcast] {
        for (figure, unit, divisor) in [
            (DELIVERIES_PER_CPU_S, "k deliveries per CPU second", 1e3),
            ("bytes_per_socket", "KB per socket", 1e3),
        ] {
            let spreads = GROWTH_FACTORS
                .map(|factor| results.spread(&format!("grow-{name}-{factor}"), competitor.name(), figure));
            if spreads.iter().all(Option::is_none) {
                continue;
            }
            let cells = spreads.map(|spread| cell(spread, divisor)).join(" | ");
            table.push_str(&format!("| {}: {unit} | {cells} |\n", competitor.title()));
            if figure == DELIVERIES_PER_CPU_S {
                let points = GROWTH_FACTORS.into_iter().zip(spreads);
                series.push(Series {
                    name: competitor.title().to_owned(),
                    points: points
                        .filter_map(|(factor, spread)| Some((factor as f64, spread?)))
                        .collect(),
                });
            }
        }
    }
    (table, series)
}

fn faults(results: &Results) -> String {
    let faulty_rows: Vec<_> = results
        .rows
        .iter()
        .filter(|row| !row.faults.is_empty())
        .map(|row| {
            format!(
                "- {} in {}, round {}: {}\n",
                row.competitor, row.scenario, row.round, row.faults
            )
        })
        .collect();
    if faulty_rows.is_empty() {
        return format!("None in {} measurements.", results.rows.len());
    }
    faulty_rows.concat()
}

fn folder_name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
