//! The identity of a finding: what it says, without what changes while it stands.

use serde_json::{Map, Value};

use covenant_model::clock::read_moment;
use covenant_model::wire::notice::Finding;

/// The units by which a text states an age.
const UNITS: [&str; 18] = [
    "ms", "s", "sec", "secs", "seconds", "second", "m", "min", "mins", "minutes", "minute", "h", "hours",
    "hour", "d", "days", "day", "weeks",
];
/// The ends of the names of members that hold an age.
const AGES: [&str; 8] = ["_seconds", "_minutes", "_hours", "_days", "_age", "_ms", "_at", "_remaining"];
/// The member of a payload that holds the status of the peer, which its heartbeats change.
const STATUS: &str = "status";

/// Returns the identity of a finding. A scan that computes its findings again states times, ages and the status of the
/// peer, which change although the finding is the same.
pub(super) fn identity(finding: &Finding) -> String {
    format!("{}\u{0}{}\u{0}{}", finding.kind, ageless_text(&finding.message), ageless(&finding.payload))
}

fn ageless(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(ageless_text(text)),
        Value::Array(items) => items.iter().map(ageless).collect(),
        Value::Object(members) => {
            let is_kept = |name: &str| name != STATUS && !AGES.iter().any(|end| name.ends_with(end));
            let kept = members.iter().filter(|(name, _)| is_kept(name));
            Value::Object(kept.map(|(name, member)| (name.clone(), ageless(member))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Returns a text without its times and ages.
fn ageless_text(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let bare =
        |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '+').to_lowercase();
    let is_unit = |word: &str| UNITS.contains(&bare(word).trim_end_matches("(s)"));
    let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_age = |place: usize, word: &str| {
        let (digits, unit) =
            word.split_at(word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len()));
        let next = words.get(place + 1);
        is_number(digits)
            && if unit.is_empty() { next.is_some_and(|next| is_unit(next)) } else { is_unit(unit) }
    };
    let kept = words.iter().enumerate().filter(|(place, word)| {
        let word = bare(word);
        // A status that never reported a heartbeat has a word in place of the time.
        let is_time = read_moment(&word).is_some() || is_part_of_time(&word);
        !is_time && word != "never" && !is_age(*place, &word)
    });
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

/// Returns whether a word is a date, a time of day, or a time zone of a time that stands in several words.
fn is_part_of_time(word: &str) -> bool {
    let is_made_of =
        |sign: char| word.contains(sign) && word.chars().all(|c| c.is_ascii_digit() || c == sign || c == '.');
    let is_offset = word.starts_with('+') && word[1..].chars().all(|c| c.is_ascii_digit() || c == ':');
    word == "utc" || is_made_of('-') || is_made_of(':') || is_offset
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(message: &str, payload: &Value) -> String {
        let finding = json!({"kind": "peer_heartbeat_stale", "message": message, "payload": payload});
        identity(&serde_json::from_value(finding).expect("a finding"))
    }

    #[test]
    fn finding_keeps_its_identity_while_it_ages() {
        let one = of(
            "Platform peer hasn't heartbeated since never. Stale beyond 5 minutes.",
            &json!({"status": "enrolled", "signed_at": null, "age_seconds": 12}),
        );
        let other = of(
            "Platform peer hasn't heartbeated since 2026-06-01T00:00:00Z. Stale beyond 5 minutes.",
            &json!({"status": "active", "signed_at": null, "age_seconds": 400}),
        );
        assert_eq!(one, other);
        assert_eq!(of("silent for 12 s", &json!({})), of("silent for 372 s", &json!({})));
        assert_eq!(of("silent for 12s", &json!({})), of("silent for 372s", &json!({})));
    }

    #[test]
    fn finding_about_something_else_is_another() {
        assert_ne!(of("skill is declared", &json!({})), of("agent is declared", &json!({})));
        assert_ne!(of("x", &json!({"refused": 3})), of("x", &json!({"refused": 12})));
        assert_ne!(of("version 1.4.0", &json!({})), of("version 3.0.0", &json!({})));
        assert_ne!(of("x", &json!({"resource_kind": "skill"})), of("x", &json!({"resource_kind": "agent"})));
    }
}
