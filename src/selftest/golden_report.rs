//! The golden form of a platform's report: what is broken and why, and what is unproven, without the values
//! that differ from run to run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::TextDiff;
use uuid::Uuid;

use super::Row;
use crate::check::Verdict;
use crate::input::{self, InputError};
use crate::report::{EvaluatedCheck, Report};

/// The longest golden report that is read, in bytes.
const GOLDEN_BYTES_MAX: u64 = 4 << 20;

/// Returns the golden form of a report. It has no score: that follows from the verdicts, and from how many clauses
/// there are.
#[must_use]
pub fn golden_report(report: &Report) -> String {
    let mut text = format!("overall: {}\n", json_name(&report.score.overall));
    for row in &report.score.sections {
        let (conduct, detection) = (json_name(&row.conduct), json_name(&row.detection));
        let _ = writeln!(text, "{:>2}: conduct {conduct}, detection {detection}", row.section);
    }
    let counted = |verdict: Verdict| report.checks.iter().filter(move |check| verdict_of(check) == verdict);
    for check in counted(Verdict::Broken).chain(counted(Verdict::Unproven)) {
        let (of, result) = (&check.evaluation.check, &check.evaluation.result);
        let verdict = json_name(&result.verdict);
        let _ = writeln!(text, "\n{verdict}: {} {}  {}", of.clause, of.aspect, of.id);
        let _ = writeln!(text, "  requirement: {}", of.requirement);
        let _ = writeln!(text, "  actual:      {}", without_ids(&result.actual));
    }
    text
}

/// Returns the name of a value in the JSON report.
fn json_name(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().map_or_else(|| json.to_string(), ToOwned::to_owned)
}

fn verdict_of(check: &EvaluatedCheck) -> Verdict {
    check.evaluation.result.verdict
}

/// Replaces every id by one placeholder, and joins a text of several lines into one line.
fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let mut reported = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.get(..LENGTH).is_some_and(|start| Uuid::try_parse(start).is_ok()) {
            reported.push_str("<id>");
            rest = &rest[LENGTH..];
        } else {
            reported.push(if first.is_control() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        }
    }
    reported
}

/// A row whose report differs from its golden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportDifference {
    /// The path of the golden.
    pub path: PathBuf,
    /// The report of the row.
    pub now: String,
    /// The difference, as a unified diff.
    pub shown: String,
}

/// Compares the report of each row that was run now with its golden in a folder. Rows of an earlier self-test
/// have no report.
pub fn compare_reports(rows: &[Row], folder: &Path) -> Result<Vec<ReportDifference>, InputError> {
    let mut differences = Vec::new();
    for row in rows.iter().filter(|row| !row.report.is_empty()) {
        let path = folder.join(name(row)).with_extension("txt");
        if let Some(shown) = difference(&path, &row.report)? {
            differences.push(ReportDifference { path, now: row.report.clone(), shown });
        }
    }
    Ok(differences)
}

fn name(row: &Row) -> &str {
    if row.patch.is_empty() { "reference" } else { &row.patch }
}

/// Returns the unified difference between a report and its golden, or `None` if they are equal. A missing
/// golden counts as empty.
fn difference(path: &Path, now: &str) -> Result<Option<String>, InputError> {
    let golden = match input::read_text(path, GOLDEN_BYTES_MAX) {
        Err(error) if error.is_missing() => String::new(),
        golden => golden?,
    };
    if golden == now {
        return Ok(None);
    }
    let diff = TextDiff::from_lines(golden.as_str(), now);
    let shown = diff.unified_diff().context_radius(2).header(&path.display().to_string(), "now").to_string();
    Ok(Some(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_placeholders_and_a_text_stays_on_its_line() {
        let text = "skill/01a2075f-ab38-734e-bd8b-a790d60fdad4 is\ngone";
        assert_eq!(without_ids(text), "skill/<id> is gone");
    }

    #[test]
    fn a_golden_that_differs_is_shown_line_by_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.txt");
        std::fs::write(&path, "one\ntwo\n").expect("a file");
        assert_eq!(difference(&path, "one\ntwo\n").expect("read"), None);
        let shown = difference(&path, "one\nthree\n").expect("read").expect("a difference");
        assert!(shown.contains("-two\n+three"), "{shown}");
    }
}
