//! What of a file is shown in the page: a picture, its pages of text, its tables.

use std::collections::HashSet;

use crate::app::AppState;
use crate::features::library::model::{PageText, VersionView};
use crate::features::library::queries::{self, Shown};
use crate::text;
use crate::web::checks::BODY;
use crate::web::error::Result;
use crate::web::words::english;

/// Rows of a table, and cells of a row, that a page shows.
const MOST_ROWS: usize = 200;
const MOST_CELLS: usize = 30;

/// One page of a file.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub number: i32,
    pub label: String,
    /// Rows of cells, if it is a table.
    pub rows: Vec<Vec<String>>,
    /// It has more rows than are shown.
    pub cut: bool,
    pub text: String,
    /// Rendered Markdown instead of the text.
    pub html: String,
}

impl Sheet {
    fn of(page: PageText, markdown: Option<&str>) -> Self {
        let mut sheet = Self {
            number: page.number,
            label: page.label,
            rows: Vec::new(),
            cut: false,
            text: String::new(),
            html: String::new(),
        };
        if page.table {
            let rows = |line: &str| line.split('\t').take(MOST_CELLS).map(str::to_owned).collect();
            sheet.rows = page.text.lines().take(MOST_ROWS).map(rows).collect();
            sheet.cut = page.text.lines().count() > MOST_ROWS;
        } else if let Some(origin) = markdown {
            sheet.html = rendered(&page.text, origin);
        } else {
            sheet.text = page.text;
        }
        sheet
    }

    /// Cells of the first row, and of the others.
    #[must_use]
    pub fn head(&self) -> &[String] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn body(&self) -> &[Vec<String>] {
        self.rows.get(1..).unwrap_or_default()
    }
}

/// What a page shows of a version.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    pub sheets: Vec<Sheet>,
    /// The page to go on from.
    pub next: Option<i32>,
    /// The page that these begin with is not the first.
    pub later: bool,
    /// Pages have numbers that mean something to people.
    pub numbered: bool,
}

/// The preview of a version from one of its pages on. `origin`: of the hub, for links.
pub async fn of(state: &AppState, version: &VersionView, from: i32) -> Result<Preview> {
    let Some(file) = version.file.as_ref().filter(|file| file.is_served() && file.pages > 0) else {
        return Ok(Preview::default());
    };
    let Shown { pages, next } = queries::shown_pages(state, &file.sha256, from.max(1)).await?;
    let markdown = (file.media_type == "text/markdown").then(|| state.origin());
    let numbered = file.pages > 1 && !file.media_type.starts_with("text/");
    let sheets = pages.into_iter().map(|page| Sheet::of(page, markdown)).collect();
    Ok(Preview { sheets, next, later: from > 1, numbered })
}

/// Markdown of a file, which names nobody here. What stands before it in a block of its own is said
/// beside it already.
fn rendered(markdown: &str, origin: &str) -> String {
    let body: String = without_front(markdown).chars().take(BODY).collect();
    let (words, nobody) = (english(), HashSet::new());
    let links = text::Links {
        members: &nobody,
        origin,
        hard_breaks: false,
        words: text::Words {
            table: words.t("forum.table"),
            done: words.t("forum.task_done"),
            not_done: words.t("forum.task_open"),
        },
    };
    text::render_section(&body, &links).html
}

/// Markdown without its front matter.
fn without_front(markdown: &str) -> &str {
    let Some(rest) = markdown.strip_prefix("---\n") else { return markdown };
    match rest.split_once("\n---") {
        Some((_, after)) => after.split_once('\n').map_or("", |(_, body)| body),
        None => markdown,
    }
}
