//! Every route: a table of contents.

use actix_web::web::{self, ServiceConfig};

use super::health;
use crate::web::{assets, error::AppError, metrics, openapi, openapi_page, routes::Routes};
use crate::{features, realtime};

pub fn configure(cfg: &mut ServiceConfig) {
    let (mut pages, mut api) = (Routes::default(), Routes::default());
    pages
        .route("/assets/{hash}/{name}", web::get().to(assets::serve))
        .route("/healthz", web::get().to(health::live))
        .route("/readyz", web::get().to(health::ready))
        .route("/metrics", web::get().to(metrics::serve))
        .route("/api/openapi.json", web::get().to(openapi::serve))
        .route("/api/docs", web::get().to(openapi_page::serve));
    features::configure_pages(&mut pages);
    api.route("/ws", web::get().to(realtime::open));
    features::configure_api(&mut api);
    cfg.service(web::scope("/api/v1").configure(|cfg| api.install(cfg)));
    pages.install(cfg);
    cfg.default_service(web::to(async || Err::<&str, _>(AppError::NotFound)));
}
