//! Known breaches: a file of breaches that do not fail a run, each with its reason, and until when.
//!
//! An entry says nothing about a check that was not played or is unproven. One whose breach no longer happens, or that
//! has expired, fails the run: otherwise it would hide the next breach of that check.

mod file;
mod update;

pub use file::{Entry, KnownError, KnownFile};
pub use update::{Update, updated};

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::check::Verdict;
use crate::contract::TextRange;
use crate::report::{EvaluatedCheck, KnownFault, Report};

/// Marks the breaches of a report that the file knows, and lists the entries that fail the run. `today` is the day by
/// which entries expire.
pub fn apply(file: &KnownFile, report: &mut Report, today: Date) {
    for entry in &file.entries {
        if let Some(why) = fault(entry, report, today) {
            report.known_faults.push(KnownFault {
                place: format!("{}:{}", file.path, entry.line),
                check: entry.check.clone(),
                clause: entry.clause.to_string(),
                why,
            });
        }
        if entry.has_expired(today) {
            continue;
        }
        for check in report.checks.iter_mut().filter(|check| entry.fits(check)) {
            if check.evaluation.result.verdict == Verdict::Broken && check.known.is_none() {
                check.known = Some(entry.known.clone());
            }
        }
    }
}

/// Returns why an entry fails the run; `None` if it does not.
fn fault(entry: &Entry, report: &Report, today: Date) -> Option<String> {
    if let Some(date) = entry.known.expires.filter(|_| entry.has_expired(today)) {
        return Some(format!("has expired on {date}: remove it, or give it another date and say why"));
    }
    is_over(entry, report).then(|| {
        "no longer happens: remove the entry, or renew the file with `covenant known update`".to_owned()
    })
}

/// Returns whether a report shows that the breach of an entry no longer happens: each check that it names and that the
/// contract text asks for was played, and none is broken or unproven. A check that is kept beside a broken one ends no entry. A
/// void run shows nothing, and a part of the suite nothing of the rest.
fn is_over(entry: &Entry, report: &Report) -> bool {
    let is_closed = |check: &&EvaluatedCheck| match verdict(check) {
        Verdict::Kept => true,
        // A deepening check that shows nothing was left to others, which say nothing of its history.
        Verdict::NotApplicable => !check.evaluation.check.deepens,
        Verdict::Broken | Verdict::Unproven => false,
    };
    let closed: BTreeSet<&str> =
        report.checks.iter().filter(is_closed).map(|check| check.evaluation.check.id.as_str()).collect();
    let register = report.contract.register();
    let is_asked_for = |texts: TextRange| register.is_none_or(|register| texts.contains(register));
    let mut named = entry.named.iter().filter(|(_, texts)| is_asked_for(**texts));
    // An entry of another contract text says nothing here.
    let is_of_another = entry.named.values().all(|texts| !is_asked_for(*texts));
    report.void.is_none() && !is_of_another && named.all(|(id, _)| closed.contains(id.as_str()))
}

fn verdict(check: &EvaluatedCheck) -> Verdict {
    check.evaluation.result.verdict
}

#[cfg(test)]
mod tests;
