//! Renews a file of known breaches from a report.

use std::fmt::Write;

use jiff::civil::Date;

use super::{KnownFile, is_over, verdict};
use crate::check::Verdict;
use crate::report::{EvaluatedCheck, Report};

/// The reason of a new entry, which its writer replaces.
const NO_REASON: &str = "not examined yet";

/// The first lines of the file.
const HEAD: &str = "# Known breaches: they do not fail `covenant run --known FILE`. An entry whose breach no longer happens, or that has
# expired, does. `covenant known update` renews this file, and keeps the reasons, links and dates of entries that stay.
";

/// Returns the text of the file that knows each breach of a report, and what it took out. Entries stay while their breach
/// happens, or while the report says nothing about it. New ones expire on `expires`.
#[must_use]
pub fn updated(file: &KnownFile, report: &Report, expires: Date) -> (String, Update) {
    let mut text = HEAD.to_owned();
    let mut update = Update::default();
    for entry in &file.entries {
        if is_over(entry, report) {
            update.removed += 1;
            continue;
        }
        update.kept += 1;
        let known = &entry.known;
        let date = known.expires.map(|date| date.to_string());
        add(&mut text, &entry.check, &entry.clause.to_string(), &known.reason, known.link.as_deref(), date);
    }
    let is_new = |check: &&EvaluatedCheck| {
        verdict(check) == Verdict::Broken && !file.entries.iter().any(|entry| entry.fits(check))
    };
    for check in report.checks.iter().filter(is_new) {
        update.added += 1;
        let planned = &check.evaluation.check;
        let (pattern, clause) = (globset::escape(&planned.id), planned.clause.to_string());
        add(&mut text, &pattern, &clause, NO_REASON, None, Some(expires.to_string()));
    }
    (text, update)
}

/// Changes of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The number of entries that stay.
    pub kept: usize,
    /// The number of new entries.
    pub added: usize,
    /// The number of entries whose breach no longer happens.
    pub removed: usize,
}

fn add(
    text: &mut String,
    check: &str,
    clause: &str,
    reason: &str,
    link: Option<&str>,
    expires: Option<String>,
) {
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let _ = writeln!(text, "\n[[breach]]\ncheck = {}\nclause = {}", quoted(check), quoted(clause));
    let _ = writeln!(text, "reason = {}", quoted(reason));
    if let Some(link) = link {
        let _ = writeln!(text, "link = {}", quoted(link));
    }
    if let Some(date) = expires {
        let _ = writeln!(text, "expires = {date}");
    }
}
