//! The hub itself: its name, logo, welcome text and editable pages.

mod settings;

pub use settings::{HubSettings, Settings};

use actix_web::web::ServiceConfig;

use crate::app::AppState;
use crate::web::error::Result;

pub fn configure_pages(_cfg: &mut ServiceConfig) {}

/// Default pages of a new hub.
pub async fn prepare(_state: &AppState) -> Result<()> {
    Ok(())
}
