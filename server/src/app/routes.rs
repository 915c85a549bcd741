//! Every route: a table of contents.

use actix_web::web::{self, ServiceConfig};

use super::health;
use crate::web::{assets, error::AppError, metrics, openapi, openapi_page};
use crate::{features, realtime};

pub fn configure(cfg: &mut ServiceConfig) {
    cfg.route("/assets/{hash}/{name}", web::get().to(assets::serve));
    cfg.route("/healthz", web::get().to(health::live));
    cfg.route("/readyz", web::get().to(health::ready));
    cfg.route("/metrics", web::get().to(metrics::serve));
    cfg.route("/api/openapi.json", web::get().to(openapi::serve));
    cfg.route("/api/docs", web::get().to(openapi_page::serve));
    cfg.service(web::scope("/api/v1").route("/ws", web::get().to(realtime::open)).configure(features::configure_api));
    cfg.configure(features::configure_pages);
    cfg.default_service(web::to(async || Err::<&str, _>(AppError::NotFound)));
}
