//! Tables of what was measured, in Markdown.

use super::svg::number;
use crate::{peers::Peer, results::Results, stats::Spread};

/// A column: its title, its figure, and by what that is divided.
pub(super) struct Column(pub(super) &'static str, pub(super) &'static str, pub(super) f64);

/// Rows for peers that have any of the figures; where `of_raw` is given, a last column with the ratio of that figure
/// to the ceiling's.
pub(super) fn by_peer(results: &Results, scenario: &str, columns: &[Column], of_raw: Option<&str>) -> String {
    let mut header = String::from("| |");
    let mut rule = String::from("| --- |");
    for Column(title, _, _) in columns {
        header.push_str(&format!(" {title} |"));
        rule.push_str(" ---: |");
    }
    if of_raw.is_some() {
        header.push_str(" of the ceiling |");
        rule.push_str(" ---: |");
    }
    let mut table = format!("{header}\n{rule}\n");
    for peer in peers(results, scenario) {
        let mark = if load_was_the_limit(results, scenario, peer) {
            " †"
        } else {
            ""
        };
        table.push_str(&format!("| {}{mark} |", peer.title()));
        for Column(_, figure, scale) in columns {
            let spread = results.spread(scenario, peer.name(), figure);
            table.push_str(&format!(" {} |", cell(spread, *scale)));
        }
        if let Some(figure) = of_raw {
            let ratio = ratio(results, scenario, figure, peer, Peer::Raw);
            table.push_str(&ratio.map_or(" – |".to_owned(), |ratio| format!(" {:.0} % |", ratio * 100.0)));
        }
        table.push('\n');
    }
    table
}

/// A median with its range.
pub(super) fn cell(spread: Option<Spread>, scale: f64) -> String {
    spread.map_or("–".to_owned(), |Spread { median, least, most }| {
        let [median, least, most] = [median, least, most].map(|figure| number(figure / scale));
        if least == most {
            format!("**{median}**")
        } else {
            format!("**{median}** ({least}–{most})")
        }
    })
}

/// The peers that a scenario has, in their order.
pub(super) fn peers(results: &Results, scenario: &str) -> Vec<Peer> {
    let mut peers = Peer::ALL.to_vec();
    peers.retain(|peer| {
        results
            .rows
            .iter()
            .any(|row| row.scenario == scenario && row.peer == peer.name())
    });
    peers
}

/// One peer's median by another's.
pub(super) fn ratio(results: &Results, scenario: &str, figure: &str, peer: Peer, to: Peer) -> Option<f64> {
    let of = |peer: Peer| results.spread(scenario, peer.name(), figure);
    Some(of(peer)?.median / of(to)?.median)
}

/// Whether the generator's CPU was busy and the server's was not.
pub(super) fn load_was_the_limit(results: &Results, scenario: &str, peer: Peer) -> bool {
    let busy = |figure| {
        results
            .spread(scenario, peer.name(), figure)
            .map_or(0.0, |spread| spread.median)
    };
    busy("busy_load") >= 0.9 && busy("busy_server") < 0.9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Row;

    #[test]
    fn a_table_has_medians_ranges_and_the_ratio_to_the_ceiling() {
        let row = |peer: Peer, round, figure| Row {
            scenario: "s".to_owned(),
            peer: peer.name().to_owned(),
            round,
            figures: [("f".to_owned(), figure), ("busy_load".to_owned(), 0.95)].into(),
            faults: String::new(),
        };
        let rows = vec![
            row(Peer::Roomcast, 1, 900.0),
            row(Peer::Raw, 1, 2_000.0),
            row(Peer::Roomcast, 2, 1_100.0),
        ];
        let results = Results {
            rows,
            ..Results::default()
        };
        let table = by_peer(&results, "s", &[Column("title", "f", 10.0)], Some("f"));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "| | title | of the ceiling |");
        assert_eq!(lines[2], "| raw epoll (ceiling) † | **200** | 100 % |");
        assert_eq!(lines[3], "| Roomcast † | **100** (90.0–110) | 50 % |");
    }
}
