//! What programs ask for at fixed addresses: `/robots.txt` and `/favicon.ico`.

use actix_web::HttpResponse;

use super::assets::assets;
use super::error::{AppError, Result};

/// What visitors read may be found. What only leads to forms, acts and other views of the same is
/// nothing to index; what is hidden is hidden by rights and not by this.
const ROBOTS: &str = "User-agent: *
Disallow: /api/
Disallow: /admin
Disallow: /ask
Disallow: /bookmarks
Disallow: /claim
Disallow: /complete
Disallow: /forgot
Disallow: /invite/
Disallow: /login
Disallow: /members/
Disallow: /people
Disallow: /posts/
Disallow: /register
Disallow: /reports
Disallow: /reset/
Disallow: /settings
Disallow: /setup
Disallow: /unsubscribe/
Disallow: /verify/
Disallow: /s/*/new
Disallow: /s/*/t/*/edit
Disallow: /*?at=
Disallow: /*?view=
Allow: /
";

/// `GET /robots.txt`
pub async fn robots() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("Cache-Control", "public, max-age=86400"))
        .body(ROBOTS)
}

/// `GET /favicon.ico`: browsers that have seen no page ask for it.
pub async fn favicon() -> Result<HttpResponse> {
    let address = assets().address("favicon.svg").ok_or(AppError::NotFound)?;
    Ok(HttpResponse::Found()
        .insert_header(("Location", address))
        .insert_header(("Cache-Control", "public, max-age=3600"))
        .finish())
}
