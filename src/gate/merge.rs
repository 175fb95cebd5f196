//! Makes one recording of two plays of a release: what differs between them differs by nature.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::Difference;
use super::exchanges::compare_scenario;
use super::numbers::is_steady;
use super::rules::{NUMBER_CHANGED, UNIT_CHANGED};
use super::template::{Key, Template, Variable};
use crate::transcript::Direction;

/// The number of calls of one step above which they are calls side by side, whose order says nothing.
const IN_ORDER_MAX: usize = 4;

/// Marks what differs between two plays of one release. Leaves out the exchanges that only one of them has, and those
/// whose outcome differs: nothing of them can be compared. Returns the reason for each answer that is left out.
pub(super) fn merged(first: Vec<Template>, second: &[Template]) -> (Vec<Template>, Vec<String>) {
    let first = thinned(first);
    let mut left_out = vec![];
    let mut varies: BTreeMap<u64, Vec<Variable>> = BTreeMap::new();
    // What one comparison leaves out stays out, whatever another one of the same exchange finds.
    let mut is_out: BTreeSet<u64> = BTreeSet::new();
    for one in compare_scenario(&first, second, true) {
        let Some(old) = one.old else { continue };
        let is_of_outcome = |one: &Difference| one.at == "response" || one.at == "response.status";
        let has_other_outcome = one.differences.iter().any(is_of_outcome);
        let Some(new) = one.new.filter(|_| !has_other_outcome) else {
            let is_first = is_out.insert(old.n);
            if is_first && old.direction == Direction::ToTarget {
                let what = if has_other_outcome { "another outcome" } else { "no counterpart" };
                left_out.push(format!("{} has {what} in the second play", old.in_words()));
            }
            continue;
        };
        let of = one.differences.iter().flat_map(|difference| {
            let is_number = [NUMBER_CHANGED, UNIT_CHANGED].contains(&difference.rule);
            // What is any number is a number of any size, unless it hardly varies.
            let rules = if is_number && !is_steady(old, new, &difference.at) {
                vec![NUMBER_CHANGED, UNIT_CHANGED]
            } else {
                vec![difference.rule]
            };
            rules.into_iter().map(|rule| Variable { rule: rule.id.to_owned(), at: difference.at.clone() })
        });
        varies.entry(old.n).or_default().extend(of);
    }
    let of_both = first.into_iter().filter_map(|template| {
        let mut varies = varies.remove(&template.n).filter(|_| !is_out.contains(&template.n))?;
        varies.sort();
        varies.dedup();
        Some(Template { varies, ..template })
    });
    (of_both.collect(), left_out)
}

/// Keeps one of the equal calls of the target, and one of the equal answers to calls side by side.
fn thinned(templates: Vec<Template>) -> Vec<Template> {
    let mut sizes: BTreeMap<Key, usize> = BTreeMap::new();
    for template in &templates {
        *sizes.entry(template.key()).or_default() += 1;
    }
    let mut kept: Vec<Template> = vec![];
    for mut template in templates {
        template.many = sizes[&template.key()] > IN_ORDER_MAX && template.direction == Direction::ToTarget;
        let may_repeat = template.many || template.direction == Direction::FromTarget;
        let is_known = kept.iter().any(|other| other.key() == template.key() && other.is_as(&template));
        if !(may_repeat && is_known) {
            kept.push(template);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer(n: u64, response: Value) -> Template {
        Template {
            n,
            direction: Direction::ToTarget,
            peer: "alice".to_owned(),
            route: "heartbeat".to_owned(),
            step: Some(3),
            label: None,
            request: json!({"method": "GET", "path": "/heartbeat"}),
            response,
            failure: None,
            many: false,
            varies: vec![],
        }
    }

    #[test]
    fn an_exchange_that_is_left_out_stays_out() {
        let served = json!({"status": 200, "body": {}});
        let second = [answer(1, json!({"status": 404, "body": {}})), answer(2, served.clone())];
        let (kept, left_out) = merged(vec![answer(1, served)], &second);
        assert_eq!(kept, [], "its outcome differs in the second play, whatever a later answer is");
        assert_eq!(left_out.len(), 1, "{left_out:?}");
    }

    #[test]
    fn calls_with_events_are_held_against_each_other_whatever_their_ids() {
        let call = |n: u64, more: Value| {
            let mut body = json!({"status": "active"});
            if !more.is_null() {
                body["events"] = json!([more]);
            }
            let request = json!({"method": "POST", "path": "/heartbeat", "body": body});
            let (direction, step) = (Direction::FromTarget, None);
            Template { direction, step, request, ..answer(n, json!({"status": 200})) }
        };
        // Neither an id nor any other word that differs makes a call without events the nearer one.
        let event = |id: &str, more: &str| json!({"id": id, "kind": "grant.revoked", "mark": more});
        let first = vec![call(1, event("nt-2g9vn", "ab-x")), call(2, Value::Null)];
        let second = [call(1, event("nt-5p2jp", "cd-y")), call(2, Value::Null)];
        let (kept, _) = merged(first, &second);
        let gone =
            |all: &[Template]| all.iter().flat_map(|one| &one.varies).any(|one| one.rule == "member-gone");
        assert!(!gone(&kept), "{kept:?}");
        let broken = |now: &[Template]| -> Vec<String> {
            let compared = compare_scenario(&kept, now, true);
            let all = compared.into_iter().flat_map(|one| one.differences);
            let breaks = all.filter(|one| one.rule.weight == crate::gate::rules::Weight::Breaking);
            breaks.map(|one| format!("{} {}", one.rule.id, one.at)).collect()
        };
        // The next release has events in each call, and one more in this one.
        let load = json!({"id": "nt-1", "kind": "load"});
        let mut now = [call(1, load.clone()), call(2, load)];
        now[0].request["body"]["events"] = json!([event("nt-8j2bp", "ef-z"), {"id": "nt-2", "kind": "load"}]);
        assert_eq!(broken(&now), [] as [&str; 0]);
        // Or none in any.
        let none = [call(1, Value::Null), call(2, Value::Null)];
        assert_eq!(broken(&none), ["member-gone request.body.events"]);
    }

    #[test]
    fn a_number_that_hardly_varies_keeps_its_unit() {
        let varies = |name: &str, first: u64, second: u64| -> Vec<String> {
            let of = |number: u64| answer(1, json!({"status": 200, "body": {"rows": [{name: number}]}}));
            let (kept, _) = merged(vec![of(first)], &[of(second)]);
            kept[0].varies.iter().map(|one| one.rule.clone()).collect()
        };
        assert_eq!(varies("expires_in", 3599, 3600), ["number-changed"]);
        // Chance makes a factor of such numbers, and of those that no name calls a setting.
        assert_eq!(varies("duration_ms", 1, 7), ["number-changed", "unit-changed"]);
        assert_eq!(varies("duration_ms", 1, 2), ["number-changed", "unit-changed"]);
        assert_eq!(varies("load", 3599, 3600), ["number-changed", "unit-changed"]);
    }
}
