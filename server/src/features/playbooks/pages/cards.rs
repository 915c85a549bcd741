//! What the templates of playbooks show, made of the feature's views.

use crate::entities::kinds::{Discipline, PartKey, StudyState, TermKind};
use crate::features::forum::model::AuthorView;
use crate::features::playbooks::chart::{self, Change, Plot};
use crate::features::playbooks::measures::Measure;
use crate::features::playbooks::model::{NameView, PartView, StudyEndorsementView, StudyRow};
use crate::features::playbooks::parts;
use crate::web::frame::Frame;

/// Somebody, by name.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub handle: String,
    pub name: String,
    pub avatar: String,
    pub detail: String,
}

impl Person {
    #[must_use]
    pub fn of(f: &Frame, who: &AuthorView) -> Self {
        let detail = if who.headline.is_empty() { discipline(f, who.discipline) } else { who.headline.clone() };
        Self {
            handle: who.handle.clone(),
            name: who.display_name.clone(),
            avatar: who.avatar_version().to_owned(),
            detail,
        }
    }

    #[must_use]
    pub fn named(who: &NameView) -> Self {
        Self { handle: who.handle.clone(), name: who.display_name.clone(), avatar: "0".into(), detail: String::new() }
    }
}

/// A discipline beside a name; "other" says nothing there.
fn discipline(f: &Frame, of: Discipline) -> String {
    if of == Discipline::Other { String::new() } else { f.of("people.discipline", of.as_str()) }
}

/// Why somebody stands behind a study.
#[derive(Clone, Debug)]
pub struct Said {
    pub who: Person,
    pub reason: String,
}

impl Said {
    #[must_use]
    pub fn of(f: &Frame, each: &StudyEndorsementView) -> Self {
        let discipline = discipline(f, each.discipline);
        let detail: Vec<&str> =
            [discipline.as_str(), &each.role, &each.organisation].into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            who: Person {
                handle: each.handle.clone(),
                name: each.display_name.clone(),
                avatar: each.avatar_version().to_owned(),
                detail: detail.join(", "),
            },
            reason: each.reason.clone(),
        }
    }
}

/// A study in a list.
#[derive(Clone, Debug)]
pub struct Row {
    pub href: String,
    pub title: String,
    pub summary: String,
    pub organisation: String,
    pub playbook: (String, String),
    pub published_at: Option<i64>,
    pub endorsements: i32,
    pub adoptions: i32,
    /// Its state in a word; empty where it needs none.
    pub label: &'static str,
    pub overdue: bool,
    pub figure: String,
}

impl Row {
    /// As readers see it: its state is told only where it is not simply published.
    #[must_use]
    pub fn of(f: &Frame, row: &StudyRow) -> Self {
        let label = match row.state {
            StudyState::Published | StudyState::Revised => "",
            other => other.as_str(),
        };
        Self::with_label(f, row, label)
    }

    /// As its authors and reviewers see it.
    #[must_use]
    pub fn inside(f: &Frame, row: &StudyRow) -> Self {
        Self::with_label(f, row, row.state.as_str())
    }

    fn with_label(f: &Frame, row: &StudyRow, label: &'static str) -> Self {
        let term = |kind| row.terms.get(&kind).and_then(|terms| terms.first()).cloned().unwrap_or_default();
        Self {
            href: row.url.clone(),
            title: row.title.clone(),
            summary: row.summary.clone(),
            organisation: term(TermKind::Organisation),
            playbook: row.playbook.as_ref().map(|of| (of.slug.clone(), of.title.clone())).unwrap_or_default(),
            published_at: row.published,
            endorsements: row.endorsement_count,
            adoptions: row.adoption_count,
            label,
            overdue: row.overdue,
            figure: row.figure.as_ref().map(|measure| headline(f, measure)).unwrap_or_default(),
        }
    }
}

/// A measure in one line: `Time to report: from 42 to 11 min`.
fn headline(f: &Frame, measure: &Measure) -> String {
    let shown = |value: Option<f64>| value.map(|value| in_unit(value, &measure.unit));
    let bare = |value: f64| if measure.unit.trim() == "%" { in_unit(value, "%") } else { chart::number(value) };
    match (measure.before, shown(measure.after), shown(measure.before)) {
        (Some(before), Some(after), _) => {
            f.with("playbooks.row.from_to", &[("name", &measure.name), ("before", &bare(before)), ("after", &after)])
        }
        (None, Some(only), _) | (_, None, Some(only)) => format!("{}: {only}", measure.name),
        _ => String::new(),
    }
}

/// A value with its unit: `11 min`, `88%`.
#[must_use]
pub fn in_unit(value: f64, unit: &str) -> String {
    with_unit(&chart::number(value), unit)
}

fn with_unit(number: &str, unit: &str) -> String {
    format!("{number}{}", chart::tail(unit))
}

