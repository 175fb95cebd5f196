//! Routes of the federation plane, all under one prefix (`wire.md` §1, `binding.md`).

use std::fmt;

/// Prefix of every federation route.
pub const PREFIX: &str = "/api/v1/system/federation_api";

/// Route of the federation plane. `Display` writes the path below [`PREFIX`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `POST /accept`.
    Accept,
    /// `POST /heartbeat`.
    Heartbeat,
    /// `GET /trust_bundle`, from G2 on.
    TrustBundle,
    /// `GET /resources/:kind/:id`.
    Resource {
        /// Resource kind: `[a-z_]+`.
        kind: String,
        /// Resource id: `[A-Za-z0-9-]+`.
        id: String,
    },
    /// `POST /migrations`.
    Migrations,
    /// `GET /migrations/:id` (proposed).
    Migration {
        /// Id of the migration.
        id: String,
    },
    /// `POST /migrations/:id/commit` (proposed).
    MigrationCommit {
        /// Id of the migration.
        id: String,
    },
    /// `GET /audit_excerpts`.
    AuditExcerpts,
    /// `GET /service_catalog`.
    ServiceCatalog,
    /// `POST /subscriptions`.
    Subscriptions,
    /// `DELETE /subscriptions/:id`.
    Subscription {
        /// Id of the grant.
        id: String,
    },
    /// `POST /sync` (proposed).
    Sync,
}

impl Route {
    /// Reads method and path as a server does. Returns `None` for a call that a server answers with a routing
    /// 404.
    #[must_use]
    pub fn parse(method: &str, path: &str) -> Option<Self> {
        let below = path.strip_prefix(PREFIX)?.strip_prefix('/')?;
        let parts: Vec<&str> = below.split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["accept"]) => Some(Self::Accept),
            ("POST", ["heartbeat"]) => Some(Self::Heartbeat),
            ("GET", ["trust_bundle"]) => Some(Self::TrustBundle),
            ("GET", ["resources", kind, id]) if is_kind(kind) && is_id_or_masked(id) => {
                Some(Self::Resource { kind: (*kind).to_owned(), id: (*id).to_owned() })
            }
            ("POST", ["migrations"]) => Some(Self::Migrations),
            ("GET", ["migrations", id]) if is_id_or_masked(id) => {
                Some(Self::Migration { id: (*id).to_owned() })
            }
            ("POST", ["migrations", id, "commit"]) if is_id_or_masked(id) => {
                Some(Self::MigrationCommit { id: (*id).to_owned() })
            }
            ("GET", ["audit_excerpts"]) => Some(Self::AuditExcerpts),
            ("GET", ["service_catalog"]) => Some(Self::ServiceCatalog),
            ("POST", ["subscriptions"]) => Some(Self::Subscriptions),
            ("DELETE", ["subscriptions", id]) if is_id_or_masked(id) => {
                Some(Self::Subscription { id: (*id).to_owned() })
            }
            ("POST", ["sync"]) => Some(Self::Sync),
            _ => None,
        }
    }

    /// Returns the HTTP method of the route.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Accept
            | Self::Heartbeat
            | Self::Migrations
            | Self::MigrationCommit { .. }
            | Self::Subscriptions
            | Self::Sync => "POST",
            Self::TrustBundle
            | Self::Resource { .. }
            | Self::Migration { .. }
            | Self::AuditExcerpts
            | Self::ServiceCatalog => "GET",
            Self::Subscription { .. } => "DELETE",
        }
    }

    /// Returns the full path, with the prefix.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{PREFIX}/{self}")
    }

    /// Returns the name of the route without its parameters: `resources`, `migrations/commit`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Heartbeat => "heartbeat",
            Self::TrustBundle => "trust_bundle",
            Self::Resource { .. } => "resources",
            Self::Migrations => "migrations",
            Self::Migration { .. } => "migrations/show",
            Self::MigrationCommit { .. } => "migrations/commit",
            Self::AuditExcerpts => "audit_excerpts",
            Self::ServiceCatalog => "service_catalog",
            Self::Subscriptions => "subscriptions",
            Self::Subscription { .. } => "subscriptions/end",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { kind, id } => write!(f, "resources/{kind}/{id}"),
            Self::Migration { id } => write!(f, "migrations/{id}"),
            Self::MigrationCommit { id } => write!(f, "migrations/{id}/commit"),
            Self::Subscription { id } => write!(f, "subscriptions/{id}"),
            other => f.write_str(other.name()),
        }
    }
}

/// Returns an address without the prefix of the federation routes and without a `/` at its end. Platforms state an address with
/// the prefix or without it (`binding.md`, reading 8).
#[must_use]
pub fn without_prefix(address: &str) -> &str {
    let address = address.trim_end_matches('/');
    address.strip_suffix(PREFIX).unwrap_or(address)
}

/// Returns whether `text` is valid as a resource kind: `[a-z_]+`.
#[must_use]
pub fn is_kind(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Returns whether `text` is valid as an id in a path: `[A-Za-z0-9-]+`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Returns whether `text` is an id in a path, or the placeholder of one in a transcript: `<grant_id:1>`.
fn is_id_or_masked(text: &str) -> bool {
    let placeholder = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')?.split_once(':'));
    let is_masked =
        |(class, number): (&str, &str)| is_kind(class) && number.bytes().all(|b| b.is_ascii_digit());
    is_id(text) || placeholder.is_some_and(is_masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_the_prefix_and_without_it() {
        let bare = "https://a.example:8443";
        for end in ["", "/", PREFIX, "/api/v1/system/federation_api/"] {
            assert_eq!(without_prefix(&format!("{bare}{end}")), bare, "{end:?}");
        }
        assert_eq!(without_prefix("https://a.example/below"), "https://a.example/below");
    }

    #[test]
    fn every_route_reads_back_what_it_writes() {
        let id = || "01a2075f-ab38-734e-bd8b-a790d60fdad4".to_owned();
        for route in [
            Route::Accept,
            Route::Heartbeat,
            Route::TrustBundle,
            Route::Resource { kind: "skill".into(), id: id() },
            Route::Migrations,
            Route::Migration { id: id() },
            Route::MigrationCommit { id: id() },
            Route::AuditExcerpts,
            Route::ServiceCatalog,
            Route::Subscriptions,
            Route::Subscription { id: id() },
            Route::Sync,
        ] {
            assert_eq!(Route::parse(route.method(), &route.path()), Some(route));
        }
    }

    #[test]
    fn what_matches_no_route_is_none() {
        for (method, path) in [
            ("GET", "/api/v1/system/federation_api/accept"),
            ("GET", "/api/v1/system/federation_api/resources/Skill/1"),
            ("GET", "/api/v1/system/federation_api/resources/skill/..%2f"),
            ("POST", "/api/v1/system/federation_api/"),
            ("POST", "/accept"),
        ] {
            assert_eq!(Route::parse(method, path), None, "{method} {path}");
        }
    }
}
