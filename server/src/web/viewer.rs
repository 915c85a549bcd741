//! Who asks: extractors for handlers.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};

use super::error::{AppError, Result};
use crate::app::AppState;
use crate::entities::kinds::{Discipline, HubRole, SpaceRole};

/// How a member showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Cookie,
    Bearer,
    ApiToken,
}

/// The member who asks, with the spaces they belong to.
#[derive(Clone, Debug)]
pub struct Me {
    pub id: i64,
    pub handle: String,
    pub display_name: String,
    pub hub_role: HubRole,
    pub discipline: Discipline,
    pub avatar: Option<String>,
    pub email_verified: bool,
    /// The session, or the API token.
    pub session_id: i64,
    pub via: Via,
    /// The session is one on a shared computer.
    pub shared: bool,
    pub spaces: HashMap<i64, SpaceRole>,
}

impl Me {
    #[must_use]
    pub fn avatar_version(&self) -> &str {
        self.avatar.as_deref().unwrap_or("0")
    }

    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.hub_role == HubRole::Administrator
    }

    /// 403 for whoever shows an API token: it lies in a program's settings, and may leak from there.
    pub fn in_person(&self) -> Result<()> {
        if self.via == Via::ApiToken {
            return Err(AppError::Forbidden("Sign in for this; an API token cannot do it.".into()));
        }
        Ok(())
    }
}

/// Anybody.
#[derive(Clone, Debug)]
pub enum Viewer {
    Anonymous,
    Member(Arc<Me>),
}

impl Viewer {
    #[must_use]
    pub fn member(&self) -> Option<&Me> {
        match self {
            Self::Anonymous => None,
            Self::Member(me) => Some(me),
        }
    }

    #[must_use]
    pub fn is_by_cookie(&self) -> bool {
        self.member().is_some_and(|me| me.via == Via::Cookie)
    }

    /// The member, or 401.
    pub fn require(&self) -> Result<&Arc<Me>> {
        match self {
            Self::Anonymous => Err(AppError::Unauthenticated),
            Self::Member(me) => Ok(me),
        }
    }
}

/// Somebody signed in; others get 401 (a page: the way to sign in).
#[derive(Clone, Debug)]
pub struct Member(pub Arc<Me>);

impl std::ops::Deref for Member {
    type Target = Me;

    fn deref(&self) -> &Me {
        &self.0
    }
}

/// An administrator of the hub; others get 403, visitors 401.
#[derive(Clone, Debug)]
pub struct Administrator(pub Arc<Me>);

impl std::ops::Deref for Administrator {
    type Target = Me;

    fn deref(&self) -> &Me {
        &self.0
    }
}

/// An administrator who signed in: for acts that say who runs the hub and who gets in. API tokens
/// get 403.
#[derive(Clone, Debug)]
pub struct AdministratorInPerson(pub Arc<Me>);

impl std::ops::Deref for AdministratorInPerson {
    type Target = Me;

    fn deref(&self) -> &Me {
        &self.0
    }
}

/// Name of the session cookie.
pub const SESSION_COOKIE: &str = "praxis_session";

/// The viewer of a request; looked up once, kept with the request.
pub async fn identify(req: &HttpRequest) -> Result<Viewer> {
    if let Some(viewer) = req.extensions().get::<Viewer>() {
        return Ok(viewer.clone());
    }
    let state = req.app_data::<web::Data<AppState>>().ok_or_else(|| AppError::internal("no state"))?.clone();
    let viewer = if let Some(header) = req.headers().get(AUTHORIZATION) {
        let token = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty() && token.len() <= 2048)
            .ok_or(AppError::Unauthenticated)?;
        // A token that is shown but not good is an error, not a visitor.
        Viewer::Member(state.sessions.by_bearer(&state, token).await?.ok_or(AppError::Unauthenticated)?)
    } else if let Some(cookie) = req.cookie(SESSION_COOKIE).filter(|cookie| cookie.value().len() <= 128) {
        state.sessions.by_cookie(&state, cookie.value()).await?.map_or(Viewer::Anonymous, Viewer::Member)
    } else {
        Viewer::Anonymous
    };
    req.extensions_mut().insert(viewer.clone());
    Ok(viewer)
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl FromRequest for Viewer {
    type Error = AppError;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { identify(&req).await })
    }
}

impl FromRequest for Member {
    type Error = AppError;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { Ok(Self(Arc::clone(identify(&req).await?.require()?))) })
    }
}

impl FromRequest for Administrator {
    type Error = AppError;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let me = Arc::clone(identify(&req).await?.require()?);
            if me.is_administrator() {
                Ok(Self(me))
            } else {
                Err(AppError::Forbidden("Only administrators of the hub can do this.".into()))
            }
        })
    }
}

impl FromRequest for AdministratorInPerson {
    type Error = AppError;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let administrator = Administrator::from_request(req, payload);
        Box::pin(async move {
            let Administrator(me) = administrator.await?;
            me.in_person()?;
            Ok(Self(me))
        })
    }
}
