//! Compares two lists. Their order says nothing, nor do further items: an item is compared with the one of the same identity.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::{Difference, Known, OF_SHAPE, compare, distance, push, short};
use super::form::placeholder;
use super::rules::{ENUM_CHANGED, LIST_ITEM_GONE, VALUE_CHANGED};

/// The member whose items tell what happened, such as the events of an excerpt: their number is that of the calls before.
const HISTORY: &str = ".events";

/// The members that hold the id of an item. One that the request named is the same in another play.
const IDS: &[&str] = &["id", "resource_id", "peer_id", "grant_id", "migration_id"];

/// The members by which an item is found again whose id the platform chose, the best one first.
const NAMES: &[&str] = &["slug", "kind", "resource_kind", "name", "action", "version", "scope"];

/// The name that an operator gives once and for all: an item with another one is another item.
const LASTING: &str = "slug";

/// The number of pairs of items up to which each item has a counterpart of its own. Beyond it, each has the nearest one.
const PAIRS_MAX: usize = 40_000;

/// Part of an item that the request named: the member that holds its id, or none of a list of ids, and the id.
type Named = (Option<&'static str>, String);

/// Compares each recorded item with its counterpart. An item that the request named by its id has no other one.
pub(super) fn items(at: &str, old: &[Value], new: &[Value], known: &Known, found: &mut Vec<Difference>) {
    let below = format!("{at}[]");
    let lists = Lists { below: &below, is_history: at.ends_with(HISTORY), known };
    if new.is_empty() && !old.is_empty() {
        return push(found, LIST_ITEM_GONE, &below, "the list became empty".to_owned());
    }
    let mut groups: BTreeMap<Option<Named>, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
    for item in old {
        // A member that no item has now is gone from each: that says nothing of one item.
        let is_kept = |named: &Named| named.0.is_none_or(|name| new.iter().any(|item| !item[name].is_null()));
        groups.entry(lists.named(item).into_iter().find(is_kept)).or_default().0.push(item);
    }
    for item in new {
        let named = lists.named(item).into_iter().map(Some).find(|named| groups.contains_key(named));
        groups.entry(named.flatten()).or_default().1.push(item);
    }
    for (named, (old, new)) in &groups {
        match named {
            Some((_, id)) if new.is_empty() => {
                let text = format!("the item with the id {id:?} of the request is gone from the list");
                push(found, LIST_ITEM_GONE, &below, text);
            }
            _ if old.is_empty() => {}
            _ => lists.of_group(old, new, found),
        }
    }
}

struct Lists<'a> {
    /// The path of an item.
    below: &'a str,
    is_history: bool,
    known: &'a Known,
}

