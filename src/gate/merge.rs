//! Makes one recording of two plays of a release: what differs between them differs by nature.

use std::collections::BTreeMap;

use super::compare::Difference;
use super::exchanges::compare_scenario;
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
    for one in compare_scenario(&first, second, true) {
        let Some(old) = one.old else { continue };
        let is_of_outcome = |one: &Difference| one.at == "response" || one.at == "response.status";
        let has_other_outcome = one.differences.iter().any(is_of_outcome);
        if one.new.is_none() || has_other_outcome {
            if old.direction == Direction::ToTarget {
                let what = if has_other_outcome { "another outcome" } else { "no counterpart" };
                left_out.push(format!("{} has {what} in the second play", old.in_words()));
            }
            varies.remove(&old.n);
            continue;
        }
        let mut of: Vec<Variable> = one.differences.iter().map(Variable::of).collect();
        // What is any number is a number of any size.
        let numbers = one.differences.iter().filter(|difference| difference.rule == NUMBER_CHANGED);
        let as_unit =
            numbers.map(|number| Variable { rule: UNIT_CHANGED.id.to_owned(), at: number.at.clone() });
        of.extend(as_unit.collect::<Vec<_>>());
        varies.entry(old.n).or_default().extend(of);
    }
    let of_both = first.into_iter().filter_map(|template| {
        let mut varies = varies.remove(&template.n)?;
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
