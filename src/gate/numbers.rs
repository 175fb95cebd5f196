//! Compares two numbers: a version, a number in another unit, or any other number.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use super::compare::{Difference, push};
use super::form::without_number;
use super::members::{has_no_unit, has_unit, is_version};
use super::rules::{NUMBER_CHANGED, TYPE_CHANGED, UNIT_CHANGED, VALUE_CHANGED};
use super::template::Template;
use crate::transcript::Direction;

/// The factors between the units of time and of size.
const FACTORS: &[f64] =
    &[60.0, 1000.0, 1024.0, 1440.0, 3600.0, 86400.0, 604_800.0, 1_000_000.0, 1_048_576.0, 1e9];

/// The factors that chance makes too.
const SMALL_FACTORS: &[f64] = &[7.0, 24.0, 100.0];

/// The tolerance of a factor: a moment in seconds moves between two runs, by less than this.
const TOLERANCE: f64 = 0.001;

/// Adds what differs between two numbers.
pub(super) fn numbers(at: &str, old: &Number, new: &Number, found: &mut Vec<Difference>) {
    let (Some(before), Some(after)) = (old.as_f64(), new.as_f64()) else { return };
    let sentence = format!("{old} became {new}");
    let is_whole = old.is_i64() || old.is_u64();
    if is_whole && after.fract() != 0.0 {
        push(found, TYPE_CHANGED, at, format!("the whole number {sentence}, with a fraction"));
    } else if (before - after).abs() < f64::EPSILON {
    } else if is_version(at) {
        push(found, VALUE_CHANGED, at, sentence);
    } else if !has_no_unit(at) && is_factor(has_unit(at), before, after) {
        push(found, UNIT_CHANGED, at, sentence);
    } else {
        push(found, NUMBER_CHANGED, at, sentence);
    }
}

/// Adds what differs between two waits of `Retry-After`. Its unit is the second, and a shorter wait is permitted: more than
/// seconds alone are another unit.
pub(super) fn waits(at: &str, old: &Number, new: &Number, found: &mut Vec<Difference>) {
    let (Some(before), Some(after)) = (old.as_f64(), new.as_f64()) else { return };
    let is_finer = [1e3, 1e6, 1e9].iter().any(|factor| is_by(after, before, *factor));
    let rule = if before > 0.0 && is_finer { UNIT_CHANGED } else { NUMBER_CHANGED };
    if (before - after).abs() >= f64::EPSILON {
        push(found, rule, at, format!("{old} became {new}"));
    }
}

/// Returns whether one number is the other in another unit. Where the name says that there is a unit, small numbers and
/// small factors count too.
fn is_factor(has_unit: bool, one: f64, other: f64) -> bool {
    let (small, large) = if one.abs() < other.abs() { (one, other) } else { (other, one) };
    let factors = FACTORS.iter().chain(SMALL_FACTORS.iter().filter(|_| has_unit));
    let least = if has_unit { 0.0 } else { 1.0 };
    small.abs() > least && factors.into_iter().any(|factor| is_by(large, small, *factor))
}

fn is_by(large: f64, small: f64, factor: f64) -> bool {
    (large / small / factor - 1.0).abs() < TOLERANCE
}

/// A number in a message, by direction, route and place.
pub(super) type Place = (bool, String, String);

/// The numbers that a recording shows at each place. One that is always the same is a setting; one that is not counts
/// something, or is what is left of something.
#[derive(Debug, Default)]
pub(super) struct Settings(BTreeMap<Place, Shown>);

#[derive(Debug, Default)]
struct Shown {
    /// The different numbers, as texts.
    values: BTreeSet<String>,
    /// The number of exchanges that have a number other than 0 there, of those in which a change of unit shows.
    exchanges: usize,
}

impl Settings {
    /// Reads the numbers of the target.
    pub(super) fn of<'a>(templates: impl Iterator<Item = &'a Template>) -> Self {
        let mut settings = Self::default();
        for template in templates {
            let is_call = template.direction == Direction::FromTarget;
            for (at, values) in numbers_in(template) {
                // Where the two plays of the recording differ by any size, no difference is found.
                let is_any = template.varies.iter().any(|one| one.rule == UNIT_CHANGED.id && one.at == at);
                let shown = settings.0.entry((is_call, template.route.clone(), at)).or_default();
                shown.exchanges += usize::from(!is_any && values.iter().any(|value| value != "0"));
                shown.values.extend(values);
            }
        }
        settings
    }

    /// Returns whether a factor between two numbers at a place is one of units: the recording shows one number there
    /// alone, or each of its exchanges differs by a factor.
    pub(super) fn is_unit(&self, place: &Place, exchanges: usize) -> bool {
        let Some(shown) = self.0.get(place) else { return true };
        shown.values.len() <= 1 || (has_unit(&place.2) && exchanges > 1 && exchanges >= shown.exchanges)
    }
}

