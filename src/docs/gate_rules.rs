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
other, but for what follows from it. `covenant gate --baseline DIR --defect NAME` plays one. The last column has the ways of the gate
that find it: *recorded*; *simulated*, by a neighbour that is refused what it needs; *paired*, where an operator's method
leads to such a call. `ci/platforms` plays each change in each way.

| change | the release … | rule | found by |
|---|---|---|---|
";

const ADDITIONS: &str = "
## What breaks nothing

A test plays each of these too, and no way of the gate may call it breaking.

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
            let (name, summary) = (change.patch.name, change.patch.summary);
            let simulated = change.is_seen_by_neighbours().then_some("simulated");
            let paired = change.is_seen_by_pair().then_some("paired");
            let ways: Vec<&str> = ["recorded"].into_iter().chain(simulated).chain(paired).collect();
            let _ = writeln!(page, "| `{name}` | {summary} | `{rule}` | {} |", ways.join(", "));
        }
    }
    page.push_str(ADDITIONS);
    for change in release_changes().filter(|change| change.breaks.is_none()) {
        let _ = writeln!(page, "| `{}` | {} |", change.patch.name, change.patch.summary);
    }
    page
}
