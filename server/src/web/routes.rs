//! One resource an address, whatever features have routes there.
//!
//! actix gives each `ServiceConfig::route` a resource of its own that other methods pass by, so
//! that a wrong method looks like an unknown address. Gathered by address first, the resource
//! itself answers 405 with `Allow`.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

/// Gathers routes; used as `ServiceConfig` is.
#[derive(Default)]
pub struct Routes {
    /// In the order of registration, as the first that fits an address is taken.
    found: Vec<(Option<String>, Resource)>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.found.iter().map(|(path, _)| path)).finish()
    }
}

impl Routes {
    /// One method of an address; several features may each have theirs.
    pub fn route(&mut self, path: &str, route: Route) -> &mut Self {
        match self.found.iter_mut().find(|(known, _)| known.as_deref() == Some(path)) {
            Some((_, resource)) => {
                let known = std::mem::replace(resource, web::resource(""));
                *resource = known.route(route);
            }
            None => self.found.push((Some(path.to_owned()), web::resource(path).route(route))),
        }
        self
    }

    /// An address with all its methods.
    pub fn service(&mut self, resource: Resource) -> &mut Self {
        self.found.push((None, resource));
        self
    }

    /// Hands everything to actix.
    pub fn install(self, cfg: &mut ServiceConfig) {
        for (_, resource) in self.found {
            cfg.service(resource.wrap(from_fn(super::in_time::around)));
        }
    }
}