/// Returns whether the numbers at a place of two plays have a unit by their name and differ by less than the tolerance of a
/// factor, such as what is left of a time: such a place shows a change of unit.
pub(super) fn is_steady(first: &Template, second: &Template, at: &str) -> bool {
    const APART_MAX: f64 = 1.0 + TOLERANCE;
    let values = [first, second].into_iter().filter_map(|template| numbers_in(template).remove(at));
    let numbers: Vec<f64> = values.flatten().filter_map(|value| value.parse().ok()).collect();
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(0.0, f64::max);
    has_unit(at) && least > 0.0 && most <= least * APART_MAX
}

/// Returns the numbers of the target in an exchange, as texts, by their place.
fn numbers_in(template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let side = if template.direction == Direction::FromTarget { "request" } else { "response" };
    let mut found = BTreeMap::new();
    gather(side, template.of_target(), &mut found);
    found
}

fn gather(at: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                gather(&format!("{at}.{}", without_number(name)), member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(&format!("{at}[]"), item, found)),
        Value::Number(number) => {
            found.entry(at.to_owned()).or_default().insert(number.to_string());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(
        compare: fn(&str, &Number, &Number, &mut Vec<Difference>),
        at: &str,
        old: u64,
        new: u64,
    ) -> String {
        let mut found = vec![];
        compare(at, &Number::from(old), &Number::from(new), &mut found);
        found.first().map_or("none", |one| one.rule.id).to_owned()
    }

    #[test]
    fn a_factor_is_a_unit_where_the_name_permits_one() {
        for (at, old, new, expected) in [
            ("a.ttl_seconds", 3600, 3_600_000, "unit-changed"),
            ("a.expires_in", 30, 30_000, "unit-changed"),
            ("a.max_bytes", 2048, 2, "unit-changed"),
            ("a.age", 1, 7, "unit-changed"),
            ("a.ceiling", 5, 5000, "unit-changed"),
            ("a.ceiling", 1, 60, "number-changed"),
            ("a.ceiling", 2, 14, "number-changed"),
            ("a.applied_count", 2, 120, "number-changed"),
            ("a.window.events", 3, 180, "number-changed"),
            ("a.port", 80, 80_000, "number-changed"),
        ] {
            assert_eq!(rule(numbers, at, old, new), expected, "{at} {old} {new}");
        }
        let at = "response.headers.retry-after";
        for (old, new, expected) in [
            (60, 60_000, "unit-changed"),
            (60, 7, "number-changed"),
            (60, 1, "number-changed"),
            (0, 1, "number-changed"),
            (60, 60, "none"),
        ] {
            assert_eq!(rule(waits, at, old, new), expected, "{old} {new}");
        }
    }

    #[test]
    fn a_number_that_differs_within_the_recording_is_no_setting() {
        let template = |n: u64, body: Value| Template {
            n,
            direction: Direction::ToTarget,
            peer: "alice".to_owned(),
            route: "heartbeat".to_owned(),
            step: Some(1),
            label: None,
            request: json!({}),
            response: json!({"status": 200, "body": body}),
            failure: None,
            many: false,
            varies: vec![],
        };
        let recorded = [
            template(1, json!({"ceiling": 5, "seen": 2, "ttl": 60})),
            template(2, json!({"ceiling": 5, "seen": 3, "ttl": 120})),
        ];
        let settings = Settings::of(recorded.iter());
        let place = |name: &str| (false, "heartbeat".to_owned(), format!("response.body.{name}"));
        assert!(settings.is_unit(&place("ceiling"), 1));
        assert!(!settings.is_unit(&place("seen"), 2));
        // Each of the two lifetimes is in milliseconds now; or one of them alone is longer.
        assert!(settings.is_unit(&place("ttl"), 2) && !settings.is_unit(&place("ttl"), 1));
    }
}
