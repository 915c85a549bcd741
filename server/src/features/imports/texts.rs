//! Texts on their way in: converted, measured, checked and rendered, on all cores.

use std::collections::HashSet;
use std::sync::Arc;

use crate::text::{self, Links};
use crate::web::checks::{BODY, MESSAGE, Text, check};
use crate::web::error::{AppError, Result};
use crate::web::words::english;

/// A text as it is saved.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    pub body: String,
    pub html: String,
    /// It was longer than the hub takes.
    pub cut: bool,
}

/// A text from HTML; relative addresses are resolved against `base`.
#[must_use]
pub fn from_html(html: &str, base: Option<&str>) -> Ready {
    from_markdown(&text::html_to_markdown(html, base))
}

/// A text from Markdown. Handles in it are those of another site, so none is a mention here.
#[must_use]
pub fn from_markdown(markdown: &str) -> Ready {
    ready(markdown, BODY, false)
}

/// A message of a chat, from Markdown.
#[must_use]
pub fn from_message(markdown: &str) -> Ready {
    ready(markdown, MESSAGE, true)
}

fn ready(markdown: &str, most: usize, hard_breaks: bool) -> Ready {
    let (body, cut) = fitting(markdown, most);
    let words = english();
    let nobody = HashSet::new();
    let links = Links {
        members: &nobody,
        origin: "",
        hard_breaks,
        words: text::Words {
            table: words.t("forum.table"),
            done: words.t("forum.task_done"),
            not_done: words.t("forum.task_open"),
        },
    };
    let html = text::render(&body, &links).html;
    Ready { body, html, cut }
}

/// The text as the gate for texts lets it through, cut where it is too long.
#[must_use]
pub fn fitting(text: &str, most: usize) -> (String, bool) {
    let cut = text.len() > most && text.chars().count() > most;
    let short: String = if cut { text.chars().take(most).collect() } else { text.to_owned() };
    let short: String = short.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect();
    // Confirmed: what was public elsewhere is not asked about again, row by row.
    let checked = check(&[Text::body("body", &short, most)], true).unwrap_or_default();
    (checked.get("body").to_owned(), cut)
}

/// A line as the gate for texts lets it through, cut where it is too long.
#[must_use]
pub fn fitting_line(text: &str, most: usize) -> String {
    let clean = text::clean(&text.replace(char::is_control, " "), usize::MAX, true).unwrap_or_default();
    let short: String = clean.chars().take(most).collect();
    let checked = check(&[Text::line("title", &short, most)], true).unwrap_or_default();
    checked.get("title").to_owned()
}

/// Does the same to many things, on all cores, in their order.
pub async fn on_all_cores<T, U>(mut items: Vec<T>, work: impl Fn(T) -> U + Send + Sync + 'static) -> Result<Vec<U>>
where
    T: Send + 'static,
    U: Send + 'static,
{
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    let work = Arc::new(work);
    let mut tasks = Vec::with_capacity(cores);
    while !items.is_empty() {
        let rest = items.split_off(share.min(items.len()));
        let part = std::mem::replace(&mut items, rest);
        let work = Arc::clone(&work);
        tasks.push(tokio::task::spawn_blocking(move || part.into_iter().map(|item| work(item)).collect::<Vec<U>>()));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await.map_err(|_| AppError::internal("a text could not be converted"))?);
    }
    Ok(done)
}
