//! Mentions of a peer in an audit entry.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::text;
use covenant_model::transcript::Trace;
use covenant_model::wire::header::inbound_subject;

/// Returns whether an entry mentions a name: anywhere in a text, or, if the name may be a word or the number
/// of something else, as the entire value of a member about a peer or a subject.
pub(super) fn mentions_name(entry: &Value, name: &str) -> bool {
    is_mentioned("", entry, name)
}

/// Returns whether the value of a member mentions a name.
pub(in crate::check) fn is_mentioned(member: &str, value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) if is_unmistakable(name) => contains_name(text, name),
        Value::String(text) => names_someone(member) && (text == name || *text == inbound_subject(name)),
        Value::Number(number) => names_someone(member) && number.to_string() == name,
        Value::Array(items) => items.iter().any(|item| is_mentioned(member, item, name)),
        Value::Object(members) => members.iter().any(|(member, value)| is_mentioned(member, value, name)),
        _ => false,
    }
}

/// A member of an entry that says what is none of a peer's business.
#[derive(Clone, Copy, Debug)]
pub(super) struct InternalMember<'a> {
    pub(super) name: &'a str,
    /// A local user, if the member is about one. Else it holds a note of an operator.
    user: Option<&'a Value>,
}

impl InternalMember<'_> {
    /// Returns whether the member is a breach by itself: a note of an operator, or the name of an operator that is known. Any
    /// other user may be one under which the platform serves its peers.
    pub(super) fn is_breach(&self, operators: &BTreeSet<String>) -> bool {
        self.user.is_none_or(|user| identities(user).iter().any(|leaf| operators.contains(leaf)))
    }
}

/// Returns the members of an entry that say what is none of a peer's business: a local user, or an operator's note. `own` has
/// the names of the requester.
pub(super) fn internal_members<'a>(entry: &'a Value, own: &[String]) -> Vec<InternalMember<'a>> {
    match entry {
        Value::Array(items) => items.iter().flat_map(|item| internal_members(item, own)).collect(),
        Value::Object(members) => {
            let read = |(name, value): (&'a String, &'a Value)| {
                let says_something = |kind: &Internal| {
                    let is_empty = |leaf: &String| match kind {
                        Internal::User => is_no_user(leaf, own),
                        Internal::Note => is_no_note(leaf, own),
                    };
                    !leaves(value).iter().all(is_empty)
                };
                let kind = internal_kind(name).filter(says_something);
                let found = kind.map(|kind| InternalMember {
                    name: name.as_str(),
                    user: (kind == Internal::User).then_some(value),
                });
                found.map_or_else(|| internal_members(value, own), |member| vec![member])
            };
            members.iter().flat_map(read).collect()
        }
        _ => vec![],
    }
}

/// Returns the names by which the operator's view knows operators: what a member such as `operator` or `issued_by` has in the
/// result of a method. A word for a role is no name.
pub(super) fn known_operators(trace: &Trace, own: &[String]) -> BTreeSet<String> {
    const ROLES: [&str; 8] = ["user", "operator", "admin", "peer", "local", "remote", "governance", "system"];
    let mut known = BTreeSet::new();
    let results = trace.entries().iter().filter_map(|entry| entry.operation()?.result.as_ref());
    results.for_each(|result| operators_in(result, &mut known));
    known.retain(|name| !is_no_user(name, own) && !ROLES.contains(&name.to_lowercase().as_str()));
    known
}

fn operators_in(value: &Value, known: &mut BTreeSet<String>) {
    let names_operator = |member: &str| {
        let member = member.to_lowercase();
        let is_act_of = ["issued", "revoked", "suspended", "resumed", "reviewed", "operated"]
            .iter()
            .any(|act| member.starts_with(act) && member.contains("_by"));
        is_act_of || ["operator", "operator_id", "operator_name", "operator_email"].contains(&member.as_str())
    };
    match value {
        Value::Array(items) => items.iter().for_each(|item| operators_in(item, known)),
        Value::Object(members) => members.iter().for_each(|(member, value)| {
            if names_operator(member) {
                known.extend(identities(value));
            }
            operators_in(value, known);
        }),
        _ => {}
    }
}

