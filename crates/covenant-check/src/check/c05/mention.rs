//! Mentions of a peer in an audit entry.

use serde_json::Value;

use crate::check::text;
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

/// Returns the name of a member that says what is none of a peer's business: a local user, or an operator's note.
pub(super) fn internal_member<'a>(entry: &'a Value, own: &str) -> Option<&'a str> {
    match entry {
        Value::Array(items) => items.iter().find_map(|item| internal_member(item, own)),
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let named = is_internal(name) && !is_blank(value) && !is_no_user(value, own);
            named.then_some(name.as_str()).or_else(|| internal_member(value, own))
        }),
        _ => None,
    }
}

/// Returns whether a value names the requester itself, or the platform, in place of a user.
fn is_no_user(value: &Value, own: &str) -> bool {
    value.as_str().is_some_and(|text| text == "system" || (!own.is_empty() && text.contains(own)))
}

/// Returns whether a member is about a local user, or holds a note of an operator.
fn is_internal(member: &str) -> bool {
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
    USERS.contains(&member.as_str()) || (is_note && WHOSE.iter().any(|whose| member.contains(whose)))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text::is_blank(text),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
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
