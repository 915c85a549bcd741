//! Hub-wide settings, kept in mind while the hub's stream stands still.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::app::AppState;
use crate::entities::setting;
use crate::locks::{reading, writing};
use crate::store::Tx;
use crate::streams::{NewEvent, Stream};
use crate::web::error::Result;

/// What every page may need of the hub.
#[derive(Clone, Debug)]
pub struct HubSettings {
    pub name: Arc<str>,
    /// Address of the logo.
    pub logo: Option<Arc<str>>,
    /// Welcome text as sanitised HTML, and as written.
    pub welcome_html: Arc<str>,
    pub welcome: Arc<str>,
    /// Whether members may make spaces, or only facilitators and administrators.
    pub members_make_spaces: bool,
    head: i64,
}

/// The settings as last read.
#[derive(Debug, Default)]
pub struct Settings {
    known: RwLock<Option<HubSettings>>,
}

const KEYS: [&str; 5] = ["hub.name", "hub.logo", "hub.welcome", "hub.welcome_html", "hub.members_make_spaces"];

impl Settings {
    /// The settings; read again when the hub's stream has moved.
    pub async fn current(&self, state: &AppState) -> Result<HubSettings> {
        let db = state.store.read();
        let head = state.heads.current(db, Stream::HUB).await?;
        if let Some(settings) = reading(&self.known).as_ref().filter(|known| known.head == head) {
            return Ok(settings.clone());
        }
        let rows = setting::Entity::find().filter(setting::Column::Key.is_in(KEYS)).all(db).await?;
        let mut values: HashMap<String, String> = rows.into_iter().map(|row| (row.key, row.value)).collect();
        let mut take = |key: &str| values.remove(key).filter(|value| !value.is_empty());
        let settings = HubSettings {
            name: take("hub.name").map_or_else(|| "Praxis".into(), Arc::from),
            logo: take("hub.logo").map(Arc::from),
            welcome: take("hub.welcome").unwrap_or_default().into(),
            welcome_html: take("hub.welcome_html").unwrap_or_default().into(),
            members_make_spaces: take("hub.members_make_spaces").as_deref() != Some("off"),
            head,
        };
        *writing(&self.known) = Some(settings.clone());
        Ok(settings)
    }

    /// Writes one setting and tells every page.
    pub async fn set(tx: &mut Tx, actor: i64, key: &'static str, value: &str) -> Result<()> {
        let row = setting::ActiveModel { key: Set(key.into()), value: Set(value.into()), updated_at: Set(tx.now()) };
        setting::Entity::insert(row)
            .on_conflict(
                OnConflict::column(setting::Column::Key)
                    .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await?;
        tx.append(Stream::HUB, NewEvent::new("hub.changed", 0, Some(actor)));
        Ok(())
    }
}
