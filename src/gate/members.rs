//! Facts of the wire about a member, by its name: whether its texts are of a fixed set, and whether its numbers have a unit.

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

/// The last words of names of numbers that have a unit.
const UNITS: &[&str] = &[
    "seconds",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "ms",
    "minutes",
    "hours",
    "days",
    "bytes",
    "kilobytes",
    "kibibytes",
    "megabytes",
    "mebibytes",
    "gigabytes",
    "gibibytes",
    "ttl",
    "timeout",
    "interval",
    "retry_after",
    "expires_in",
    "lifetime",
    "duration",
    "delay",
    "window",
    "size",
    "age",
];

/// The last words of names of numbers that have no unit: counters, places and the like.
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

/// The last words of names of members that identify something. A platform may give ids of any form, one number after the other too.
const IDENTITIES: &[&str] = &["id", "ids", "subject", "serial"];

/// Kind of the texts of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Of a fixed set.
    Fixed,
    /// The version of a contract or of a format.
    Version,
    /// Text that somebody chose.
    Free,
    /// Ids, which each play may have others of.
    Identity,
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
            _ if ends_with_any(place, IDENTITIES) => Self::Identity,
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
    ends_with_any(place, &["version", "versions", "version_agreed"])
}

/// Returns whether the name of a number says that it has a unit.
pub(super) fn has_unit(place: &str) -> bool {
    !has_no_unit(place) && ends_with_any(place, UNITS)
}

/// Returns whether the name of a number says that it has no unit: it counts something, or is a place in an order.
pub(super) fn has_no_unit(place: &str) -> bool {
    ends_with_any(place, WITHOUT_UNIT)
}

/// Returns whether the name of the member at a place ends with one of these, word for word: `usage` is no `age`.
fn ends_with_any(place: &str, ends: &[&str]) -> bool {
    let words = words(member(place));
    let is_end = |end: &&str| words.ends_with(&end.split('_').map(ToOwned::to_owned).collect::<Vec<_>>());
    ends.iter().any(is_end)
}

/// Returns the words of a name in lower case: `retry` and `after` of `retry_after`, `retry-after` and `retryAfter`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before: Option<char> = None;
    let mut rest = name.chars().peekable();
    while let Some(one) = rest.next() {
        let is_first = one.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || rest.peek().is_some_and(|next| next.is_lowercase()));
        if is_first || !one.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| one.is_alphanumeric()) {
            word.extend(one.to_lowercase());
        }
        before = Some(one);
    }
    words.retain(|word| !word.is_empty());
    words
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
            ("response.body.data.migration_id", Texts::Identity),
            ("request.body.caller_inbound_subject", Texts::Identity),
            ("response.body.data.peerId", Texts::Identity),
            ("response.body.data.grid", Texts::Open),
        ] {
            assert_eq!(Texts::at(place), texts, "{place}");
        }
        assert!(has_unit("a.ttl_seconds") && has_unit("response.headers.retry-after"));
        assert!(has_no_unit("a.applied_count") && !has_unit("a.applied_count") && !has_unit("a.limit"));
    }

    #[test]
    fn a_name_has_a_unit_by_whole_words_alone() {
        for name in ["page", "usage", "coverage", "percentage", "support", "valid", "paid", "stage", "grid"] {
            let place = format!("response.body.{name}");
            assert!(!has_unit(&place) && !has_no_unit(&place), "{name}");
        }
        for name in ["age", "max_age", "max-age", "maxAge", "ttlSeconds", "timeout_milliseconds", "delay_ms"]
        {
            assert!(has_unit(&format!("a.{name}")), "{name}");
        }
        for name in ["retry_after", "retryAfter", "expiresIn", "kilobytes", "ttl[]", "TTL"] {
            assert!(has_unit(&format!("a.{name}")), "{name}");
        }
        for name in ["port", "peer_port", "peerId", "appliedCount", "seconds_count"] {
            assert!(has_no_unit(&format!("a.{name}")) && !has_unit(&format!("a.{name}")), "{name}");
        }
        assert!(
            is_version("a.schema_version") && is_version("a.schemaVersion") && is_version("a.versions[]")
        );
        assert!(is_version("a.contract_version_agreed") && !is_version("a.conversion"));
    }
}
