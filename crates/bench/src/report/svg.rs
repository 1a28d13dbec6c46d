//! Two kinds of pictures: bars with ranges, and lines over the factors 1, 2, 4 and 8.

// Writing to a `String` never fails, so the results of `writeln!` are ignored.
use std::fmt::Write as _;

use crate::stats::Spread;

const WIDTH: f64 = 760.0;
const COLOURS: [&str; 8] = [
    "#6b7280", "#2563eb", "#60a5fa", "#d97706", "#16a34a", "#86efac", "#dc2626", "#fca5a5",
];

// The area of a line picture between its axes.
const PLOT_LEFT: f64 = 60.0;
const PLOT_RIGHT: f64 = 560.0;
const PLOT_TOP: f64 = 50.0;
const PLOT_BOTTOM: f64 = 280.0;

/// One line of a picture.
pub(super) struct Series {
    pub(super) name: String,
    /// The points from left to right: the factor by which the quantity grew, and the measured figure.
    pub(super) points: Vec<(f64, Spread)>,
}

/// Horizontal bars of medians, each with a line from its minimum to its maximum.
pub(super) fn bars(title: &str, unit: &str, bars: &[(String, Spread)]) -> String {
    const ROW: f64 = 26.0;
    const LEFT: f64 = 210.0;
    const TOP: f64 = 40.0;
    let height = TOP + ROW * bars.len() as f64 + 12.0;
    let max = bars
        .iter()
        .map(|(_, spread)| spread.max)
        .fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - 90.0) / max;
    let mut svg = begin(title, unit, height);
    for (row, (name, spread)) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let middle = y + 9.0;
        let (width, min, max) = (
            spread.median * scale,
            LEFT + spread.min * scale,
            LEFT + spread.max * scale,
        );
        let (label, text_y, colour) = (LEFT - 8.0, y + 13.0, COLOURS[row % COLOURS.len()]);
        let figure = number(spread.median);
        let _ = writeln!(
            svg,
            r##"<text x="{label}" y="{text_y:.0}" text-anchor="end">{name}</text><rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="18" fill="{colour}"/><line x1="{min:.1}" y1="{middle:.0}" x2="{max:.1}" y2="{middle:.0}" stroke="#111" stroke-width="2"/><text x="{:.1}" y="{text_y:.0}">{figure}</text>"##,
            max + 8.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines of medians over a logarithmic horizontal axis, each point with a line from its minimum to its maximum.
pub(super) fn lines(title: &str, unit: &str, series: &[Series]) -> String {
    const HEIGHT: f64 = 320.0;
    let axes = Axes::new(series);
    let mut svg = begin(title, unit, HEIGHT);
    axes.draw(&mut svg);
    for (row, one) in series.iter().enumerate() {
        let colour = COLOURS[row % COLOURS.len()];
        axes.draw_line(&one.points, colour, &mut svg);
        let legend = PLOT_TOP + 20.0 * row as f64;
        let _ = writeln!(
            svg,
            r#"<rect x="580" y="{:.0}" width="12" height="12" fill="{colour}"/><text x="598" y="{:.0}">{}</text>"#,
            legend - 10.0,
            legend + 1.0,
            one.name
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The scales of a line picture.
struct Axes {
    /// The figure at the top.
    max_figure: f64,
    /// The factor at the right.
    max_factor: f64,
}

impl Axes {
    fn new(series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|one| &one.points);
        Self {
            max_figure: points()
                .map(|(_, spread)| spread.max)
                .fold(f64::MIN_POSITIVE, f64::max),
            max_factor: points().map(|(factor, _)| *factor).fold(2.0, f64::max),
        }
    }

    fn x(&self, factor: f64) -> f64 {
        PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * factor.log2() / self.max_factor.log2()
    }

    fn y(&self, figure: f64) -> f64 {
        PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * figure / self.max_figure
    }

    fn draw(&self, svg: &mut String) {
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let figure = self.max_figure * share;
            let (y, label) = (self.y(figure), number(figure));
            let _ = writeln!(
                svg,
                r##"<line x1="{PLOT_LEFT}" y1="{y:.1}" x2="{PLOT_RIGHT}" y2="{y:.1}" stroke="#ddd"/><text x="{:.0}" y="{:.1}" text-anchor="end">{label}</text>"##,
                PLOT_LEFT - 6.0,
                y + 4.0,
            );
        }
        for factor in [1.0, 2.0, 4.0, 8.0] {
            if factor <= self.max_factor {
                let x = self.x(factor);
                let _ = writeln!(
                    svg,
                    r#"<text x="{x:.1}" y="300" text-anchor="middle">{factor}×</text>"#
                );
            }
        }
    }

    fn draw_line(&self, points: &[(f64, Spread)], colour: &str, svg: &mut String) {
        let path: Vec<_> = points
            .iter()
            .map(|(factor, spread)| format!("{:.1},{:.1}", self.x(*factor), self.y(spread.median)))
            .collect();
        let _ = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2.5"/>"#,
            path.join(" ")
        );
        for (factor, spread) in points {
            let (x, min, max) = (self.x(*factor), self.y(spread.min), self.y(spread.max));
            let _ = writeln!(
                svg,
                r#"<line x1="{x:.1}" y1="{min:.1}" x2="{x:.1}" y2="{max:.1}" stroke="{colour}"/>"#
            );
        }
    }
}

/// The root element with its title and unit.
fn begin(title: &str, unit: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/><text x=\"12\" y=\"22\" font-weight=\"bold\">{title}</text>\
         <text x=\"{}\" y=\"22\" text-anchor=\"end\" fill=\"#555\">{unit}</text>\n",
        WIDTH - 12.0
    )
}

/// A figure with about three significant digits; from 100 on, all digits before the point in groups of three.
pub(super) fn number(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        size if size < 1.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => {
            let digits = format!("{figure:.0}");
            let mut grouped = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_figures_have_decimals_and_large_figures_have_groups() {
        let shown = [0.0, 0.1234, 12.34, 123.4, 1_234.5, 1_234_567.0, -100.0].map(number);
        assert_eq!(shown, ["0", "0.12", "12.3", "123", "1,234", "1,234,567", "-100"]);
    }

    #[test]
    fn a_picture_has_a_bar_or_a_line_for_each_entry() {
        let spread = Spread {
            median: 2.0,
            min: 1.0,
            max: 3.0,
        };
        let svg = bars("t", "u", &[("a".to_owned(), spread), ("b".to_owned(), spread)]);
        assert_eq!(svg.matches("height=\"18\"").count(), 2);
        let series = Series {
            name: "a".to_owned(),
            points: vec![(1.0, spread), (8.0, spread)],
        };
        let svg = lines("t", "u", &[series]);
        assert!(svg.contains("8×") && svg.matches("<polyline").count() == 1);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }
}
