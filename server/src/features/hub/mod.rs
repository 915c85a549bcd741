//! The hub itself: its name, logo, welcome text and editable pages.

pub mod logo;
pub mod pages;
mod settings;

pub use settings::{HubSettings, Settings};

use actix_web::web;

use crate::app::AppState;
use crate::web::error::Result;
use crate::web::routes::Routes;

pub fn configure_pages(cfg: &mut Routes) {
    for (slug, _) in pages::PAGES {
        cfg.route(&format!("/{slug}"), web::get().to(pages::show));
    }
    cfg.route("/logo", web::get().to(logo::serve));
}

/// Default pages of a new hub.
pub async fn prepare(state: &AppState) -> Result<()> {
    pages::prepare(state).await
}
