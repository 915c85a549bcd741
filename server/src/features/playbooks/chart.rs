//! A measure before and after, as a plot. Pure geometry; `_plot.html` draws it.
//!
//! Bars begin at zero, so that their lengths can be compared by eye. Places and widths are shares
//! of the plot's own width, so that the words in it keep their size on a narrow screen.

use crate::web::words::grouped;

/// Share of the width that the longest bar may take; what is left is for its value.
const LONGEST: f64 = 72.0;
/// Letters of a value that find room there on a narrow screen.
const ROOM: usize = 7;
/// The same with its unit, which is written smaller.
const ROOM_WITH_UNIT: usize = 8;
const MINUS: char = '\u{2212}';

/// One bar: where it begins, how long it is, and where its value stands, in per cent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub x: String,
    pub width: String,
    pub end: String,
    /// The value as people read it.
    pub value: String,
    /// What follows it, with the space between them; empty where it has no room.
    pub unit: String,
    /// Whether it has room behind the bar; else it stands above, at the end of the line.
    pub beside: bool,
}

/// Before and after on one scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    pub before: Bar,
    pub after: Bar,
    /// Where zero is.
    pub zero: String,
}

/// The plot of two values of one unit; `None` if either is no finite number.
#[must_use]
pub fn plot(before: f64, after: f64, unit: &str) -> Option<Plot> {
    if !before.is_finite() || !after.is_finite() {
        return None;
    }
    let low = before.min(after).min(0.0);
    let high = before.max(after).max(0.0);
    // Halves, as the difference of two finite numbers may not be one.
    let span = high / 2.0 - low / 2.0;
    let share = |value: f64| if span > 0.0 { (value / 2.0 - low / 2.0) / span * LONGEST } else { 0.0 };
    // Both alike, so that they can be compared.
    let longest = number(before).chars().count().max(number(after).chars().count());
    let beside = longest <= ROOM;
    let unit = Some(tail(unit)).filter(|unit| {
        let letters = unit.chars().count();
        if beside { longest + letters <= ROOM_WITH_UNIT } else { letters <= ROOM }
    });
    let unit = unit.unwrap_or_default();
    let bar = |value: f64| {
        let (from, to) = (share(value.min(0.0)), share(value.max(0.0)));
        let (x, width, end) = (percent(from), percent(to - from), percent(to));
        Bar { x, width, end, value: number(value), unit: unit.clone(), beside }
    };
    Some(Plot { before: bar(before), after: bar(after), zero: percent(share(0.0)) })
}

/// A unit as it follows a number: `%`, ` min`.
#[must_use]
pub fn tail(unit: &str) -> String {
    match unit.trim() {
        "" => String::new(),
        unit @ ("%" | "°") => unit.to_owned(),
        unit => format!(" {unit}"),
    }
}

fn percent(share: f64) -> String {
    format!("{}%", trimmed(format!("{:.2}", share.clamp(0.0, 100.0))))
}

/// What changed, for a headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    /// Relative to before, with its sign: `−74`.
    Percent(String),
    /// From one side of zero to the other, of which no share can be told: the difference, with its sign.
    Difference(String),
    /// The unit is a percentage itself: the difference in points, with its sign.
    Points(String),
}

/// The change from before to after; `None` where it cannot be told as a share.
#[must_use]
pub fn change(before: f64, after: f64, unit: &str) -> Option<Change> {
    if !before.is_finite() || !after.is_finite() {
        return None;
    }
    #[expect(clippy::float_cmp, reason = "the same number was entered twice")]
    if before == after {
        return Some(Change::Same);
    }
    if matches!(unit.trim().to_lowercase().as_str(), "%" | "percent" | "per cent") {
        return Some(Change::Points(signed(after - before, 1)));
    }
    if (before < 0.0 && after > 0.0) || (before > 0.0 && after < 0.0) {
        let difference = after - before;
        let sign = if difference > 0.0 { "+" } else { "" };
        return difference.is_finite().then(|| Change::Difference(format!("{sign}{}", number(difference))));
    }
    let share = (after - before) / before.abs() * 100.0;
    (before != 0.0 && share.is_finite() && share.abs() < 100_000.0).then(|| Change::Percent(signed(share, 0)))
}

/// With its sign and at most one decimal; of ten and more as many as `decimals`.
fn signed(value: f64, decimals: usize) -> String {
    let decimals = if value.abs() < 10.0 { 1 } else { decimals };
    let digits = format!("{:.decimals$}", value.abs());
    let shown = group(&trimmed(digits));
    if value < 0.0 { format!("{MINUS}{shown}") } else { format!("+{shown}") }
}

