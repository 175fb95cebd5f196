//! Mentions of a crossing in an event or a record.

use std::collections::BTreeSet;

use serde_json::Value;

const WORDS: [&str; 9] =
    ["residen", "jurisdiction", "boundary", "cross", "border", "abroad", "offshore", "countr", "territor"];

/// A mention of a crossing in an event: the path of the mention, and its word or sort.
pub(super) type Mark = (String, &'static str);

/// Returns the mentions of a crossing, or of one of these places, in an event. An event that names a place of
/// either side names the two ends of the crossing.
pub(super) fn marks(event: &Value, theirs: &[&str], ours: &[String]) -> BTreeSet<Mark> {
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let mut marks = BTreeSet::new();
    let kind = event["kind"].as_str().unwrap_or_default();
    collect(event, kind, theirs, &mut marks);
    if names(event, theirs) && names(event, &ours) {
        marks.insert((String::new(), "two places"));
    }
    marks
}

fn collect(said: &Value, path: &str, places: &[&str], marks: &mut BTreeSet<Mark>) {
    match said {
        Value::String(text) => {
            let text = text.to_lowercase();
            marks.extend(
                WORDS.iter().filter(|word| text.contains(**word)).map(|word| (path.to_owned(), *word)),
            );
            if names(said, places) {
                marks.insert((path.to_owned(), "a place"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, places, marks)),
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{path}/{name}");
                collect(member, &path, places, marks);
                if is_about(name) && says_something(member) {
                    marks.insert((path, "a member"));
                }
            }
        }
        _ => {}
    }
}

/// Returns whether a value names one of these places.
fn names(said: &Value, places: &[&str]) -> bool {
    let is_place = |word: &str| places.iter().any(|place| place.eq_ignore_ascii_case(word));
    match said {
        Value::String(text) => is_place(text) || text.split(|c: char| !c.is_alphanumeric()).any(is_place),
        Value::Array(items) => items.iter().any(|item| names(item, places)),
        Value::Object(members) => members.values().any(|member| names(member, places)),
        _ => false,
    }
}

/// Returns whether a word is about a crossing.
fn is_about(word: &str) -> bool {
    let word = word.to_lowercase();
    WORDS.iter().any(|about| word.contains(about))
}

/// Returns whether a member is present and its value is neither empty nor negative.
pub(super) fn says_something(member: &Value) -> bool {
    match member {
        Value::Null => false,
        Value::Bool(said) => *said,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !["", "false", "none", "null"].contains(&text.trim().to_lowercase().as_str()),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(members) => members.values().any(says_something),
    }
}

/// Returns whether a record says, in a member of such a name at any depth, that something crossed.
pub(super) fn speaks_of_crossing(record: &Value) -> bool {
    match record {
        Value::Array(items) => items.iter().any(speaks_of_crossing),
        Value::Object(members) => members.iter().any(|(name, member)| {
            (name.to_lowercase().contains("cross") && says_something(member)) || speaks_of_crossing(member)
        }),
        _ => false,
    }
}
