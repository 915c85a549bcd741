//! People: profiles, the directory, avatars, uploaded files.
//!
//! Invariants: only active members are in the directory and in completion, and only members see
//! them there; a file is read by its uploader, and by those who may read the text it was first
//! used in; no image is stored as it came.

mod actions;
mod api;
mod avatar;
mod avatar_actions;
mod complete;
mod events;
mod file_actions;
mod file_api;
mod file_pages;
mod files;
mod images;
pub mod model;
mod pages;
mod profile;
mod queries;
mod search;
mod settings;
mod shown_in;
pub mod words;
mod writings;

pub use events::fill_events;
pub use file_actions::{
    adopt_cover, adopt_files, adopt_into_messages, adopt_into_playbook, adopt_into_resource, adopt_into_study,
    adopt_shown, keep_file, keep_imported_picture, keep_picture, purge_files_of_message, purge_files_of_post,
    purge_files_of_resource, remove_unused_files, store_file,
};
pub use file_api::MOST as MOST_FILE;
pub use files::{clean_name, disposition, linked_files};
pub use model::{LinkView, MeView, MemberView, ProfileView};
pub use queries::own_view;
pub use search::Members;
pub use shown_in::ShownIn;
pub use words::index_words;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;

use crate::app::AppState;
use crate::entities::job;
use crate::web::error::{AppError, Result};
use crate::web::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    paths(
        api::show_me,
        api::change_me,
        api::put_avatar,
        api::delete_avatar,
        api::list_members,
        api::show_member,
        file_api::upload,
        file_api::download,
    ),
    components(schemas(MemberView, ProfileView, MeView, LinkView, file_api::FileView, file_api::UploadForm))
)]
struct Api;

#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub fn configure_api(cfg: &mut Routes) {
    cfg.service(web::resource("/me").get(api::show_me).patch(api::change_me))
        .service(web::resource("/me/avatar").put(api::put_avatar).delete(api::delete_avatar))
        .service(web::resource("/members").get(api::list_members))
        .service(web::resource("/members/{handle}").get(api::show_member))
        .service(web::resource("/files").post(file_api::upload))
        .service(web::resource("/files/{id}").get(file_api::download));
}

pub fn configure_pages(cfg: &mut Routes) {
    cfg.service(web::resource("/people").get(pages::directory))
        .service(web::resource("/people/{handle}").get(pages::profile))
        .service(web::resource("/people/{handle}/avatar").get(avatar::serve))
        .service(web::resource("/settings").get(settings::show).post(settings::save))
        .service(web::resource("/settings/avatar").post(settings::upload_avatar))
        .service(web::resource("/settings/avatar/remove").post(settings::remove_avatar))
        .service(web::resource("/upload").get(file_pages::form).post(file_pages::upload))
        .service(web::resource("/complete").get(complete::complete));
}

/// The kind of the job that removes bytes.
pub const DELETE: &str = "people.delete_blobs";

/// Stored bytes that nothing refers to any more.
#[derive(Debug, Serialize, Deserialize)]
struct DeleteBlobs {
    keys: Vec<String>,
}

pub async fn run_job(state: &AppState, job: &job::Model) -> Result<()> {
    match job.kind.as_str() {
        DELETE => {
            let payload: DeleteBlobs = serde_json::from_str(&job.payload)?;
            for key in &payload.keys {
                state.blobs.delete(key).await?;
            }
            Ok(())
        }
        _ => Err(AppError::internal(format!("no such job: {}", job.kind))),
    }
}
