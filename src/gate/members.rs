//! What the wire says of a member by its name: whether its texts are of a fixed set, and whether its numbers have a unit.

/// Members whose texts are of a fixed set (`wire.md` §5 and §6, `binding.md`): another text is another value, whatever its
/// characters are.
const FIXED: &[&str] = &[
    "action",
    "algorithm",
    "clause",
    "code",
    "compatibility",
    "conflict_policy",
    "conflict_resolution",
    "content_type",
    "default_grant_scopes",
    "direction",
    "encoding",
    "format",
    "kind",
    "media_type",
    "mime_type",
    "mode",
    "norm",
    "operation",
    "outcome",
    "peer_kind",
    "permission_scopes",
    "policy",
    "protocol",
    "resource_kind",
    "resource_kinds",
    "result",
    "role",
    "root_resource_kind",
    "scope",
    "scopes",
    "severity",
    "spawn_mode",
    "spawn_role",
    "state",
    "status",
    "type",
    "unit",
];

/// Members that name a version of the contract or of a format. A release is none: it changes with each release.
const VERSIONS: &[&str] = &[
    "api_version",
    "contract_version",
    "contract_version_agreed",
    "contract_versions",
    "format_version",
    "protocol_version",
    "schema_version",
    "wire_version",
];

/// Members whose texts an operator or a person chose: they have no fixed set of words.
const FREE: &[&str] = &[
    "data_residency",
    "residency",
    "jurisdiction",
    "operator_contact",
    "name",
    "slug",
    "error",
    "message",
    "reason",
    "notes",
    "note",
    "summary",
    "description_markdown",
    "subscription_terms_markdown",
    "backend_host",
    "local_hostname",
    "account_id",
    "cursor",
    "from",
    "to",
    "remote_subject",
    "user-agent",
];

/// The ends of names of numbers that have a unit.
const UNITS: &[&str] = &[
    "seconds",
    "_ms",
    "minutes",
    "hours",
    "days",
    "bytes",
    "ttl",
    "timeout",
    "interval",
    "retry_after",
    "retry-after",
    "expires_in",
    "lifetime",
    "duration",
    "delay",
    "window",
    "size",
    "age",
];

/// The ends of names of numbers that have no unit: counters, places and the like.
const WITHOUT_UNIT: &[&str] = &[
    "count",
    "counter",
    "counters",
    "total",
    "applied",
    "skipped",
    "created",
    "updated",
    "failed",
    "order",
    "priority",
    "port",
    "rank",
    "status",
    "items",
    "records",
    "events",
    "sequence",
    "seq",
    "number",
    "index",
    "position",
    "cursor",
    "clock",
    "revision",
    "id",
    "generation",
];

/// What the texts of a member are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Of a fixed set.
    Fixed,
    /// The version of a contract or of a format.
    Version,
    /// What somebody chose.
    Free,
    /// The name does not tell: their characters do.
    Open,
}

impl Texts {
    /// Returns what the texts at a place are.
    pub(super) fn at(place: &str) -> Self {
        match member(place) {
            name if FREE.contains(&name) => Self::Free,
            name if VERSIONS.contains(&name) => Self::Version,
            name if FIXED.contains(&name) => Self::Fixed,
            _ => Self::Open,
        }
    }
}

/// Returns the name of the member at a place: `scopes` of `response.body.data.scopes[]`.
pub(super) fn member(place: &str) -> &str {
    place.rsplit('.').next().unwrap_or(place).trim_end_matches("[]")
}

/// Returns whether the number at a place is the version of something.
pub(super) fn is_version(place: &str) -> bool {
    ["version", "versions", "version_agreed"].iter().any(|name| member(place).ends_with(name))
}

/// Returns whether the name of a number says that it has a unit.
pub(super) fn has_unit(place: &str) -> bool {
    !has_no_unit(place) && UNITS.iter().any(|unit| member(place).ends_with(unit))
}

/// Returns whether the name of a number says that it has no unit: it counts something, or is a place in an order.
pub(super) fn has_no_unit(place: &str) -> bool {
    WITHOUT_UNIT.iter().any(|name| member(place).ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_member_shows_what_its_texts_and_numbers_are() {
        for (place, texts) in [
            ("response.body.data.status", Texts::Fixed),
            ("response.body.data.scopes[]", Texts::Fixed),
            ("request.body.contract_version", Texts::Version),
            ("response.body.data.local_version", Texts::Open),
            ("response.body.error", Texts::Free),
            ("response.body.data.backend", Texts::Open),
        ] {
            assert_eq!(Texts::at(place), texts, "{place}");
        }
        assert!(has_unit("a.ttl_seconds") && has_unit("response.headers.retry-after"));
        assert!(has_no_unit("a.applied_count") && !has_unit("a.applied_count") && !has_unit("a.limit"));
    }
}
