//! Tables of results, in Markdown.

use super::svg::number;
use crate::{competitors::Competitor, results::Results, stats::Spread};

/// A column of a table.
pub(super) struct Column {
    pub(super) title: &'static str,
    /// The name of the figure.
    pub(super) figure: &'static str,
    /// What the figure is divided by.
    pub(super) divisor: f64,
}

impl Column {
    pub(super) const fn new(title: &'static str, figure: &'static str, divisor: f64) -> Self {
        Self {
            title,
            figure,
            divisor,
        }
    }
}

/// A table with a row for each competitor that was measured. If `share_of_ceiling` names a figure, a last column has its
/// ratio to the ceiling's figure.
pub(super) fn by_competitor(
    results: &Results,
    scenario: &str,
    columns: &[Column],
    share_of_ceiling: Option<&str>,
) -> String {
    let mut header = String::from("| |");
    let mut rule = String::from("| --- |");
    for column in columns {
        header.push_str(&format!(" {} |", column.title));
        rule.push_str(" ---: |");
    }
    if share_of_ceiling.is_some() {
        header.push_str(" of the ceiling |");
        rule.push_str(" ---: |");
    }
    let mut table = format!("{header}\n{rule}\n");
    for competitor in measured_competitors(results, scenario) {
        let mark = if load_was_the_limit(results, scenario, competitor) {
            " †"
        } else {
            ""
        };
        table.push_str(&format!("| {}{mark} |", competitor.title()));
        for column in columns {
            let spread = results.spread(scenario, competitor.name(), column.figure);
            table.push_str(&format!(" {} |", cell(spread, column.divisor)));
        }
        if let Some(figure) = share_of_ceiling {
            let ratio = ratio(results, scenario, figure, competitor, Competitor::Raw);
            table.push_str(&ratio.map_or(" – |".to_owned(), |ratio| format!(" {:.0} % |", ratio * 100.0)));
        }
        table.push('\n');
    }
    table
}

/// A median, and its range if there is one.
pub(super) fn cell(spread: Option<Spread>, divisor: f64) -> String {
    spread.map_or("–".to_owned(), |Spread { median, min, max }| {
        let [median, min, max] = [median, min, max].map(|figure| number(figure / divisor));
        if min == max {
            format!("**{median}**")
        } else {
            format!("**{median}** ({min}–{max})")
        }
    })
}

/// The competitors that were measured in a scenario, in the order of the report.
pub(super) fn measured_competitors(results: &Results, scenario: &str) -> Vec<Competitor> {
    let mut competitors = Competitor::ALL.to_vec();
    competitors.retain(|competitor| {
        results
            .rows
            .iter()
            .any(|row| row.scenario == scenario && row.competitor == competitor.name())
    });
    competitors
}

/// The ratio of two competitors' medians.
pub(super) fn ratio(
    results: &Results,
    scenario: &str,
    figure: &str,
    of: Competitor,
    to: Competitor,
) -> Option<f64> {
    let median = |competitor: Competitor| {
        let spread = results.spread(scenario, competitor.name(), figure)?;
        Some(spread.median)
    };
    Some(median(of)? / median(to)?)
}

/// Whether the CPU of the load was busy while the CPU of the server was not.
fn load_was_the_limit(results: &Results, scenario: &str, competitor: Competitor) -> bool {
    let busy_share = |figure| {
        results
            .spread(scenario, competitor.name(), figure)
            .map_or(0.0, |spread| spread.median)
    };
    busy_share("busy_load") >= 0.9 && busy_share("busy_server") < 0.9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Row;

    #[test]
    fn a_table_has_medians_ranges_and_the_ratio_to_the_ceiling() {
        let row = |competitor: Competitor, round, figure| Row {
            scenario: "s".to_owned(),
            competitor: competitor.name().to_owned(),
            round,
            figures: [("f".to_owned(), figure), ("busy_load".to_owned(), 0.95)].into(),
            faults: String::new(),
        };
        let rows = vec![
            row(Competitor::Roomcast, 1, 900.0),
            row(Competitor::Raw, 1, 2_000.0),
            row(Competitor::Roomcast, 2, 1_100.0),
        ];
        let results = Results {
            rows,
            ..Results::default()
        };
        let table = by_competitor(&results, "s", &[Column::new("title", "f", 10.0)], Some("f"));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "| | title | of the ceiling |");
        assert_eq!(lines[2], "| raw epoll (ceiling) † | **200** | 100 % |");
        assert_eq!(lines[3], "| Roomcast † | **100** (90.0–110) | 50 % |");
    }
}
