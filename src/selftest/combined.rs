//! The results of sets of variants. Runs add up in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Combination, file};
use crate::check::Verdict;
use crate::clock::Seed;
use crate::input::InputError;
use crate::report::Report;
use crate::runner::{FileError, Plan, RunError, Target};
use crate::score::Overall;

/// The name of the table's two files.
const NAME: &str = "combinations";

/// The result of one set of variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedRow {
    /// The names of the variants.
    pub variants: Vec<String>,
    /// The seed of the run.
    pub seed: Seed,
    /// The broken checks, or a note that the run was void. A conforming platform has none.
    pub broken: Vec<String>,
    /// The unproven checks, but those that a variant of the set leaves unproven for a reason that it names.
    pub unproven: Vec<String>,
}

impl CombinedRow {
    /// Returns true if each check is kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.broken.is_empty() && self.unproven.is_empty()
    }
}

/// The results of sets of variants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedTable {
    /// One row for each set and seed.
    pub rows: Vec<CombinedRow>,
}

/// Runs the suite against the platform that takes all choices of a set.
pub async fn probe_combination(set: &Combination, plan: &Plan) -> Result<CombinedRow, RunError> {
    let plan = Plan { target: Target::Embedded(set.variants.clone()), seed: set.seed, ..plan.clone() };
    Ok(row(set, &plan.run_to_report().await?))
}

fn row(set: &Combination, report: &Report) -> CombinedRow {
    let expected: BTreeSet<&str> =
        set.variants.iter().flat_map(|variant| variant.leaves_unproven).copied().collect();
    let with = |verdict: Verdict| {
        let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
        evaluations.filter(move |evaluation| evaluation.result.verdict == verdict)
    };
    let mut broken: Vec<String> = with(Verdict::Broken).map(|broken| broken.check.id.clone()).collect();
    if report.score.overall == Overall::Void {
        broken.push("the run was void".to_owned());
    }
    let unproven = with(Verdict::Unproven).map(|open| open.check.id.clone());
    CombinedRow {
        variants: set.names(),
        seed: set.seed,
        broken,
        unproven: unproven.filter(|id| !expected.contains(id.as_str())).collect(),
    }
}

impl CombinedTable {
    /// Adds rows. A row replaces an older one of the same set and seed.
    #[must_use]
    pub fn with(self, rows: Vec<CombinedRow>) -> Self {
        let rows = self.rows.into_iter().chain(rows).map(|row| ((row.variants.clone(), row.seed), row));
        Self { rows: rows.collect::<BTreeMap<_, _>>().into_values().collect() }
    }

    /// Returns true if each check is kept under each set.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(CombinedRow::is_good)
    }

    /// Reads the table of an earlier run from this folder. Without a file it is empty.
    pub fn read(folder: &Path) -> Result<Self, InputError> {
        Ok(file::read(folder, NAME)?.unwrap_or_default())
    }

    /// Writes the table into a folder, as Markdown and as JSON.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        file::write(folder, NAME, self, &self.markdown())
    }

    /// Formats the table as Markdown: counts, and each set under which a check is not kept.
    #[must_use]
    pub fn markdown(&self) -> String {
        let count = |is: fn(&CombinedRow) -> bool| self.rows.iter().filter(|row| is(row)).count();
        let mut text = String::from("# Sets of variants\n\n");
        let _ = writeln!(text, "- sets: {}", self.rows.len());
        let _ = writeln!(text, "- sets with a false positive: {}", count(|row| !row.broken.is_empty()));
        let _ = writeln!(
            text,
            "- sets with a check that was left unproven: {}",
            count(|row| !row.unproven.is_empty())
        );
        let wrong: Vec<&CombinedRow> = self.rows.iter().filter(|row| !row.is_good()).collect();
        if !wrong.is_empty() {
            text.push_str("\n| variants | seed | false positives | left unproven |\n|---|---|---|---|\n");
        }
        for row in wrong {
            let (variants, broken) = (row.variants.join(", "), row.broken.join(", "));
            let _ = writeln!(text, "| {variants} | {} | {broken} | {} |", row.seed, row.unproven.join(", "));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: u64, broken: &[&str]) -> CombinedRow {
        let broken = broken.iter().map(ToString::to_string).collect();
        CombinedRow { variants: vec!["ipv6".to_owned()], seed: Seed(seed), broken, unproven: vec![] }
    }

    #[test]
    fn runs_add_up_and_a_later_result_of_a_set_replaces_the_earlier() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(CombinedTable::read(folder.path()).expect("none yet"), CombinedTable::default());
        let table = CombinedTable::default().with(vec![row(1, &["x#1"]), row(2, &["x#1"])]);
        table.write(folder.path()).expect("written");
        let read = CombinedTable::read(folder.path()).expect("a table");
        assert_eq!(read, table);
        let later = read.with(vec![row(1, &[]), row(3, &[])]);
        assert_eq!(later.rows.len(), 3);
        assert!(!later.is_good());
        assert!(later.markdown().contains("| ipv6 | 2 | x#1 |  |"), "{}", later.markdown());
        assert!(later.with(vec![row(2, &[])]).is_good());
    }
}
