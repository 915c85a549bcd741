//! New members: by registering, by invitation, and the first administrator.

use actix_web::HttpRequest;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{invitations, links, mail, passwords};
use crate::app::AppState;
use crate::app::config::Registration;
use crate::entities::kinds::{Availability, Discipline, HubRole, MemberState};
use crate::entities::{member, setting};
use crate::features::people;
use crate::store::Tx;
use crate::web::checks::{Text, check};
use crate::web::error::{AppError, FieldError, Result};
use crate::web::words::english;

/// Longest display name, characters.
const NAME: usize = 200;

/// Handles that would be taken for a mention of everybody.
const RESERVED: &[&str] = &["room", "here"];

/// What somebody types to become a member.
#[derive(Clone, Debug)]
pub struct Entry {
    pub handle: String,
    pub display_name: String,
    pub email: String,
    pub password: String,
}

/// An entry that passed, with its password hashed.
#[derive(Clone, Debug)]
pub struct Ready {
    handle: String,
    display_name: String,
    email: String,
    password_hash: String,
}

/// How a new member comes in.
#[derive(Clone, Debug)]
pub enum Door {
    /// By themselves, where registration is open.
    Open,
    /// By the token of an invitation.
    Invited(String),
    /// As the first administrator, while there is none; else as by `Open`.
    First,
    /// As the first administrator by the setup link.
    Setup(String),
    /// As an administrator, from the command line.
    Console,
}

/// Checks all fields and hashes the password.
pub async fn prepare(entry: &Entry) -> Result<Ready> {
    let mut faults = Vec::new();
    let handle = entry.handle.trim().to_ascii_lowercase();
    faults.extend(handle_fault(&handle));
    let display_name = match check(&[Text::line("display_name", &entry.display_name, NAME).required()], false) {
        Ok(checked) => checked.get("display_name").to_owned(),
        Err(AppError::Invalid(found)) => {
            faults.extend(found);
            String::new()
        }
        Err(other) => return Err(other),
    };
    let email = match parse_email(&entry.email) {
        Some(email) => email,
        None => {
            faults.push(said("email", "email"));
            String::new()
        }
    };
    faults.extend(passwords::fault("password", &entry.password, &[&handle, &display_name, &email]));
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let password_hash = passwords::hash(&entry.password).await?;
    Ok(Ready { handle, display_name, email, password_hash })
}

/// What is wrong with a handle.
#[must_use]
pub fn handle_fault(handle: &str) -> Option<FieldError> {
    let mut letters = handle.bytes();
    let first = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-');
    if !first || !rest || !(2..=30).contains(&handle.len()) {
        return Some(said("handle", "handle"));
    }
    RESERVED.contains(&handle).then(|| said("handle", "handle_reserved"))
}

/// An address as it is kept: lower case; `None` if it is none.
#[must_use]
pub fn parse_email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    if text.len() > 254 || !text.is_ascii() {
        return None;
    }
    let parsed: lettre::Address = text.parse().ok()?;
    parsed.domain().contains('.').then_some(text)
}

/// One fault from the catalogue.
#[must_use]
pub fn said(field: &'static str, key: &str) -> FieldError {
    FieldError { field: field.into(), message: english().of("accounts.fault", key) }
}

/// Makes the member, with all that comes with them.
pub async fn register(
    state: &AppState,
    tx: &mut Tx,
    ready: &Ready,
    door: &Door,
    conduct: i32,
) -> Result<member::Model> {
    let role = role_of(tx, door).await?;
    let invitation = match door {
        Door::Invited(token) => Some(invitations::open_by_token(tx, token).await?),
        _ => None,
    };
    let may = match (role, state.config.registration) {
        (HubRole::Administrator, _) | (_, Registration::Open) => true,
        (_, Registration::Invite) => invitation.is_some(),
        (_, Registration::Closed) => false,
    };
    if !may {
        return Err(AppError::Forbidden(english().t("accounts.closed").to_owned().into()));
    }
    refuse_taken(tx, ready).await?;
    let verified = match (door, &invitation) {
        (Door::Invited(token), Some(of)) => of.email == ready.email && invitations::came_by_mail(state, of, token),
        _ => false,
    };
    let (id, now) = (tx.id(), tx.now());
    let of = member::Model {
        id,
        handle: ready.handle.clone(),
        display_name: ready.display_name.clone(),
        email: Some(ready.email.clone()),
        // Who holds the link of the invitation's mail reads that address.
        email_verified_at: verified.then_some(now),
        password_hash: Some(ready.password_hash.clone()),
        hub_role: role,
        state: MemberState::Active,
        headline: String::new(),
        discipline: Discipline::Other,
        organisation: String::new(),
        about: String::new(),
        about_html: String::new(),
        links: "[]".into(),
        time_zone: "UTC".into(),
        avatar: None,
        mail_on: true,
        conduct_version: conduct,
        created_at: now,
        updated_at: now,
        seen_at: None,
        availability: Availability::Online,
        version: 1,
    };
    member::Entity::insert(row_of(of.clone())).exec_without_returning(tx.conn()).await.map_err(taken_meanwhile)?;
    people::index_words(tx, &of, &[]).await?;
    if let Some(invitation) = invitation {
        invitations::accept(tx, &invitation, of.id).await?;
    }
    if !verified {
        let token = links::make(tx, links::VERIFY, Some(of.id), Some(&ready.email), links::VERIFY_FOR).await?;
        mail::verify(state, tx, &of, &ready.email, &token).await?;
    }
    Ok(of)
}