/// A number as people read it: `1,234.5`, at most four decimals, a true minus.
#[must_use]
pub fn number(value: f64) -> String {
    if value.abs() >= 1e15 || (value != 0.0 && value.abs() < 1e-4) {
        return format!("{value:.3e}").replace('-', &MINUS.to_string());
    }
    let shown = group(&trimmed(format!("{:.4}", value.abs())));
    if value < 0.0 && shown != "0" { format!("{MINUS}{shown}") } else { shown }
}

/// Groups the digits before the point.
fn group(digits: &str) -> String {
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let whole = whole.parse::<i64>().map_or_else(|_| whole.to_owned(), grouped);
    rest.map_or_else(|| whole.clone(), |rest| format!("{whole}.{rest}"))
}

fn trimmed(mut digits: String) -> String {
    if digits.contains('.') {
        let kept = digits.trim_end_matches('0').trim_end_matches('.').len();
        digits.truncate(kept);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_share_a_scale_and_begin_at_zero() {
        let both = plot(42.0, 10.5, "min").unwrap();
        assert_eq!((both.before.x.as_str(), both.before.width.as_str()), ("0%", "72%"));
        assert_eq!((both.after.width.as_str(), both.after.value.as_str()), ("18%", "10.5"));
        assert_eq!(both.zero, "0%");
    }

    #[test]
    fn values_below_zero_hang_to_the_left_of_it() {
        let both = plot(-30.0, 10.0, "").unwrap();
        assert_eq!(both.zero, "54%");
        assert_eq!((both.before.x.as_str(), both.before.width.as_str()), ("0%", "54%"));
        assert_eq!((both.after.x.as_str(), both.after.end.as_str()), ("54%", "72%"));
        assert_eq!(both.before.value, "−30");
    }

    #[test]
    fn a_long_value_stands_where_it_has_room() {
        assert!(plot(42.0, 1_234.5, "").unwrap().before.beside);
        let long = plot(42.0, 123_456_789.12, "").unwrap();
        assert!(!long.before.beside && !long.after.beside);
    }

    #[test]
    fn a_unit_follows_its_value_where_it_has_room() {
        for (before, after, unit, shown) in [
            (42.0, 11.0, "min", " min"),
            (61.0, 88.5, " % ", "%"),
            (19.0, 4.0, "hours", " hours"),
            (19.0, 4.5, "minutes", ""),
            (1_234.5, 4.0, "hours", ""),
            (19.0, 4.0, "", ""),
            (123_456_789.12, 4.0, "£", " £"),
            (123_456_789.12, 4.0, "points of the score", ""),
        ] {
            let both = plot(before, after, unit).unwrap();
            assert_eq!(
                (both.before.unit.as_str(), both.after.unit.as_str()),
                (shown, shown),
                "{before} {after} {unit}"
            );
        }
    }

    #[test]
    fn nothing_is_plotted_of_what_is_no_number() {
        assert_eq!(plot(f64::NAN, 1.0, ""), None);
        assert_eq!(plot(1.0, f64::INFINITY, ""), None);
        let none = plot(0.0, 0.0, "").unwrap();
        assert_eq!((none.before.width.as_str(), none.zero.as_str()), ("0%", "0%"));
        let far = plot(f64::MAX, f64::MIN, "").unwrap();
        assert_eq!((far.zero.as_str(), far.before.end.as_str()), ("36%", "72%"));
    }

    #[test]
    fn changes_read_as_people_say_them() {
        assert_eq!(change(42.0, 11.0, "minutes"), Some(Change::Percent("−74".into())));
        assert_eq!(change(40.0, 41.5, "minutes"), Some(Change::Percent("+3.8".into())));
        assert_eq!(change(61.0, 88.0, "%"), Some(Change::Points("+27".into())));
        assert_eq!(change(5.0, 5.0, "beds"), Some(Change::Same));
        assert_eq!(change(0.0, 5.0, "beds"), None);
        assert_eq!(change(-10.0, -5.0, "beds"), Some(Change::Percent("+50".into())));
        assert_eq!(change(-5.0, 3.0, "beds"), Some(Change::Difference("+8".into())));
        assert_eq!(change(1200.0, -0.5, "beds"), Some(Change::Difference("−1,200.5".into())));
        assert_eq!(change(f64::MAX, f64::MIN, "beds"), None);
    }

    #[test]
    fn numbers_are_grouped_and_short() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1_234_567.25, "1,234,567.25"),
            (0.1 + 0.2, "0.3"),
            (-1_000.0, "−1,000"),
            (1e20, "1.000e20"),
            (0.000_01, "1.000e−5"),
        ] {
            assert_eq!(number(value), shown);
        }
    }
}
