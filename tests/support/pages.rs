//! The list of all pages, with what six viewers get; permission, validity and accessibility tests
//! walk it.

use super::{Client, TestHub};

/// Path as routed, and statuses for: anonymous, outsider, member, moderator, owner, administrator.
/// The space is private, and the administrator has not joined it.
pub const PAGES: &[(&str, [u16; 6])] = &[
    // Home and lists
    ("/", [200, 200, 200, 200, 200, 200]),
    ("/topics", [200, 200, 200, 200, 200, 200]),
    ("/tags", [200, 200, 200, 200, 200, 200]),
    ("/tags/{tag}", [200, 200, 200, 200, 200, 200]),
    ("/bookmarks", [303, 200, 200, 200, 200, 200]),
    // Who may write in one space only is led there.
    ("/ask", [303, 303, 200, 200, 200, 303]),
    // Accounts
    ("/setup", [404, 404, 404, 404, 404, 404]),
    ("/register", [200, 303, 303, 303, 303, 303]),
    ("/login", [200, 303, 303, 303, 303, 303]),
    ("/forgot", [200, 200, 200, 200, 200, 200]),
    ("/claim", [200, 200, 200, 200, 200, 200]),
    ("/reset/{token}", [404, 404, 404, 404, 404, 404]),
    ("/invite/{token}", [404, 303, 303, 303, 303, 303]),
    ("/verify/{token}", [404, 404, 404, 404, 404, 404]),
    ("/unsubscribe/{member}/{token}", [404, 404, 404, 404, 404, 404]),
    ("/settings/account", [303, 200, 200, 200, 200, 200]),
    ("/settings/mail", [303, 200, 200, 200, 200, 200]),
    ("/settings/sessions", [303, 200, 200, 200, 200, 200]),
    ("/settings/tokens", [303, 200, 200, 200, 200, 200]),
    // People
    ("/settings", [303, 200, 200, 200, 200, 200]),
    ("/people", [303, 200, 200, 200, 200, 200]),
    ("/people/{handle}", [303, 200, 200, 200, 200, 200]),
    ("/upload", [303, 200, 200, 200, 200, 200]),
    ("/people/{handle}/avatar", [200, 200, 200, 200, 200, 200]),
    // Spaces
    ("/spaces", [200, 200, 200, 200, 200, 200]),
    ("/spaces/new", [303, 200, 200, 200, 200, 200]),
    ("/s/{slug}", [404, 200, 200, 200, 200, 200]),
    ("/s/{slug}/members", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/settings", [303, 404, 403, 403, 200, 404]),
    // Forum
    ("/s/{slug}/new", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/t/{id}", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/t/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/posts/{id}", [404, 404, 303, 303, 303, 404]),
    ("/posts/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/posts/{id}/history", [404, 404, 200, 200, 200, 404]),
    ("/posts/{id}/menu", [303, 404, 200, 200, 200, 404]),
    // Chat
    ("/rooms", [303, 200, 200, 200, 200, 200]),
    ("/s/{slug}/chat", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/thread/{message}", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/pins", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/topics", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/day", [303, 404, 303, 303, 303, 404]),
    ("/s/{slug}/chat/{room}/day/{day}", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/settings", [303, 404, 200, 200, 200, 404]),
    ("/s/{slug}/chat/{room}/make-topic", [303, 404, 200, 200, 200, 404]),
    // Between the member and the owner.
    ("/direct", [303, 200, 200, 200, 200, 200]),
    ("/direct/{id}", [303, 404, 200, 404, 200, 404]),
    ("/direct/{id}/thread/{message}", [303, 404, 200, 404, 200, 404]),
    ("/direct/{id}/pins", [303, 404, 200, 404, 200, 404]),
    ("/direct/{id}/topics", [303, 404, 200, 404, 200, 404]),
    ("/direct/{id}/day", [303, 404, 303, 404, 303, 404]),
    ("/direct/{id}/day/{day}", [303, 404, 200, 404, 200, 404]),
    ("/direct/{id}/settings", [303, 404, 200, 404, 200, 404]),
    // Of the owner.
    ("/messages/{id}", [303, 404, 303, 303, 303, 404]),
    ("/messages/{id}/menu", [303, 404, 200, 200, 200, 404]),
    ("/messages/{id}/history", [303, 404, 200, 200, 200, 404]),
    ("/messages/{id}/edit", [303, 404, 403, 403, 200, 404]),
    ("/messages/{id}/purge", [303, 404, 403, 200, 200, 404]),
    ("/messages/{id}/report", [303, 404, 200, 200, 200, 404]),
    ("/notices", [303, 200, 200, 200, 200, 200]),
    // Library
    ("/library", [200, 200, 200, 200, 200, 200]),
    ("/library/reviews", [303, 200, 200, 200, 200, 200]),
    ("/s/{slug}/library", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/library/new", [404, 404, 200, 200, 200, 404]),
    ("/s/{slug}/collections/new", [404, 404, 200, 200, 200, 404]),
    ("/collections/{id}", [404, 404, 200, 200, 200, 404]),
    ("/collections/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/resources/{id}", [404, 404, 200, 200, 200, 404]),
    ("/resources/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/resources/{id}/versions", [404, 404, 200, 200, 200, 404]),
    ("/resources/{id}/report", [303, 404, 200, 200, 200, 404]),
    ("/resources/{id}/purge", [303, 404, 403, 200, 200, 404]),
    ("/reports/library", [303, 403, 403, 200, 200, 200]),
    ("/search", [200, 200, 200, 200, 200, 200]),
    ("/search?q=alerts", [200, 200, 200, 200, 200, 200]),
    // Playbooks: restricted to the space; the study is the author's and the owner's, published
    // once and submitted again.
    ("/playbooks", [200, 200, 200, 200, 200, 200]),
    ("/playbooks/new", [303, 200, 200, 200, 200, 200]),
    ("/playbooks/{slug}", [404, 404, 200, 200, 200, 404]),
    ("/playbooks/{slug}/feed.atom", [404, 404, 200, 200, 200, 404]),
    ("/playbooks/{slug}/users", [404, 404, 200, 200, 200, 404]),
    ("/playbooks/{slug}/reviews", [303, 404, 403, 200, 200, 404]),
    ("/playbooks/{slug}/edit", [303, 404, 403, 200, 200, 404]),
    ("/playbooks/{slug}/scenarios/new", [303, 404, 403, 200, 200, 404]),
    ("/playbooks/{slug}/scenarios/{id}/edit", [303, 404, 403, 200, 200, 404]),
    ("/adoptions", [200, 200, 200, 200, 200, 200]),
    ("/case-studies", [303, 200, 200, 200, 200, 200]),
    ("/case-studies/browse", [200, 200, 200, 200, 200, 200]),
    ("/case-studies/new", [303, 200, 200, 200, 200, 200]),
    ("/case-studies/{slug}", [404, 404, 200, 200, 200, 404]),
    ("/case-studies/{slug}/cite.{format}", [404, 404, 200, 200, 200, 404]),
    ("/case-studies/{slug}/history", [404, 404, 200, 200, 200, 404]),
    ("/case-studies/{slug}/edit", [303, 404, 403, 403, 200, 404]),
    ("/case-studies/{slug}/edit/about", [303, 404, 403, 403, 200, 404]),
    ("/case-studies/{slug}/edit/{key}", [303, 404, 403, 403, 200, 404]),
    ("/case-studies/{slug}/edit/{key}/figure", [303, 404, 403, 403, 200, 404]),
    ("/case-studies/{slug}/edit/{key}/history", [303, 404, 403, 200, 200, 404]),
    ("/case-studies/{slug}/endorsements", [404, 404, 200, 200, 200, 404]),
    ("/case-studies/{slug}/adoptions", [404, 404, 200, 200, 200, 404]),
    // It wants the part, too.
    ("/case-studies/{slug}/comments", [303, 404, 403, 404, 404, 404]),
    // The comment of another: it is none of theirs.
    ("/case-studies/{slug}/comments/{id}/edit", [303, 404, 403, 404, 404, 404]),
    // Nobody reports their own.
    ("/case-studies/{slug}/report", [303, 404, 200, 200, 403, 404]),
    ("/case-studies/{slug}/submit", [303, 404, 403, 403, 303, 404]),
    ("/case-studies/{slug}/review", [303, 404, 403, 200, 200, 404]),
    ("/case-studies/{slug}/retire", [303, 404, 403, 200, 200, 404]),
    // Moderation
    ("/posts/{id}/report", [303, 404, 200, 200, 200, 404]),
    ("/posts/{id}/purge", [303, 404, 403, 200, 200, 404]),
    ("/reports", [303, 403, 403, 200, 200, 200]),
    ("/s/{slug}/log", [303, 404, 403, 200, 200, 404]),
    ("/members/{handle}/suspend", [303, 403, 403, 403, 403, 200]),
    // Administration
    ("/admin", [303, 403, 403, 403, 403, 200]),
    ("/admin/spaces", [303, 403, 403, 403, 403, 200]),
    ("/admin/invitations", [303, 403, 403, 403, 403, 200]),
    ("/admin/hub", [303, 403, 403, 403, 403, 200]),
    ("/admin/pages", [303, 403, 403, 403, 403, 200]),
    ("/admin/pages/{slug}", [303, 403, 403, 403, 403, 200]),
    ("/admin/jobs", [303, 403, 403, 403, 403, 200]),
    ("/admin/log", [303, 403, 403, 403, 403, 200]),
    // The hub's own
    ("/privacy", [200, 200, 200, 200, 200, 200]),
    ("/conduct", [200, 200, 200, 200, 200, 200]),
    ("/accessibility", [200, 200, 200, 200, 200, 200]),
    ("/logo", [404, 404, 404, 404, 404, 404]),
    ("/robots.txt", [200, 200, 200, 200, 200, 200]),
    ("/favicon.ico", [302, 302, 302, 302, 302, 302]),
    ("/complete", [303, 200, 200, 200, 200, 200]),
    ("/api/docs", [200, 200, 200, 200, 200, 200]),
];

/// Somebody's cookies, signed in by the page.
pub async fn browser_of(hub: &TestHub, who: &Client) -> Client {
    if who.handle.is_empty() { hub.visitor() } else { Client::sign_in(&hub.base, &who.handle).await }
}
