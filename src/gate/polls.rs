//! Answers of which the order says little: to calls that are repeated until something has happened, and to calls that are made
//! side by side.

use super::compare::{Difference, OF_SHAPE};
use super::exchanges::{Compared, answer, nearest_answer};
use super::members::member;
use super::rules::{
    ANSWER_FAILED, ANSWER_GONE, BODY_CHANGED, ENUM_CHANGED, HEADER_CHANGED, MEMBER_REQUIRED, REQUEST_REFUSED,
    Rule, UNIT_CHANGED, VALUE_CHANGED,
};
use super::template::Template;

/// The members that tell how far something has come: two calls find it in two states.
const STATES: [&str; 2] = ["status", "state"];

/// Rules for each answer in the middle of several, besides those for each call. The items of a list
/// depend on the moment.
const OF_EACH_ANSWER: [&Rule; 6] =
    [ANSWER_FAILED, ANSWER_GONE, MEMBER_REQUIRED, REQUEST_REFUSED, UNIT_CHANGED, VALUE_CHANGED];

/// The status of a call that was limited: a limit says nothing about the release, where an earlier or a later call is served.
pub(super) const TOO_MANY_REQUESTS: u64 = 429;

/// Returns whether a call is repeated until something has happened: it is made another number of times, or it only reads.
pub(super) fn is_polled(old: &[&Template], new: &[&Template]) -> bool {
    let is_read = |template: &&Template| template.request["method"] == "GET";
    let is_one = |one: &Template, other: &Template| {
        ["method", "path"].iter().all(|name| one.request[name] == other.request[name])
    };
    let is_repeated = |all: &[&Template]| all.windows(2).all(|two| is_one(two[0], two[1]));
    let are_several = old.len() > 1 && !new.is_empty();
    let is_other_number = old.len() != new.len() && !old.is_empty() && !new.is_empty();
    (is_other_number || (are_several && old.iter().all(is_read))) && is_repeated(old) && is_repeated(new)
}

