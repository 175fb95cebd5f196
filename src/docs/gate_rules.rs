//! `docs/gate-rules.md`.

use std::fmt::Write;

use super::HEAD;
use crate::gate::{CLAUSE, RULES, Weight};
use crate::reference::release_changes;

const INTRODUCTION: &str = "# Rules of the release gate

`covenant gate` compares a release with the recording of the release before ([guide](release-gate.md)). Each difference has a
rule. A *breaking* rule breaks clause 10.1, unless `--except RULE` leaves it out; an *optional* one breaks with `--also RULE` alone; an
*addition* never breaks. `covenant explain RULE` shows one rule in the terminal.

| rule | weight | what differs | why the release before minds |
|---|---|---|---|
";

const CHANGES: &str = "
## What each rule is shown by

Each row is a change between two releases of the reference platform, which a test plays. The gate has to find it by its rule and by no
other, but for what follows from it. `covenant gate --baseline DIR --defect NAME` plays one.

| change | the release … | rule |
|---|---|---|
";

const ADDITIONS: &str = "
## What breaks nothing

A test plays each of these too, and the gate must not call it breaking.

| change | the release … |
|---|---|
";

/// Writes the page.
pub(super) fn page() -> String {
    let mut page = format!("{HEAD}{INTRODUCTION}");
    for rule in RULES {
        let breaks = if rule.weight == Weight::Breaking { format!(", {CLAUSE}") } else { String::new() };
        let weight = rule.weight.name();
        let _ = writeln!(page, "| `{}` | {weight}{breaks} | {} | {} |", rule.id, rule.about, rule.why);
    }
    page.push_str(CHANGES);
    for change in release_changes() {
        if let Some(rule) = change.breaks {
            let _ = writeln!(page, "| `{}` | {} | `{rule}` |", change.patch.name, change.patch.summary);
        }
    }
    page.push_str(ADDITIONS);
    for change in release_changes().filter(|change| change.breaks.is_none()) {
        let _ = writeln!(page, "| `{}` | {} |", change.patch.name, change.patch.summary);
    }
    page
}