/// The change of a measure in words: `−74%`, `+27.5 points`.
#[must_use]
pub fn change_of(f: &Frame, measure: &Measure) -> String {
    let (Some(before), Some(after)) = (measure.before, measure.after) else { return String::new() };
    match chart::change(before, after, &measure.unit) {
        None => String::new(),
        Some(Change::Same) => f.t("playbooks.change.same").to_owned(),
        Some(Change::Percent(number)) => format!("{number}%"),
        Some(Change::Difference(number)) => with_unit(&number, &measure.unit),
        Some(Change::Points(number)) => f.with1("playbooks.change.points", "n", &number),
    }
}

/// A number at the top of a study.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub value: String,
    pub unit: String,
    pub was: String,
}

/// Figures that the top of a page has room for.
const MOST_FIGURES: usize = 4;

/// The first measures as figures.
#[must_use]
pub fn figures(f: &Frame, measures: &[Measure]) -> Vec<Figure> {
    let figure = |measure: &Measure| {
        let (value, was) = match (measure.before, measure.after) {
            (before, Some(after)) => (after, before),
            (Some(before), None) => (before, None),
            (None, None) => return None,
        };
        let tight = matches!(measure.unit.trim(), "%" | "°");
        let change = change_of(f, measure);
        let was = was.map(|was| f.with1("playbooks.study.from", "before", &in_unit(was, &measure.unit)));
        Some(Figure {
            name: measure.name.clone(),
            value: if tight { in_unit(value, &measure.unit) } else { chart::number(value) },
            unit: if tight { String::new() } else { measure.unit.clone() },
            was: [was.unwrap_or_default(), change]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
        })
    };
    measures.iter().filter_map(figure).take(MOST_FIGURES).collect()
}

/// A measure in the plots and the table.
#[derive(Clone, Debug)]
pub struct MeasureCard {
    /// Its place, for ids.
    pub at: usize,
    pub name: String,
    pub unit: String,
    /// Each a number and what follows it, its unit.
    pub before: (String, String),
    pub after: (String, String),
    pub change: String,
    /// The time, how many, how and where from: a line each.
    pub details: Vec<String>,
    pub plot: Option<Plot>,
    /// The plot in a sentence.
    pub told: String,
}

impl MeasureCard {
    #[must_use]
    pub fn of(f: &Frame, at: usize, measure: &Measure) -> Self {
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| in_unit(value, &measure.unit));
        let plot =
            measure.before.zip(measure.after).and_then(|(before, after)| chart::plot(before, after, &measure.unit));
        let (before, after) = (shown(measure.before), shown(measure.after));
        let parted = |value: Option<f64>, shown: &str| {
            let number = value.map_or_else(|| shown.to_owned(), chart::number);
            let unit = shown.strip_prefix(number.as_str()).unwrap_or_default().to_owned();
            (number, unit)
        };
        let cells = (parted(measure.before, &before), parted(measure.after, &after));
        let mut details = Vec::new();
        let counted = measure.n.map(|n| f.with1("playbooks.study.cases", "n", &crate::web::words::grouped(n)));
        let when: Vec<String> =
            [Some(measure.period.clone()), counted].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        if !when.is_empty() {
            details.push(when.join(" · "));
        }
        if !measure.method.is_empty() {
            details.push(measure.method.clone());
        }
        if !measure.source.is_empty() {
            details.push(f.with1("playbooks.study.source", "source", &measure.source));
        }
        Self {
            at,
            told: f.with("playbooks.plot.told", &[("name", &measure.name), ("before", &before), ("after", &after)]),
            name: measure.name.clone(),
            unit: measure.unit.clone(),
            change: change_of(f, measure),
            before: cells.0,
            after: cells.1,
            details,
            plot,
        }
    }
}

/// A named field of a part.
#[derive(Clone, Debug)]
pub struct FieldCard {
    pub title: String,
    pub text: String,
    /// Empty for a line.
    pub html: String,
}

/// A part as readers get it.
#[derive(Clone, Debug)]
pub struct PartCard {
    pub key: &'static str,
    pub title: String,
    pub html: String,
    /// Of a part that is one line.
    pub line: String,
    pub fields: Vec<FieldCard>,
}

impl PartCard {
    #[must_use]
    pub fn of(part: &PartView) -> Self {
        let fields = parts::fields(part.key).iter().filter_map(|field| {
            let text = part.fields.get(field.name).filter(|text| !text.is_empty())?;
            Some(FieldCard {
                title: parts::field_title(field.name),
                text: text.clone(),
                html: part.fields_html.get(field.name).cloned().unwrap_or_default(),
            })
        });
        Self {
            key: part.key.as_str(),
            title: parts::title(part.key),
            html: part.body_html.clone(),
            line: if part.body_html.is_empty() { part.body.clone() } else { String::new() },
            fields: fields.collect(),
        }
    }
}

/// Parts that stand at the top or at the side of the page and not in its text.
#[must_use]
pub const fn elsewhere(key: PartKey) -> bool {
    matches!(key, PartKey::Summary | PartKey::Owner | PartKey::ReviewDue)
}
