//! The content of an audit entry, and how well it fits a call.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mention::contains_name;
use covenant_model::transcript::{Direction, Exchange};
use covenant_model::wire::path::{PREFIX, Route};

/// The match strength of an entry and a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MatchStrength {
    /// It belongs to another call: it names another direction, outcome or path.
    None,
    /// Nothing contradicts it.
    Possible,
    /// It names the path of the call, or the resource that is called.
    Certain,
}

/// An audit entry, with what it states about its action.
pub(super) struct AuditEntry<'a> {
    /// The entry as it was listed.
    pub(super) value: &'a Value,
    /// The direction of the call; `None` if no member states it.
    pub(super) direction: Option<Direction>,
    /// `true` if the call was admitted; `None` if no status shows it.
    pub(super) admitted: Option<bool>,
    /// The paths below the prefix.
    paths: Vec<&'a str>,
    /// The name of the action, in lower case.
    action: String,
}

impl<'a> AuditEntry<'a> {
    /// Reads a listed entry.
    pub(super) fn read(value: &'a Value) -> Self {
        let mut paths = Vec::new();
        each_text(value, &mut |text| paths.extend(text.split_whitespace().filter_map(path_below)));
        let named = ["action", "kind", "route", "event"].into_iter().filter_map(|name| member(value, name));
        let action = named.collect::<Vec<_>>().join(" ").to_lowercase();
        Self { value, direction: direction(value, &action), admitted: admitted(value), paths, action }
    }

    /// Returns the name of the action.
    pub(super) fn name(&self) -> &'a str {
        ["action", "kind"].into_iter().find_map(|name| member(self.value, name)).unwrap_or_default()
    }

    /// Returns the match strength of the entry and a call. `known` holds the paths of all calls that the
    /// entry may belong to.
    pub(super) fn match_strength(&self, call: &Exchange, known: &BTreeSet<&str>) -> MatchStrength {
        let has_other_direction = self.direction.is_some_and(|direction| direction != call.direction);
        let was_admitted = call.status().filter(|_| !call.says_otherwise()).map(|status| status < 400);
        let has_other_outcome = self.admitted.zip(was_admitted).is_some_and(|(stated, was)| stated != was);
        if has_other_direction || has_other_outcome {
            return MatchStrength::None;
        }
        let path = path_of_call(call);
        if self.paths.contains(&path) {
            return MatchStrength::Certain;
        }
        // A path may be stated as a pattern, or with its ids masked.
        let is_masked = |stated: &&str| head(stated) == head(path) && !known.contains(*stated);
        if !self.paths.is_empty() && !self.paths.iter().any(is_masked) {
            return MatchStrength::None;
        }
        let words = call.route().as_ref().map_or(&[][..], words);
        if words.iter().any(|word| self.action.contains(word)) {
            MatchStrength::Certain
        } else {
            MatchStrength::Possible
        }
    }

    /// Returns the parts that two entries have in common if they describe a call in the same way: the names
    /// of their members, and those texts that are words. If several levels of a platform each write an entry,
    /// the forms of these entries differ.
    pub(super) fn form(&self) -> String {
        let mut parts = Vec::new();
        form_of("", self.value, &mut parts);
        parts.sort();
        parts.join("\n")
    }
}

/// Returns the number of actions that an entry sums up; 1 if it states none. The number may also count something else,
/// such as records, so that no verdict rests on it.
pub(super) fn actions_in(entry: &Value) -> u64 {
    const NAMES: [&str; 3] = ["count", "event_count", "times"];
    let counts = NAMES.iter().flat_map(|name| [&entry[name], &entry["payload"][name]]);
    counts.filter_map(Value::as_u64).max().unwrap_or(1)
}

/// Returns a member of an entry, at any depth.
pub(super) fn member<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    members(entry, name).into_iter().find_map(Value::as_str)
}

/// Returns whether an entry has the peer's id as its `federation_peer_id`, at any depth.
pub(super) fn has_peer_id(entry: &Value, peer_id: &str) -> bool {
    members(entry, "federation_peer_id").into_iter().any(|value| match value {
        Value::String(text) => text == peer_id,
        Value::Number(number) => number.to_string() == peer_id,
        _ => false,
    })
}

/// Returns whether an entry has the peer's id in a member other than `federation_peer_id`.
pub(super) fn has_peer_id_elsewhere(entry: &Value, peer_id: &str) -> bool {
    let members = [Some(entry), entry.get("payload")].into_iter().flatten().filter_map(Value::as_object);
    members.flatten().any(|(name, value)| !name.contains("subject") && value == peer_id)
}