impl Lists<'_> {
    /// Returns the ids of an item that the request named, the best one first.
    fn named(&self, item: &Value) -> Vec<Named> {
        let known =
            |value: &Value| value.as_str().filter(|text| self.known.contains(*text)).map(ToOwned::to_owned);
        let of_member = |name: &&'static str| Some((Some(*name), known(item.get(*name)?)?));
        known(item).map(|id| (None, id)).into_iter().chain(IDS.iter().filter_map(of_member)).collect()
    }

    fn of_group(&self, old: &[&Value], new: &[&Value], found: &mut Vec<Difference>) {
        if !old.iter().all(|item| item.is_object()) {
            return self.of_any(old, new, found);
        }
        match self.identity(old, new) {
            Some(name) => self.by_identity(name, old, new, found),
            None => {
                self.paired(old, new, found);
            }
        }
    }

    /// Compares items that are no objects, each with the nearest one. A word, or the number of a version, is an item of its
    /// own.
    fn of_any(&self, old: &[&Value], new: &[&Value], found: &mut Vec<Difference>) {
        let before = found.len();
        for item in old {
            let Some((nearest, _)) = self.nearest(item, new) else { continue };
            let is_word = !(item.is_object() || item.is_array())
                && nearest.iter().any(|one| [ENUM_CHANGED, VALUE_CHANGED].contains(&one.rule));
            if is_word {
                let text = format!("{} is gone from the list", short(item));
                push(found, LIST_ITEM_GONE, self.below, text);
            } else {
                found.extend(nearest);
            }
        }
        let is_named = found[before..].iter().any(|one| one.rule == LIST_ITEM_GONE && one.at == self.below);
        if !is_named {
            self.fewer(old.len(), new.len(), found);
        }
    }

    /// Several items may be nearest to one: the numbers tell that one is gone.
    fn fewer(&self, old: usize, new: usize, found: &mut Vec<Difference>) {
        if new < old && !self.is_history {
            push(found, LIST_ITEM_GONE, self.below, format!("{old} items became {new}"));
        }
    }

    fn compared(&self, old: &Value, new: &Value) -> Vec<Difference> {
        let mut differences = vec![];
        compare(self.below, old, new, self.known, &mut differences);
        differences
    }

    /// Returns what differs from the nearest of several items, and its place.
    fn nearest(&self, item: &Value, candidates: &[&Value]) -> Option<(Vec<Difference>, usize)> {
        let compared =
            candidates.iter().enumerate().map(|(place, other)| (self.compared(item, other), place));
        compared.min_by_key(|(differences, _)| distance(differences))
    }

    /// Returns the text by which an item is found again; `None` if it has none that another play repeats.
    fn text_of(&self, item: &Value, name: &str) -> Option<String> {
        let text = match &item[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (placeholder(&text).is_none() || self.known.contains(&text)).then_some(text)
    }

    /// Returns the member that identifies each recorded item, and some item now; one by which no two are equal, if any does.
    /// An id that the platform chose comes last, and identifies nothing unless both have it: the next release, or the next
    /// play, may number its items from elsewhere.
    fn identity(&self, old: &[&Value], new: &[&Value]) -> Option<&'static str> {
        let texts =
            |name: &str| -> Vec<String> { old.iter().filter_map(|item| self.text_of(item, name)).collect() };
        let is_of_each = |name: &str| {
            texts(name).len() == old.len() && new.iter().any(|item| self.text_of(item, name).is_some())
        };
        let is_known = |name: &str| texts(name).iter().all(|text| self.known.contains(text));
        let is_unique = |name: &str| {
            let texts = texts(name);
            texts.iter().collect::<BTreeSet<_>>().len() == texts.len()
        };
        let is_lasting = |name: &&&str| {
            let now: BTreeSet<String> = new.iter().filter_map(|item| self.text_of(item, name)).collect();
            let old: BTreeSet<String> = texts(name).into_iter().collect();
            old.is_subset(&now) || now.is_subset(&old)
        };
        let known = IDS.iter().filter(|name| is_known(name));
        let chosen = IDS.iter().filter(is_lasting);
        let all: Vec<&'static str> =
            known.chain(NAMES).chain(chosen).copied().filter(|name| is_of_each(name)).collect();
        all.iter().find(|name| is_unique(name)).or(all.first()).copied()
    }

    /// Compares items with those of the same identity. One that has none now is renamed, if there is an item that is new and
    /// names can change; or it is gone.
    fn by_identity(&self, name: &str, old: &[&Value], new: &[&Value], found: &mut Vec<Difference>) {
        let grouped = |items: &[&Value]| {
            let mut groups: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
            for item in items {
                groups.entry(self.text_of(item, name)).or_default().push((*item).clone());
            }
            groups
        };
        let (old, new) = (grouped(old), grouped(new));
        let mut lost: Vec<&Value> = vec![];
        for (identity, group) in &old {
            let Some(now) = new.get(identity) else {
                lost.extend(group);
                continue;
            };
            let (group, now): (Vec<&Value>, Vec<&Value>) = (group.iter().collect(), now.iter().collect());
            let rest = self.paired(&group, &now, found);
            // That one of them has the old shape does not help the reader of another.
            for (differences, _) in rest.iter().filter_map(|place| self.nearest_old(now[*place], &group)) {
                found.extend(differences.into_iter().filter(|one| OF_SHAPE.contains(&one.rule)));
            }
        }
        let mut fresh: Vec<&Value> = new
            .iter()
            .filter(|(identity, _)| !old.contains_key(*identity))
            .flat_map(|(_, group)| group)
            .collect();
        for item in lost {
            if let Some((differences, place)) = self.nearest(item, &fresh).filter(|_| name != LASTING) {
                fresh.remove(place);
                found.extend(differences);
            } else {
                let text = format!("the item with {name} {} is gone from the list", short(&item[name]));
                push(found, LIST_ITEM_GONE, self.below, text);
            }
        }
    }

    fn nearest_old(&self, item: &Value, old: &[&Value]) -> Option<(Vec<Difference>, usize)> {
        let compared = old.iter().enumerate().map(|(place, old)| (self.compared(old, item), place));
        compared.min_by_key(|(differences, _)| distance(differences))
    }

    /// Compares each recorded item with a counterpart of its own, the nearest ones first. Returns the places of the items
    /// that are left.
    fn paired(&self, old: &[&Value], new: &[&Value], found: &mut Vec<Difference>) -> Vec<usize> {
        let mut fewer = vec![];
        self.fewer(old.len(), new.len(), &mut fewer);
        if old.len() * new.len() > PAIRS_MAX {
            found.extend(old.iter().filter_map(|item| self.nearest(item, new)).flat_map(|(one, _)| one));
            found.extend(fewer);
            return vec![];
        }
        let places = (0..old.len()).flat_map(|place| (0..new.len()).map(move |other| (place, other)));
        let mut pairs: Vec<(usize, usize, usize)> = places
            .map(|(place, other)| (distance(&self.compared(old[place], new[other])), place, other))
            .collect();
        pairs.sort_unstable();
        let (mut taken, mut given) = (BTreeMap::new(), BTreeSet::new());
        for (_, place, other) in pairs {
            if !taken.contains_key(&place) && given.insert(other) {
                taken.insert(place, other);
            }
        }
        for (place, item) in old.iter().enumerate() {
            match taken.get(&place) {
                Some(other) => found.extend(self.compared(item, new[*other])),
                None if self.is_history => {
                    found.extend(self.nearest(item, new).into_iter().flat_map(|(one, _)| one));
                }
                None => {}
            }
        }
        found.extend(fewer);
        (0..new.len()).filter(|other| !given.contains(other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "the tests write JSON in place")]
    fn found(list: &str, old: Value, new: Value, known: &[&str]) -> Vec<(&'static str, String)> {
        let known: Known = known.iter().map(|one| (*one).to_owned()).collect();
        let mut differences = vec![];
        compare("response.body", &json!({list: old}), &json!({list: new}), &known, &mut differences);
        differences.into_iter().map(|one| (one.rule.id, one.at)).collect()
    }

    #[test]
    fn order_and_further_items_say_nothing() {
        let old = json!([{"kind": "skill", "policy": "manual"}, {"kind": "agent", "policy": "prompt"}]);
        for new in [
            json!([{"kind": "agent", "policy": "prompt"}, {"kind": "skill", "policy": "manual"}]),
            json!([{"kind": "tool", "policy": "x"}, {"kind": "skill", "policy": "manual"}, {"kind": "agent", "policy": "prompt"}]),
        ] {
            assert_eq!(found("capabilities", old.clone(), new, &[]), []);
        }
        // Without an identity, each has the nearest one.
        let old = json!([{"url": "<url:1>", "rank": 1}, {"url": "<url:2>", "rank": 2}]);
        let new = json!([{"url": "<url:3>", "rank": 9, "new": 1}, {"url": "<url:1>", "rank": 2}, {"url": "<url:2>", "rank": 1}]);
        assert_eq!(found("endpoints", old, new, &[]), []);
    }

    #[test]
    fn an_item_is_compared_with_the_one_of_its_identity() {
        let swapped = (
            json!([{"kind": "skill", "policy": "manual"}, {"kind": "agent", "policy": "prompt"}]),
            json!([{"kind": "skill", "policy": "prompt"}, {"kind": "agent", "policy": "manual"}]),
        );
        let policy = ("enum-changed", "response.body.capabilities[].policy".to_owned());
        assert_eq!(found("capabilities", swapped.0, swapped.1, &[]), [policy.clone(), policy]);
        // An id that the request named is the same in each play, and any other one is not.
        let (old, new) = (
            json!([{"id": "<id:1>", "status": "active"}, {"id": "<id:2>", "status": "frozen"}]),
            json!([{"id": "<id:1>", "status": "frozen"}, {"id": "<id:2>", "status": "active"}]),
        );
        assert_eq!(found("rows", old.clone(), new.clone(), &["<id:1>", "<id:2>"]).len(), 2);
        assert_eq!(found("rows", old, new, &[]), []);
    }

    #[test]
    fn an_id_that_each_item_lost_is_a_member_that_is_gone() {
        let (old, new) = (json!([{"peer_id": "<id:1>", "p": 1}]), json!([{"p": 1}]));
        let lost = found("rows", old, new, &["<id:1>"]);
        assert_eq!(lost, [("member-gone", "response.body.rows[].peer_id".to_owned())]);
    }

    #[test]
    fn an_item_that_is_gone_or_lost_a_member_is_found() {
        let at = |name: &str| format!("response.body.{name}");
        let gone = found("rows", json!([{"slug": "a"}, {"slug": "b"}]), json!([{"slug": "a"}]), &[]);
        assert_eq!(gone, [("list-item-gone", at("rows[]"))]);
        let gone = found("rows", json!([{"x": 1}, {"x": 1}]), json!([{"x": 1}]), &[]);
        assert_eq!(gone, [("list-item-gone", at("rows[]"))]);
        // The other item has the member, which does not help.
        let lost = found("rows", json!([{"x": 1}, {"x": 1}]), json!([{"x": 1}, {}]), &[]);
        assert_eq!(lost, [("member-gone", at("rows[].x"))]);
        let (old, new) = (json!([{"slug": "a"}, {"slug": "b"}]), json!([{"slug": "c"}, {"slug": "a"}]));
        assert_eq!(found("rows", old, new, &[]), [("list-item-gone", at("rows[]"))]);
        // The platform numbers its rows from elsewhere.
        let (old, new) = (
            json!([{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}]),
            json!([{"id": 2, "kind": "a"}, {"id": 3, "kind": "b"}]),
        );
        assert!(found("rows", old, new, &[]).iter().all(|(rule, _)| *rule == "number-changed"));
        let renamed = found(
            "events",
            json!([{"kind": "a"}, {"kind": "b"}]),
            json!([{"kind": "a"}, {"kind": "c"}]),
            &[],
        );
        assert_eq!(renamed, [("enum-changed", at("events[].kind"))]);
        let (old, new) =
            (json!([{"kind": "a", "p": 1}]), json!([{"kind": "a", "p": 1}, {"kind": "a"}, {"kind": "z"}]));
        assert_eq!(found("events", old, new, &[]), [("member-gone", at("events[].p"))]);
        // The request named the id: no other item stands for it, whatever the other items are named by.
        let (old, new) = (
            json!([{"id": "<id:1>", "p": 1}, {"id": "<id:2>", "p": 1}]),
            json!([{"id": "<id:1>", "p": 1}, {"id": "<id:7>", "p": 1}]),
        );
        for known in [&["<id:1>", "<id:2>"][..], &["<id:2>"]] {
            let gone = found("rows", old.clone(), new.clone(), known);
            assert_eq!(gone, [("list-item-gone", at("rows[]"))], "{known:?}");
            let (old, new) = (json!(["<id:1>", "<id:2>"]), json!(["<id:1>", "<id:7>"]));
            assert_eq!(found("ids", old, new, known), [("list-item-gone", at("ids[]"))], "{known:?}");
            let of_kind = |id: &str| json!([{"kind": "a", "id": "<id:1>"}, {"kind": "b", "id": id}]);
            let gone = found("rows", of_kind("<id:2>"), of_kind("<id:7>"), known);
            assert_eq!(gone, [("list-item-gone", at("rows[]"))], "{known:?}");
        }
        assert_eq!(found("rows", old, new, &["<id:1>"]), []);
        // Ids that the platform chooses identify nothing, whether some of them come again or not.
        let event = |id: &str, of: &str| json!({"id": id, "kind": "call", "payload": {"action": of}});
        let old = json!([event("au-29c", "accept"), event("au-ymp", "read"), event("au-8gn", "excerpt")]);
        for ids in [["au-1", "au-2"], ["au-ymp", "au-3"]] {
            let new = json!([event(ids[0], "accept"), event(ids[1], "read")]);
            let mut found = found("events", old.clone(), new, &[]);
            found.retain(|(rule, _)| *rule != "text-changed");
            assert_eq!(found, [("enum-changed", at("events[].payload.action"))]);
        }
        // What happened before happens as often as it is called for.
        assert_eq!(found("events", json!([{"kind": "a"}, {"kind": "a"}]), json!([{"kind": "a"}]), &[]), []);
    }
}
