//! The behaviours of a peer, by family.

use std::fmt::Write;

use serde_json::json;

use super::{Item, is_of, row};
use crate::peer::behaviours::BEHAVIOURS;
use crate::peer::{Behaviour, FAMILIES, Family};

/// The heading of the behaviours that break no clause.
const IN_NO_FAMILY: &str = "\nin no family: they break no clause\n";

/// Returns the behaviours about a clause or commitment, or all of them. The first of a family bears its heading.
pub(super) fn items(wanted: Option<&str>) -> Vec<Item> {
    let mut items = Vec::new();
    for family in FAMILIES {
        let of = family.behaviours().map(|behaviour| item(behaviour, Some(family)));
        extend(&mut items, &heading(family), of, wanted);
    }
    let others = BEHAVIOURS.iter().filter(|behaviour| behaviour.clauses.is_empty());
    extend(&mut items, IN_NO_FAMILY, others.map(|behaviour| item(behaviour, None)), wanted);
    if let Some(first) = items.first_mut() {
        first.text = first.text.trim_start().to_owned();
    }
    items
}

fn extend(items: &mut Vec<Item>, heading: &str, rows: impl Iterator<Item = Item>, wanted: Option<&str>) {
    let fits = |item: &Item| wanted.is_none_or(|id| item.clauses.iter().any(|clause| is_of(clause, id)));
    let mut rows = rows.filter(fits);
    if let Some(mut first) = rows.next() {
        first.text.insert_str(0, heading);
        items.push(first);
        items.extend(rows);
    }
}

fn heading(family: &Family) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "\n{}  [family, commitment {}]", family.name, family.commitment);
    let _ = writeln!(text, "    {}", family.about);
    if !family.alone.is_empty() {
        let _ = writeln!(text, "    together: {}", family.together.join(", "));
    }
    text
}

fn item(behaviour: &Behaviour, family: Option<&Family>) -> Item {
    let clauses: Vec<String> = behaviour.clauses.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for line in row(behaviour.name, behaviour.about, &clauses).lines() {
        let _ = writeln!(text, "  {line}");
    }
    let json = json!({"id": behaviour.name, "about": behaviour.about, "clauses": clauses,
        "family": family.map(|family| family.name),
        "together": family.is_some_and(|family| family.together.contains(&behaviour.name))});
    Item { clauses, text, json }
}