/// Returns whether a remote subject is one of these: as it is, or in a distinguished name.
pub(super) fn has_subject(entry: &Value, valid: &[&str]) -> bool {
    let subjects = members(entry, "remote_subject").into_iter().filter_map(Value::as_str);
    let parts = subjects.flat_map(|subject| subject.split([',', '/']));
    let mut names = parts.map(|part| part.trim().trim_start_matches("CN=").trim_start_matches("cn="));
    names.any(|name| valid.contains(&name))
}

/// Returns whether an entry names one of these subjects in a member that says who acted: under another name than
/// `remote_subject`, within it, or as a part of its text. An id of a peer says nothing of the kind.
pub(super) fn names_subject(entry: &Value, valid: &[&str]) -> bool {
    const WHO: [&str; 8] =
        ["subject", "actor", "caller", "grantee", "principal", "identity", "common_name", "cn"];
    let says_who = |name: &str| {
        let name = name.to_lowercase();
        WHO.iter().any(|word| name == *word || (word.len() > 2 && name.contains(word)))
    };
    match entry {
        Value::Array(items) => items.iter().any(|item| names_subject(item, valid)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let is_named = |text: &str| valid.iter().any(|subject| contains_name(text, subject));
            let mut within = false;
            each_text(value, &mut |text| within |= is_named(text));
            (says_who(name) && within) || names_subject(value, valid)
        }),
        _ => false,
    }
}

/// Returns the values of the members of this name, the outermost first.
fn members<'a>(entry: &'a Value, name: &str) -> Vec<&'a Value> {
    let Some(own) = entry.as_object() else { return vec![] };
    own.get(name).into_iter().chain(own.values().flat_map(|member| members(member, name))).collect()
}

/// Returns the path of a call below the prefix, without its query.
pub(super) fn path_of_call(call: &Exchange) -> &str {
    let path = call.request.path.as_deref().unwrap_or_default();
    without_query(path.strip_prefix(PREFIX).unwrap_or(path))
}

/// Words for content that is sent in answer to a call.
const ANSWERS: [&str; 6] = ["resource", "excerpt", "catalog", "trust", "response", "answer"];

fn direction(entry: &Value, action: &str) -> Option<Direction> {
    let of_word = |word: &str| match word {
        "in" | "inbound" | "incoming" | "received" => Some(Direction::ToTarget),
        "out" | "outbound" | "outgoing" | "sent" => Some(Direction::FromTarget),
        _ => None,
    };
    let stated = member(entry, "direction").and_then(|word| of_word(&word.to_lowercase()));
    // The answer to an incoming call is sent, too.
    let is_answer = ANSWERS.iter().any(|answer| action.contains(answer));
    let mut words = action.split(|c: char| !c.is_alphanumeric());
    stated.or_else(|| words.find_map(|word| of_word(word).filter(|_| !(is_answer && word == "sent"))))
}

fn admitted(entry: &Value) -> Option<bool> {
    const NAMES: [&str; 4] = ["status", "status_code", "http_status", "response_status"];
    let stated = NAMES.iter().flat_map(|name| [&entry[name], &entry["payload"][name]]);
    let mut numbers = stated.filter_map(|status| status.as_u64().or_else(|| status.as_str()?.parse().ok()));
    numbers.find(|number| (100..600).contains(number)).map(|status| status < 400)
}

/// Returns the path of the federation plane that a word contains, below the prefix.
fn path_below(word: &str) -> Option<&str> {
    let word = without_query(word);
    match word.split_once(PREFIX) {
        // The address of a plane names no call.
        Some((_, below)) => Some(below).filter(|below| !head(below).is_empty()),
        None => Some(word).filter(|word| word.starts_with('/') && HEADS.contains(&head(word))),
    }
}

const HEADS: [&str; 9] = [
    "accept",
    "heartbeat",
    "trust_bundle",
    "resources",
    "migrations",
    "audit_excerpts",
    "service_catalog",
    "subscriptions",
    "sync",
];

fn head(below: &str) -> &str {
    below.trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Returns the words by which an action names the called route.
fn words(route: &Route) -> &'static [&'static str] {
    match route {
        Route::Accept => &["accept"],
        Route::Heartbeat => &["heartbeat"],
        Route::TrustBundle => &["trust"],
        Route::Resource { .. } => &["resource", "read", "fetch"],
        Route::Migrations | Route::Migration { .. } | Route::MigrationCommit { .. } => &["migrat"],
        Route::AuditExcerpts => &["audit", "excerpt"],
        Route::ServiceCatalog => &["catalog"],
        Route::Subscriptions | Route::Subscription { .. } => &["subscri"],
        Route::Sync => &["sync"],
    }
}

