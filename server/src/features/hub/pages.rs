//! The hub's own pages: privacy, conduct, accessibility.
//!
//! A page has a version that grows with every change; registering notes which version of the
//! conduct page somebody accepted.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::app::AppState;
use crate::entities::page;
use crate::features::people::{self, ShownIn};
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::text::{self, Links};
use crate::web::error::{AppError, Result};
use crate::web::etag::IfMatch;
use crate::web::frame::{self, Frame};
use crate::web::viewer::Viewer;
use crate::web::words::english;

/// The slugs of the pages, in the order of the footer, with the text of a new hub.
pub const PAGES: [(&str, &str); 3] = [
    ("privacy", include_str!("../../../words/en/pages/privacy.md")),
    ("conduct", include_str!("../../../words/en/pages/conduct.md")),
    ("accessibility", include_str!("../../../words/en/pages/accessibility.md")),
];

/// Makes the pages that are missing.
pub async fn prepare(state: &AppState) -> Result<()> {
    let rows: Vec<page::ActiveModel> = PAGES
        .iter()
        .map(|(slug, body)| page::ActiveModel {
            slug: Set((*slug).to_owned()),
            title: Set(english().of("admin.page", slug)),
            body: Set((*body).to_owned()),
            body_html: Set(render(state, body)),
            version: Set(1),
            updated_at: Set(state.clock.now()),
            updated_by: Set(None),
        })
        .collect();
    let there = page::Entity::find().all(state.store.read()).await?;
    if PAGES.iter().all(|(slug, _)| there.iter().any(|page| page.slug == *slug)) {
        return Ok(());
    }
    state
        .store
        .write(async move |tx| {
            page::Entity::insert_many(rows.clone())
                .on_conflict(OnConflict::column(page::Column::Slug).do_nothing().to_owned())
                .exec_without_returning(tx.conn())
                .await?;
            Ok(())
        })
        .await
}

/// A text of the hub itself as HTML. Its headings come right below the page's own.
#[must_use]
pub fn render(state: &AppState, source: &str) -> String {
    let words = english();
    let links = Links {
        members: &HashSet::new(),
        origin: state.origin(),
        hard_breaks: false,
        words: text::Words {
            table: words.t("admin.text.table"),
            done: words.t("admin.text.done"),
            not_done: words.t("admin.text.not_done"),
        },
    };
    raise_headings(text::render(source, &links).html)
}

/// Texts begin at `h3`; on a page of their own, the highest level used becomes `h2`. Only our
/// renderer writes these tags: what members write as markup is escaped.
fn raise_headings(mut html: String) -> String {
    let Some(first) = (3..=6).find(|level| html.contains(&format!("<h{level}>"))) else { return html };
    for level in first..=6 {
        let to = level - (first - 2);
        html = html
            .replace(&format!("<h{level}>"), &format!("<h{to}>"))
            .replace(&format!("</h{level}>"), &format!("</h{to}>"));
    }
    html
}

/// A page by its slug.
pub async fn find(state: &AppState, slug: &str) -> Result<page::Model> {
    page::Entity::find_by_id(slug).one(state.store.read()).await?.ok_or(AppError::NotFound)
}

/// All pages, in the order of the footer.
pub async fn all(state: &AppState) -> Result<Vec<page::Model>> {
    let mut rows = page::Entity::find().all(state.store.read()).await?;
    rows.retain(|row| PAGES.iter().any(|(slug, _)| *slug == row.slug));
    rows.sort_by_key(|row| PAGES.iter().position(|(slug, _)| *slug == row.slug));
    Ok(rows)
}

/// Saves a new version of a page; 412 if somebody else saved one meanwhile.
pub async fn save(
    tx: &mut Tx,
    actor: i64,
    slug: &str,
    title: &str,
    body: &str,
    html: &str,
    seen: IfMatch,
) -> Result<()> {
    let row = page::Entity::find_by_id(slug).one(tx.conn()).await?.ok_or(AppError::NotFound)?;
    seen.check(row.version)?;
    if row.title == title && row.body == body {
        return Ok(());
    }
    let new = page::ActiveModel {
        slug: Set(row.slug),
        title: Set(title.to_owned()),
        body: Set(body.to_owned()),
        body_html: Set(html.to_owned()),
        version: Set(row.version + 1),
        updated_at: Set(tx.now()),
        updated_by: Set(Some(actor)),
    };
    page::Entity::update(new).exec(tx.conn()).await?;
    people::adopt_shown(tx, actor, ShownIn::Hub, html).await?;
    tx.append(Stream::HUB, NewEvent::new("hub.changed", 0, Some(actor)));
    Ok(())
}

#[derive(Template)]
#[template(path = "hub/templates/page.html")]
struct StaticPage<'a> {
    f: &'a Frame,
    page: &'a page::Model,
    date: String,
}

/// `GET /privacy`, `/conduct`, `/accessibility`
pub async fn show(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer) -> Result<HttpResponse> {
    let page = find(&state, req.path().trim_start_matches('/')).await?;
    let f = Frame::new(&state, &req, &viewer).await?;
    frame::page(&f, &StaticPage { f: &f, date: frame::date(page.updated_at), page: &page })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_highest_heading_of_a_page_comes_below_its_title() {
        let raised = super::raise_headings("<h4>a</h4><p>x</p><h5>b</h5>".into());
        assert_eq!(raised, "<h2>a</h2><p>x</p><h3>b</h3>");
        assert_eq!(super::raise_headings("<h3>a</h3>".into()), "<h2>a</h2>");
        assert_eq!(super::raise_headings("<p>a</p>".into()), "<p>a</p>");
    }
}
