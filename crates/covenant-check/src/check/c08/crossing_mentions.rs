//! Mentions of a crossing in an event or a record.

use std::collections::BTreeSet;

use serde_json::Value;

/// Beginnings of words about a crossing.
const WORDS: [&str; 9] =
    ["residen", "jurisdiction", "boundary", "cross", "border", "abroad", "offshore", "countr", "territor"];

/// A mention of a crossing in an event: its path, and the word or what else mentions it.
pub(super) type Mention = (String, &'static str);

/// Returns the mentions of a crossing in an event, also by the name of a location. An event that names a
/// location of either side names the two ends of the crossing.
pub(super) fn crossing_mentions(
    event: &Value,
    of_peer: &[impl AsRef<str>],
    of_target: &[impl AsRef<str>],
) -> BTreeSet<Mention> {
    let mut mentions = BTreeSet::new();
    let kind = event["kind"].as_str().unwrap_or_default();
    collect(event, kind, of_peer, &mut mentions);
    if names_location(event, of_peer) && names_location(event, of_target) {
        mentions.insert((String::new(), "two locations"));
    }
    mentions
}

fn collect(value: &Value, path: &str, locations: &[impl AsRef<str>], mentions: &mut BTreeSet<Mention>) {
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            let words = WORDS.iter().filter(|word| text.contains(**word));
            mentions.extend(words.map(|word| (path.to_owned(), *word)));
            if names_location(value, locations) {
                mentions.insert((path.to_owned(), "a location"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, locations, mentions)),
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{path}/{name}");
                collect(member, &path, locations, mentions);
                if is_about_crossing(name) && has_content(member) {
                    mentions.insert((path, "a member"));
                }
            }
        }
        _ => {}
    }
}

/// Returns whether a value names one of these locations.
fn names_location(value: &Value, locations: &[impl AsRef<str>]) -> bool {
    let is_location =
        |word: &str| locations.iter().any(|location| location.as_ref().eq_ignore_ascii_case(word));
    match value {
        Value::String(text) => {
            is_location(text) || text.split(|c: char| !c.is_alphanumeric()).any(is_location)
        }
        Value::Array(items) => items.iter().any(|item| names_location(item, locations)),
        Value::Object(members) => members.values().any(|member| names_location(member, locations)),
        _ => false,
    }
}

/// Returns whether a word is about a crossing.
fn is_about_crossing(word: &str) -> bool {
    let word = word.to_lowercase();
    WORDS.iter().any(|about| word.contains(about))
}

/// Returns whether a member is present and its value is neither empty nor negative.
pub(super) fn has_content(member: &Value) -> bool {
    match member {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "false", "none", "null"].contains(&text.trim().to_lowercase().as_str()),
        Value::Array(items) => items.iter().any(has_content),
        Value::Object(members) => members.values().any(has_content),
    }
}

/// Returns whether a record states, in a member of such a name at any depth, that something crossed.
pub(super) fn states_crossing(record: &Value) -> bool {
    match record {
        Value::Array(items) => items.iter().any(states_crossing),
        Value::Object(members) => members.iter().any(|(name, member)| {
            (name.to_lowercase().contains("cross") && has_content(member)) || states_crossing(member)
        }),
        _ => false,
    }
}