fn each_text<'a>(value: &'a Value, take: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, take)),
        _ => {}
    }
}

fn form_of(name: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::String(text) if is_plain(text) => parts.push(format!("{name}={text}")),
        // The level that writes the entry may be a number.
        Value::Number(number) if ["level", "layer", "tier"].contains(&name) => {
            parts.push(format!("{name}={number}"));
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => parts.push(name.to_owned()),
        Value::Array(items) => items.iter().for_each(|item| form_of(name, item, parts)),
        Value::Object(members) => members.iter().for_each(|(name, member)| form_of(name, member, parts)),
    }
}

/// Returns whether a text consists of words, and is no id, time, path or digest.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_digit() || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(direction: Direction, method: &str, below: &str, status: u16) -> Exchange {
        Exchange::made("alice", direction).on(method, below.trim_start_matches('/')).answered(status)
    }

    /// Returns the match strength of an entry and an admitted read; a read of another record is known too.
    fn match_strength(entry: &Value) -> MatchStrength {
        let read = call(Direction::ToTarget, "GET", "/resources/skill/a", 200);
        AuditEntry::read(entry).match_strength(&read, &["/resources/skill/a", "/resources/skill/b"].into())
    }

    #[test]
    fn an_entry_belongs_to_the_call_that_it_describes() {
        let path = |below: &str| json!({"route": format!("GET {PREFIX}{below}?limit=1")});
        assert_eq!(match_strength(&path("/resources/skill/a")), MatchStrength::Certain);
        assert_eq!(match_strength(&path("/resources/skill/b")), MatchStrength::None);
        assert_eq!(match_strength(&path("/migrations")), MatchStrength::None);
        assert_eq!(
            match_strength(&path("/resources/:kind/:id")),
            MatchStrength::Certain,
            "a pattern, named by its route"
        );
        assert_eq!(match_strength(&json!({"url": "/resources/skill/***"})), MatchStrength::Possible);
        assert_eq!(match_strength(&json!({"content_type": "application/json"})), MatchStrength::Possible);
        assert_eq!(match_strength(&json!({"kind": "federation.resources"})), MatchStrength::Certain);
        assert_eq!(match_strength(&json!({"action": "grant.used"})), MatchStrength::Possible);
        assert_eq!(match_strength(&json!({"action": "federation.resources.outbound"})), MatchStrength::None);
        assert_eq!(match_strength(&json!({"action": "federation.heartbeat.sent"})), MatchStrength::None);
        assert_ne!(match_strength(&json!({"action": "federation.response.sent"})), MatchStrength::None);
        let address = json!({"peer_url": format!("https://peer.example{PREFIX}")});
        assert_eq!(match_strength(&address), MatchStrength::Possible, "the address of a peer names no call");
        assert_eq!(match_strength(&json!({"payload": {"direction": "outbound"}})), MatchStrength::None);
        assert_eq!(match_strength(&json!({"payload": {"status": 403}})), MatchStrength::None);
        assert_eq!(match_strength(&json!({"status": "200", "action": "read"})), MatchStrength::Certain);
    }

    #[test]
    fn members_are_found_at_any_depth() {
        let entry = json!({"action": "read", "details": {"actor": {"remote_subject": "CN=fed:p, O=alice"}}});
        assert!(has_subject(&entry, &["fed:p"]));
        assert!(!has_subject(&entry, &["fed"]));
        assert!(has_peer_id(&json!({"metadata": {"federation_peer_id": "p"}}), "p"));
        assert!(has_peer_id(&json!({"federation_peer_id": 12}), "12"));
        assert!(!has_peer_id(&json!({"metadata": {"federation_peer_id": ""}}), "p"));
    }

    #[test]
    fn levels_differ_in_form_and_doubles_do_not() {
        let form = |entry: &Value| AuditEntry::read(entry).form();
        let entry =
            json!({"id": "1", "at": "2026-06-01T00:00:00Z", "action": "read", "source": "proxy", "ms": 3});
        let again =
            json!({"id": "2", "at": "2026-06-01T00:00:01Z", "action": "read", "source": "proxy", "ms": 4});
        assert_eq!(form(&entry), form(&again));
        for level in [
            json!({"id": "2", "at": "2026-06-01T00:00:00Z", "action": "read", "source": "app", "ms": 3}),
            json!({"id": "2", "at": "2026-06-01T00:00:00Z", "action": "read", "source": "proxy"}),
            json!({"id": "2", "at": "2026-06-01T00:00:00Z", "action": "read.seen", "source": "proxy", "ms": 3}),
        ] {
            assert_ne!(form(&entry), form(&level), "{level}");
        }
    }
}