/// Compares the answers to a repeated call. The last one ends the wait, so the last ones belong together; any other one is
/// compared with the nearest, and each one now has the shape of a recorded one.
pub(super) fn of_polls<'a>(old: &[&'a Template], new: &[&'a Template]) -> Vec<Compared<'a>> {
    let (Some((last, waiting)), Some((last_now, waiting_now))) = (old.split_last(), new.split_last()) else {
        return vec![];
    };
    let ended = Compared { old: Some(*last), new: Some(*last_now), differences: answer(last, last_now) };
    // What did not have to wait has no counterpart, and that says nothing.
    let before = waiting.iter().filter_map(|recorded| nearest_answer(recorded, waiting_now));
    let now = waiting_now.iter().filter_map(|now| nearest_recorded(now, old));
    before.chain(now).map(of_each).chain([ended]).collect()
}

/// Compares the answers to calls that are made side by side. Any of them may be the one that was recorded; each one now has
/// the shape of a recorded one.
pub(super) fn of_many<'a>(old: &[&'a Template], new: &[&'a Template]) -> Vec<Compared<'a>> {
    let compared = old.iter().map(|recorded| {
        let alone = Compared { old: Some(*recorded), new: None, differences: vec![] };
        nearest_answer(recorded, new).unwrap_or(alone)
    });
    let has_status = |now: &&Template| old.iter().any(|old| old.status() == now.status());
    // Which of the calls are limited, or come second, depends on the moment; no crash does.
    let is_crash = |now: &&Template| now.status().is_none_or(|status| status >= 500);
    let now = new.iter().copied().filter(|now| has_status(now) || is_crash(now));
    let now = now.filter_map(|now| nearest_recorded(now, old));
    compared.chain(now.map(of_each).filter(|one| !one.differences.is_empty())).collect()
}

/// Compares an answer now with the recorded one that is nearest to it.
fn nearest_recorded<'a>(now: &'a Template, old: &[&'a Template]) -> Option<Compared<'a>> {
    let compared = old.iter().filter_map(|recorded| nearest_answer(recorded, &[now]));
    compared.min_by_key(|one| {
        let is_other = one.old.is_none_or(|old| old.status() != now.status());
        (is_other, super::compare::distance(&one.differences))
    })
}

/// Returns whether a difference of one call of several is held against it, though another one is as before: its shape, and
/// words outside of lists, whose items depend on the moment.
pub(super) fn is_of_each_call(difference: &Difference) -> bool {
    let is_word = difference.rule == ENUM_CHANGED
        && !STATES.contains(&member(&difference.at))
        && !difference.at.contains("[]");
    is_word
        || OF_SHAPE.contains(&difference.rule)
        || [BODY_CHANGED, HEADER_CHANGED].contains(&difference.rule)
}

/// Keeps what is held against each answer: not how far it had come, nor the shape of the items of a list, since other items
/// are there at another moment. The answer that ends the wait is compared with all it holds.
fn of_each(one: Compared<'_>) -> Compared<'_> {
    let is_limited = one.new.is_some_and(|new| new.status() == Some(TOO_MANY_REQUESTS));
    let is_held = |difference: &Difference| {
        let is_of_limit = is_limited && difference.rule == REQUEST_REFUSED;
        let is_of_item = difference.at.contains("[]") && OF_SHAPE.contains(&difference.rule);
        let is_of_answer = is_of_each_call(difference) || OF_EACH_ANSWER.contains(&difference.rule);
        is_of_answer && !is_of_limit && !is_of_item
    };
    let differences = one.differences.into_iter().filter(is_held).collect();
    Compared { differences, ..one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::exchanges::compare_scenario;
    use crate::transcript::Direction;
    use serde_json::{Value, json};

    fn asked(n: u64, method: &str, response: Value) -> Template {
        Template {
            n,
            direction: Direction::ToTarget,
            peer: "alice".to_owned(),
            route: "audit_excerpts".to_owned(),
            step: Some(3),
            label: Some("excerpt".to_owned()),
            request: json!({"method": method, "path": "/audit_excerpts"}),
            response,
            failure: None,
            many: false,
            varies: vec![],
        }
    }

    /// Answers with these states, one after the other.
    fn states(states: &[&str]) -> Vec<Template> {
        let answer = |state: &&str| json!({"status": 200, "body": {"data": {"status": state, "ttl": 5}}});
        (1..).zip(states).map(|(n, state)| asked(n, "GET", answer(state))).collect()
    }

    fn rules(old: &[Template], new: &[Template]) -> Vec<&'static str> {
        let compared = compare_scenario(old, new, true);
        assert!(!compared.iter().any(Compared::is_unanswered), "each has a counterpart");
        compared.iter().flat_map(|one| &one.differences).map(|one| one.rule.id).collect()
    }

    #[test]
    fn the_number_of_polls_says_nothing() {
        let old = states(&["planned", "planned", "completed"]);
        for new in [
            &["planned", "planned", "planned", "planned", "completed"][..],
            &["planned", "completed"],
            &["completed"],
            &["planned", "applying", "completed"],
        ] {
            assert_eq!(rules(&old, &states(new)), [] as [&str; 0], "{new:?}");
            assert_eq!(rules(&states(new), &old), [] as [&str; 0], "{new:?}");
        }
    }

    #[test]
    fn no_number_of_polls_hides_a_difference() {
        let old = states(&["planned", "planned", "completed"]);
        let polled = ["planned", "planned", "planned", "planned", "completed"];
        assert_eq!(
            rules(&old, &states(&["planned", "planned", "planned", "planned", "done"])),
            ["enum-changed"]
        );
        for place in 0..polled.len() {
            let mut new = states(&polled);
            new[place].response["body"]["data"]["ttl"] = json!("5");
            assert!(rules(&old, &new).contains(&"type-changed"), "{place}");
            new[place].response = json!({"status": 500, "body": {"error": "x"}});
            assert!(rules(&old, &new).contains(&"answer-failed"), "{place}");
        }
    }

    #[test]
    fn a_call_that_changes_something_keeps_its_place() {
        let both = |first: u64, second: u64| {
            [asked(1, "POST", json!({"status": first})), asked(2, "POST", json!({"status": second}))]
        };
        assert_eq!(rules(&both(201, 409), &both(201, 409)), [] as [&str; 0]);
        assert_eq!(rules(&both(201, 409), &both(201, 201)), ["request-admitted"]);
    }

    #[test]
    fn calls_side_by_side_are_each_of_a_recorded_shape() {
        let answers = |limit: &Value| {
            let mut all: Vec<Template> =
                (1..6).map(|n| asked(n, "POST", json!({"status": 200, "body": {"limit": 5}}))).collect();
            all[4].response["body"]["limit"] = limit.clone();
            all
        };
        let mut old = answers(&json!(5));
        old.truncate(1);
        old[0].many = true;
        assert_eq!(rules(&old, &answers(&json!(5))), [] as [&str; 0]);
        assert_eq!(rules(&old, &answers(&json!("5"))), ["type-changed"]);
    }

    #[test]
    fn one_crash_among_calls_side_by_side_is_found() {
        let answers = || -> Vec<Template> {
            (1..6).map(|n| asked(n, "POST", json!({"status": 200, "body": {"limit": 5}}))).collect()
        };
        let mut old = answers();
        old.truncate(1);
        old[0].many = true;
        let with = |response: Value| {
            let mut now = answers();
            now[2].response = response;
            now
        };
        assert_eq!(rules(&old, &with(json!({"status": 500}))), ["answer-failed"]);
        assert_eq!(rules(&old, &with(Value::Null)), ["answer-gone"]);
        // How many of them are limited depends on the moment.
        assert_eq!(rules(&old, &with(json!({"status": 429}))), [] as [&str; 0]);
        // The release before failed so too.
        let mut failed = old[0].clone();
        failed.response = json!({"status": 503});
        assert_eq!(rules(&[old[0].clone(), failed], &with(json!({"status": 500}))), [] as [&str; 0]);
    }

    #[test]
    fn what_depends_on_the_moment_is_not_held_against_an_answer_in_the_middle() {
        let lists = |all: &[Value]| -> Vec<Template> {
            let answer = |rows: &Value| json!({"status": 200, "body": {"rows": rows}});
            (1..).zip(all).map(|(n, rows)| asked(n, "GET", answer(rows))).collect()
        };
        let (a, b) = (json!({"kind": "a", "at": 1}), json!({"kind": "b", "at": 1}));
        let old = lists(&[json!([a]), json!([a, b])]);
        assert_eq!(rules(&old, &lists(&[json!([]), json!([b]), json!([a, b])])), [] as [&str; 0]);
        assert_eq!(rules(&old, &lists(&[json!([b]), json!([b])])), ["list-item-gone"]);
        // The shape of an item is that of what had happened by then.
        let entry = |more: &Value| json!({"text": "x", "more": more});
        let (plain, nested) = (entry(&Value::Null), entry(&json!({"by": "alice"})));
        let old = lists(&[json!([nested]), json!([nested, nested])]);
        assert_eq!(rules(&old, &lists(&[json!([plain]), json!([nested, nested])])), [] as [&str; 0]);
        assert_ne!(rules(&old, &lists(&[json!([nested]), json!([plain, plain])])), [] as [&str; 0]);
        let old = lists(&[json!([a]), json!([a, b])]);
        let limited = |place: usize| {
            let mut now = lists(&[json!([a]), json!([a]), json!([a, b])]);
            now[place].response = json!({"status": 429, "body": {"error": "slow down"}});
            now
        };
        assert_eq!(rules(&old, &limited(0)), [] as [&str; 0]);
        assert_eq!(rules(&old, &limited(1)), [] as [&str; 0]);
        // What ends the wait is refused.
        assert_eq!(rules(&old, &limited(2)), ["request-refused"]);
    }
}
