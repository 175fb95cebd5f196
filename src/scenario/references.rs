//! The references of a step (`${…}`) that no run can fill in: found when the scenario is loaded.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::format::Step;
use super::position::FormatFault;
use super::values::{UTC, in_offset};

/// A moment near which every run takes place. What is out of reach from here is so at any time of a run.
const SOME_DAY: Timestamp = Timestamp::constant(1_780_000_000, 0);

/// Returns the first fault of a reference in the texts of a step.
pub(super) fn fault_of_references(step: &Step, span: &Range<usize>) -> Option<FormatFault> {
    let step = serde_json::to_value(step).ok()?;
    Some(FormatFault::new(fault_in(&step)?, span.clone()))
}

fn fault_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => fault_in_text(text),
        Value::Array(items) => items.iter().find_map(fault_in),
        Value::Object(members) => {
            members.iter().find_map(|(name, member)| fault_in_text(name).or_else(|| fault_in(member)))
        }
        _ => None,
    }
}

fn fault_in_text(text: &str) -> Option<String> {
    let mut references = text.split("${").skip(1);
    references.find_map(|rest| match rest.split_once('}') {
        Some((reference, _)) => fault_of(reference).map(|why| format!("`${{{reference}}}`: {why}")),
        None => Some(format!("`{text}`: a `${{` has no end")),
    })
}

fn fault_of(reference: &str) -> Option<&'static str> {
    if reference.is_empty() {
        return Some("the name of a step is missing");
    }
    // A step may be called `nowhere`.
    let shift = reference.strip_prefix("now").filter(|shift| !shift.starts_with(char::is_alphabetic))?;
    if shift.is_empty() || shift.starts_with('.') {
        return None;
    }
    let (shift, offset) = shift.split_once(" at ").unwrap_or((shift, UTC));
    let Ok(seconds) = shift.parse() else { return Some("write ${now}, ${now-60} or ${now-60 at -03:00}") };
    let Ok(moment) = SOME_DAY.checked_add(SignedDuration::from_secs(seconds)) else {
        return Some("there is no time so far away");
    };
    in_offset(moment, offset).is_none().then_some("an offset is ±HH:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_run_can_fill_in_is_found() {
        for text in [
            "${now-99999999999999}",
            "${now+9223372036854775807}",
            "${now99999999999999999999}",
            "${now~1}",
            "${now-60 at 3}",
            "${now-60 at -99:00}",
            "x ${now+1} ${now+}",
            "${open",
            "${}",
        ] {
            assert!(fault_in_text(text).is_some(), "{text}");
        }
        for text in [
            "${now}",
            "${now-60} ${now+7776000}",
            "${now-60 at -03:00}",
            "${nowhere.id}",
            "${alice.id?}",
            "${id:root}",
            "no",
        ] {
            assert_eq!(fault_in_text(text), None, "{text}");
        }
    }
}
