//! Two kinds of pictures: bars with ranges, and lines over 1×, 2×, 4×, 8×.

use std::fmt::Write as _;

use crate::stats::Spread;

const WIDTH: f64 = 760.0;
const COLOURS: [&str; 8] = [
    "#6b7280", "#2563eb", "#60a5fa", "#d97706", "#16a34a", "#86efac", "#dc2626", "#fca5a5",
];

/// One series of a line picture: its name, and its points from left to right.
pub(crate) type Series = (String, Vec<(f64, Spread)>);

/// Horizontal bars, with a whisker from the least to the most.
pub(crate) fn bars(title: &str, unit: &str, bars: &[(String, Spread)]) -> String {
    const ROW: f64 = 26.0;
    const LEFT: f64 = 210.0;
    const TOP: f64 = 40.0;
    let height = TOP + ROW * bars.len() as f64 + 12.0;
    let most = bars
        .iter()
        .map(|(_, spread)| spread.most)
        .fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - 90.0) / most;
    let mut svg = begin(title, unit, height);
    for (row, (name, spread)) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let middle = y + 9.0;
        let (end, least, most) = (
            spread.median * scale,
            LEFT + spread.least * scale,
            LEFT + spread.most * scale,
        );
        let (label, text_y, colour) = (LEFT - 8.0, y + 13.0, COLOURS[row % COLOURS.len()]);
        let figure = number(spread.median);
        let _infallible = writeln!(
            svg,
            r##"<text x="{label}" y="{text_y:.0}" text-anchor="end">{name}</text><rect x="{LEFT}" y="{y:.0}" width="{end:.1}" height="18" fill="{colour}"/><line x1="{least:.1}" y1="{middle:.0}" x2="{most:.1}" y2="{middle:.0}" stroke="#111" stroke-width="2"/><text x="{:.1}" y="{text_y:.0}">{figure}</text>"##,
            most + 8.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines over a logarithmic axis.
pub(crate) fn lines(title: &str, unit: &str, series: &[Series]) -> String {
    const HEIGHT: f64 = 320.0;
    const LEFT: f64 = 60.0;
    const RIGHT: f64 = 560.0;
    const TOP: f64 = 50.0;
    const BOTTOM: f64 = 280.0;
    let points = || series.iter().flat_map(|(_, points)| points);
    let most = points()
        .map(|(_, spread)| spread.most)
        .fold(f64::MIN_POSITIVE, f64::max);
    let last = points().map(|(at, _)| *at).fold(2.0, f64::max);
    let x = |at: f64| LEFT + (RIGHT - LEFT) * at.log2() / last.log2();
    let y = |figure: f64| BOTTOM - (BOTTOM - TOP) * figure / most;
    let mut svg = begin(title, unit, HEIGHT);
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (at, figure) = (y(most * part), number(most * part));
        let _infallible = writeln!(
            svg,
            r##"<line x1="{LEFT}" y1="{at:.1}" x2="{RIGHT}" y2="{at:.1}" stroke="#ddd"/><text x="{:.0}" y="{:.1}" text-anchor="end">{figure}</text>"##,
            LEFT - 6.0,
            at + 4.0,
        );
    }
    for at in [1.0, 2.0, 4.0, 8.0] {
        if at <= last {
            let _infallible = writeln!(
                svg,
                r#"<text x="{:.1}" y="300" text-anchor="middle">{at}×</text>"#,
                x(at)
            );
        }
    }
    for (row, (name, points)) in series.iter().enumerate() {
        let colour = COLOURS[row % COLOURS.len()];
        let path: Vec<_> = points
            .iter()
            .map(|(at, spread)| format!("{:.1},{:.1}", x(*at), y(spread.median)))
            .collect();
        let _infallible = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2.5"/>"#,
            path.join(" ")
        );
        for (at, spread) in points {
            let _infallible = writeln!(
                svg,
                r#"<line x1="{0:.1}" y1="{1:.1}" x2="{0:.1}" y2="{2:.1}" stroke="{colour}"/>"#,
                x(*at),
                y(spread.least),
                y(spread.most)
            );
        }
        let legend = TOP + 20.0 * row as f64;
        let _infallible = writeln!(
            svg,
            r#"<rect x="580" y="{:.0}" width="12" height="12" fill="{colour}"/><text x="598" y="{:.0}">{name}</text>"#,
            legend - 10.0,
            legend + 1.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn begin(title: &str, unit: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/><text x=\"12\" y=\"22\" font-weight=\"bold\">{title}</text>\
         <text x=\"{}\" y=\"22\" text-anchor=\"end\" fill=\"#555\">{unit}</text>\n",
        WIDTH - 12.0
    )
}

/// A figure with as many digits as say something.
pub(crate) fn number(figure: f64) -> String {
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
    fn figures_have_as_many_digits_as_say_something() {
        let shown = [0.0, 0.1234, 12.34, 123.4, 1_234.5, 1_234_567.0, -100.0].map(number);
        assert_eq!(shown, ["0", "0.12", "12.3", "123", "1,234", "1,234,567", "-100"]);
    }

    #[test]
    fn pictures_have_a_bar_and_a_line_for_each() {
        let spread = Spread {
            median: 2.0,
            least: 1.0,
            most: 3.0,
        };
        let svg = bars("t", "u", &[("a".to_owned(), spread), ("b".to_owned(), spread)]);
        assert_eq!(svg.matches("height=\"18\"").count(), 2);
        let points = vec![(1.0, spread), (8.0, spread)];
        let svg = lines("t", "u", &[("a".to_owned(), points)]);
        assert!(svg.contains("8×") && svg.matches("<polyline").count() == 1);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }
}