/// The role a door gives. Only one transaction at a time finds that there is no administrator.
async fn role_of(tx: &mut Tx, door: &Door) -> Result<HubRole> {
    match door {
        Door::Console => return Ok(HubRole::Administrator),
        Door::Open | Door::Invited(_) => return Ok(HubRole::Member),
        Door::First | Door::Setup(_) => {}
    }
    let mut exists = has_administrator(tx.conn()).await?;
    if !exists {
        // Locks the row until the commit.
        setting::Entity::update_many()
            .col_expr(setting::Column::UpdatedAt, Expr::value(tx.now()))
            .filter(setting::Column::Key.eq("epoch"))
            .exec(tx.conn())
            .await?;
        exists = has_administrator(tx.conn()).await?;
    }
    match door {
        Door::First if exists => Ok(HubRole::Member),
        Door::Setup(_) if exists => Err(AppError::NotFound),
        Door::Setup(token) => {
            links::spend(tx, links::SETUP, token).await?.ok_or(AppError::NotFound)?;
            Ok(HubRole::Administrator)
        }
        _ => Ok(HubRole::Administrator),
    }
}

/// Whether anybody is a member, by whatever way they came.
pub async fn has_members(db: &impl sea_orm::ConnectionTrait) -> Result<bool> {
    Ok(member::Entity::find().one(db).await?.is_some())
}

/// Whether somebody can sign in as an administrator.
pub async fn has_administrator(db: &impl sea_orm::ConnectionTrait) -> Result<bool> {
    let count = member::Entity::find()
        .filter(member::Column::HubRole.eq(HubRole::Administrator))
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(member::Column::PasswordHash.is_not_null())
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Whether a request makes the first administrator without a link: straight from this machine.
#[must_use]
pub fn is_local(state: &AppState, req: &HttpRequest) -> bool {
    let loopback = |host: &str| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    let url_host = |text: &str| url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = req.headers().get("Host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    req.peer_addr().is_some_and(|peer| peer.ip().is_loopback())
        && url_host(&format!("http://{host}")).is_some_and(|host| loopback(&host))
        && url_host(state.origin()).is_some_and(|host| loopback(&host))
        && !crate::web::metrics::forwarded(req)
}

/// 409 where another member has the handle or the address. What was imported and not claimed
/// keeps its name too: its owner claims it by mail.
async fn refuse_taken(tx: &Tx, ready: &Ready) -> Result<()> {
    let handle =
        member::Entity::find().filter(member::Column::Handle.eq(ready.handle.as_str())).count(tx.conn()).await?;
    if handle > 0 {
        return Err(taken("handle"));
    }
    let email = member::Entity::find().filter(member::Column::Email.eq(ready.email.as_str())).count(tx.conn()).await?;
    if email > 0 {
        return Err(taken("email"));
    }
    Ok(())
}

fn taken(field: &str) -> AppError {
    AppError::Conflict(english().of("accounts.taken", field).into())
}

/// The field that a conflict of `register` is about, for the page.
#[must_use]
pub fn taken_field(text: &str) -> &'static str {
    if text == english().t("accounts.taken.email") { "email" } else { "handle" }
}

/// 429 for an address of the network that was told several times that a mail address is taken:
/// answers of this kind tell who is a member, and nobody needs many (decision 007).
pub fn look_at_guesses(state: &AppState, from: &str) -> Result<()> {
    state.slow_down.look(&format!("taken {from}"), state.clock.now())
}

/// Counts such an answer.
pub fn note_guess(state: &AppState, from: &str, error: &AppError) {
    if let AppError::Conflict(text) = error
        && taken_field(text) == "email"
    {
        let _counted = state.slow_down.attempt(&format!("taken {from}"), state.clock.now());
    }
}

fn taken_meanwhile(error: sea_orm::DbErr) -> AppError {
    match error.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(what)) if what.contains("email") => taken("email"),
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => taken("handle"),
        _ => error.into(),
    }
}

fn row_of(of: member::Model) -> member::ActiveModel {
    member::ActiveModel {
        id: Set(of.id),
        handle: Set(of.handle),
        display_name: Set(of.display_name),
        email: Set(of.email),
        email_verified_at: Set(of.email_verified_at),
        password_hash: Set(of.password_hash),
        hub_role: Set(of.hub_role),
        state: Set(of.state),
        headline: Set(of.headline),
        discipline: Set(of.discipline),
        organisation: Set(of.organisation),
        about: Set(of.about),
        about_html: Set(of.about_html),
        links: Set(of.links),
        time_zone: Set(of.time_zone),
        avatar: Set(of.avatar),
        mail_on: Set(of.mail_on),
        conduct_version: Set(of.conduct_version),
        created_at: Set(of.created_at),
        updated_at: Set(of.updated_at),
        seen_at: Set(of.seen_at),
        availability: Set(of.availability),
        version: Set(of.version),
    }
}

#[cfg(test)]
mod tests {
    use super::{handle_fault, parse_email};

    #[test]
    fn handles() {
        for good in ["ada", "a1", "9-lives_", "admin", &"a".repeat(30)] {
            assert!(handle_fault(good).is_none(), "{good}");
        }
        for bad in ["", "a", "-ada", "_ada", "Ada", "ada!", "åda", "here", "room", &"a".repeat(31)] {
            assert!(handle_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(parse_email(" Ada@Example.org ").as_deref(), Some("ada@example.org"));
        for bad in ["", "ada", "ada@", "@example.org", "ada@localhost", "a b@example.org", "ada@exa\nmple.org"] {
            assert_eq!(parse_email(bad), None, "{bad}");
        }
    }
}
