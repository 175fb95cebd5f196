//! `docs/checks.md`.

use std::fmt::Write;

use super::HEAD;
use super::table::members;
use crate::check::{AbsentCall, CheckDef, PlannedCheck, checks};
use crate::runner::planned;
use crate::scenario::Loaded;

const INTRODUCTION: &str = "# Checks

A check evaluates one clause and aspect over the finished trace of a scenario. A `[[check]]` of a
[scenario](scenario-format.md) names the check and gives its arguments in `with`. Labels refer to the entries that steps
recorded under `as = \"…\"`; a label or a peer that does not exist is an error when the file is read.

A check passes (`kept`), or stops: `broken` with the entries that show it, or `unproven` with the reason.
A check that passes because something is absent states its positive control: what shows, in the same trace, that a breach would
have been seen. Without it, such a check is `unproven`, unless the control names a call that not each scenario makes.
A call of the target that a limit of the suite rejected (413, 431, 408 or 503 of a peer) is a note of the trace. It may be the
call that is missing, so no check rests on its absence.
`covenant explain ID` shows the same for one check, in the terminal.
";

/// Writes the page.
pub(super) fn page(parts: &[Loaded]) -> String {
    let all: Vec<PlannedCheck> = parts.iter().flat_map(|loaded| planned(&loaded.id, loaded)).collect();
    let mut page = format!("{HEAD}{INTRODUCTION}");
    for check in checks() {
        entry(&mut page, check, &all);
    }
    page
}

/// Returns the verdict that may rest on the absence of a call of the target.
const fn unless_rejected_by_limit(absent: AbsentCall) -> Option<&'static str> {
    match absent {
        AbsentCall::SaysNothing => None,
        AbsentCall::MayBreak => Some("broken"),
        AbsentCall::MayKeep => Some("kept"),
    }
}

fn entry(page: &mut String, check: &CheckDef, all: &[PlannedCheck]) {
    let schema = check.schema();
    let _ = writeln!(page, "\n## `{}`\n\n{}\n", check.id, check.about());
    for expected in check.expected {
        let _ = writeln!(page, "- expects: {expected}");
    }
    if let Some(control) = check.control {
        let _ = writeln!(page, "- passes by absence; positive control: {control}");
    }
    if let Some(verdict) = unless_rejected_by_limit(check.absent_call) {
        let _ = writeln!(page, "- not {verdict} where a limit of the suite rejected a call of the target");
    }
    page.push('\n');
    members(page, &schema);
    let uses: Vec<String> = all
        .iter()
        .filter(|planned| planned.check == check.id)
        .map(|planned| format!("{} {} in `{}`", planned.clause, planned.aspect, planned.scenario))
        .collect();
    match uses.len() {
        0 => page.push_str("Used by the watch of `covenant audit`.\n"),
        count => {
            const SHOWN: usize = 4;
            let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
            let shown = uses[..count.min(SHOWN)].join(", ");
            let _ = writeln!(page, "Used by: {shown}{more}.");
        }
    }
}