/// Returns the texts and numbers in a value, as texts.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.trim().to_owned()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        Value::Null | Value::Bool(_) => vec![],
    }
}

/// Returns the texts and numbers in a value that say who someone is, also in an object about that person within it. The other
/// members of an object, such as a type, its permissions or its organization, are about many.
fn identities(value: &Value) -> Vec<String> {
    const PERSONS: [&str; 8] =
        ["user", "operator", "person", "profile", "identity", "contact", "attributes", "data"];
    const MEMBERS: [&str; 15] = [
        "id",
        "uuid",
        "user_id",
        "operator_id",
        "name",
        "username",
        "user_name",
        "operator_name",
        "display_name",
        "full_name",
        "login",
        "email",
        "user_email",
        "operator_email",
        "sub",
    ];
    match value {
        Value::Array(items) => items.iter().flat_map(identities).collect(),
        Value::Object(members) => {
            let of_member = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                (name, _) if MEMBERS.contains(&name) => leaves(value),
                (name, Value::Array(_) | Value::Object(_)) if PERSONS.contains(&name) => identities(value),
                _ => vec![],
            };
            members.iter().flat_map(of_member).collect()
        }
        _ => leaves(value),
    }
}

/// Returns whether a value is no note: nothing, a zero, or the requester's name alone.
fn is_no_note(leaf: &str, own: &[String]) -> bool {
    leaf == "0" || text::is_blank(leaf) || text::is_placeholder(leaf) || own.iter().any(|name| name == leaf)
}

/// Returns whether a value names nobody, a platform or the requester itself, in place of a user.
fn is_no_user(leaf: &str, own: &[String]) -> bool {
    const SUBJECTS: [&str; 2] = ["fed:", "federation-peer-"];
    let name = leaf.trim_start_matches("CN=");
    if SUBJECTS.iter().any(|subject| name.starts_with(subject)) {
        return true;
    }
    let is_own = || own.iter().filter(|name| !name.is_empty()).any(|name| contains_name(leaf, name));
    leaf == "0" || leaf == "system" || text::is_blank(leaf) || text::is_placeholder(leaf) || is_own()
}

/// Subject of a member, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Internal {
    /// A local user.
    User,
    /// A note of an operator.
    Note,
}

/// Returns whether a member is about a local user, or holds a note of an operator.
fn internal_kind(member: &str) -> Option<Internal> {
    const WHOSE: [&str; 5] = ["operator", "internal", "admin", "reviewer", "private"];
    const USERS: [&str; 8] = [
        "user",
        "user_id",
        "user_email",
        "user_name",
        "current_user",
        "current_user_id",
        "local_user",
        "operator_email",
    ];
    let member = member.to_lowercase();
    let is_note = ["note", "comment"].iter().any(|word| member.contains(word));
    if USERS.contains(&member.as_str()) {
        return Some(Internal::User);
    }
    (is_note && WHOSE.iter().any(|whose| member.contains(whose))).then_some(Internal::Note)
}

/// Returns whether a name is too long and too particular to be a word or a number of something else.
pub(in crate::check) fn is_unmistakable(name: &str) -> bool {
    const LENGTH_MIN: usize = 8;
    name.len() >= LENGTH_MIN && name.contains(|c: char| c.is_ascii_digit() || c == '-')
}

/// Returns whether a name occurs in a text, and not as a part of a longer one.
pub(in crate::check) fn contains_name(text: &str, name: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    text.match_indices(name).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        let is_within_a_word = before.chars().next_back().is_some_and(char::is_alphanumeric);
        !is_within_a_word && !goes_on(after.chars().next())
    })
}

fn names_someone(member: &str) -> bool {
    const NAMES: [&str; 5] = ["subject", "caller", "actor", "grantee", "common_name"];
    let member = member.to_lowercase();
    let is_about_peer = member.contains("peer") && !member.ends_with("count");
    is_about_peer || NAMES.iter().any(|name| member.contains(name))
}
