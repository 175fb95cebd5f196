//! The results of all platforms.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Row, file};
use crate::input::InputError;
use crate::reference::{DEFECTS, VARIANTS};
use crate::runner::FileError;

/// The name of the table's two files.
const NAME: &str = "selftest";

/// The results of the self-test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The rows: one for each patch, and one for the conforming platform.
    pub rows: Vec<Row>,
    /// The checks of the suite that no defect breaks.
    pub never_broken: Vec<String>,
}

impl Table {
    /// Builds a table from rows. `checks` holds the ids of all checks of the suite.
    #[must_use]
    pub fn new(rows: Vec<Row>, checks: &BTreeSet<String>) -> Self {
        let broken: BTreeSet<&String> = rows.iter().flat_map(|row| &row.detected_by).collect();
        let never_broken = checks.iter().filter(|check| !broken.contains(check)).cloned().collect();
        Self { rows, never_broken }
    }

    /// Replaces the rows of the same patches, in the order of the patches.
    #[must_use]
    pub fn with(self, rows: Vec<Row>, checks: &BTreeSet<String>) -> Self {
        let mut by_patch: BTreeMap<String, Row> =
            self.rows.into_iter().chain(rows).map(|row| (row.patch.clone(), row)).collect();
        let names = DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name);
        let rows = std::iter::once("").chain(names).filter_map(|name| by_patch.remove(name)).collect();
        Self::new(rows, checks)
    }

    /// Renews in each row what the scenarios show that were played. `parts` are rows of these scenarios alone, and a
    /// platform without a row gets none: it was never played whole. `aspects` holds the clause and aspect of each check.
    #[must_use]
    pub fn with_parts(
        self,
        parts: Vec<Row>,
        aspects: &BTreeMap<String, String>,
        checks: &BTreeSet<String>,
    ) -> Self {
        let mut by_patch: BTreeMap<String, Row> =
            parts.into_iter().map(|row| (row.patch.clone(), row)).collect();
        let renew = |row: Row| match by_patch.remove(&row.patch) {
            Some(part) => row.with_part(part, aspects),
            None => row,
        };
        let rows = self.rows.into_iter().map(renew).collect();
        Self::default().with(rows, checks)
    }

    /// Returns the number of defects that were detected exactly, and the number that the suite checks.
    #[must_use]
    pub fn sensitivity(&self) -> (usize, usize) {
        found(self.rows.iter().filter(|row| row.is_evaluated()))
    }

    /// Returns the same numbers for the defects that are hard to reach.
    #[must_use]
    pub fn hard_to_reach(&self) -> (usize, usize) {
        found(self.rows.iter().filter(|row| row.is_evaluated() && row.is_hard_to_reach()))
    }

    /// Counts the seeded clauses and aspects that have no check, over all rows.
    #[must_use]
    pub fn unchecked(&self) -> usize {
        self.rows.iter().map(|row| row.unchecked.len()).sum()
    }

    /// Counts the false positives, over all rows.
    #[must_use]
    pub fn false_positive_count(&self) -> usize {
        self.rows.iter().map(|row| row.false_positives.len()).sum()
    }

    /// Counts the unproven checks of conforming platforms, over all rows.
    #[must_use]
    pub fn left_open(&self) -> usize {
        self.rows.iter().map(|row| row.left_open.len()).sum()
    }

    /// Returns true if no defect is missed or lacks a check, there is no false positive, every conforming
    /// platform is kept, and every check is broken by some defect.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let (found, seeded) = self.sensitivity();
        found == seeded
            && self.unchecked() == 0
            && self.false_positive_count() == 0
            && self.left_open() == 0
            && self.never_broken.is_empty()
    }

    /// Reads the table that an earlier self-test wrote into this folder. Returns `None` if there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, InputError> {
        file::read(folder, NAME)
    }

    /// Writes the table into a folder, as Markdown and as JSON.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        file::write(folder, NAME, self, &self.markdown())
    }

    /// Formats the table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let (found, seeded) = self.sensitivity();
        let mut text = String::from("# Self-test results\n\n");
        let _ = writeln!(text, "- sensitivity: {found} of {seeded} seeded breaches found");
        let (found, seeded) = self.hard_to_reach();
        let _ = writeln!(
            text,
            "- hard to reach among them, shown by a rare history only: {found} of {seeded} found"
        );
        let _ = writeln!(
            text,
            "- specificity: {} false positives over {} platforms",
            self.false_positive_count(),
            self.rows.len()
        );
        let _ = writeln!(text, "- checks of conforming platforms that were not kept: {}", self.left_open());
        let _ = writeln!(text, "- seeded against aspects without a check: {}", self.unchecked());
        let _ = writeln!(text, "- checks that no defect turns broken: {}\n", self.never_broken.len());
        text.push_str("| platform | breaks | detected by | missed | false positives | left open |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let name = if row.patch.is_empty() { "(conforming)" } else { &row.patch };
            let depth = if row.is_hard_to_reach() { " (hard to reach)" } else { "" };
            let breaks = if row.breaks.is_empty() { "–".to_owned() } else { row.breaks.join(", ") };
            let detected = if row.breaks.is_empty() {
                "–".to_owned()
            } else if row.is_evaluated() {
                row.detected_by.join(", ")
            } else {
                "(not evaluated)".to_owned()
            };
            let _ = writeln!(
                text,
                "| {name}{depth} | {breaks} | {detected} | {} | {} | {} |",
                row.missed.join(", "),
                row.false_positives.join(", "),
                row.left_open.join(", ")
            );
        }
        if !self.never_broken.is_empty() {
            text.push_str("\n## Checks that no defect turns broken\n\n");
            for check in &self.never_broken {
                let _ = writeln!(text, "- {check}");
            }
        }
        text
    }
}

/// Counts the detected defects and all of these defects.
fn found<'a>(evaluated: impl Iterator<Item = &'a Row> + Clone) -> (usize, usize) {
    (evaluated.clone().filter(|row| row.missed.is_empty()).count(), evaluated.count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Aspect, ClauseId};
    use crate::property::PROPERTIES;
    use crate::reference::PatchKind;
    use crate::runner::{library, planned, property_case};

    #[test]
    fn two_defects_break_each_aspect_that_is_evaluated_and_there_are_enough_of_each_sort() {
        let mut seeded: BTreeMap<(ClauseId, Aspect), usize> =
            evaluated_aspects().into_iter().map(|aspect| (aspect, 0)).collect();
        for patch in DEFECTS {
            let PatchKind::Defect { breaks } = patch.kind else { continue };
            for (clause, aspect) in breaks {
                *seeded.entry((clause.parse().expect("a clause"), *aspect)).or_default() += 1;
            }
        }
        let scarce = seeded.iter().filter(|(_, defects)| **defects < 2);
        let scarce: Vec<String> =
            scarce.map(|((clause, aspect), defects)| format!("{clause} {aspect}: {defects}")).collect();
        assert!(scarce.is_empty(), "fewer than two defects: {scarce:?}");
        let hard = DEFECTS.iter().filter(|patch| patch.hard_to_reach).count();
        for (what, are, due) in
            [("defects", DEFECTS.len(), 100), ("hard to reach", hard, 15), ("variants", VARIANTS.len(), 25)]
        {
            assert!(are >= due, "{what}: {are} of at least {due}");
        }
    }

    /// Returns the aspects that a scenario or property checks. Aspects that a person attests are not
    /// included.
    fn evaluated_aspects() -> BTreeSet<(ClauseId, Aspect)> {
        let library = library(None).expect("sound scenarios");
        let properties = PROPERTIES.iter().filter_map(|property| property_case(&property.trace()));
        let every = library.iter().cloned().chain(properties);
        every
            .flat_map(|loaded| planned(&loaded.id, &loaded))
            .map(|check| (check.clause, check.aspect))
            .collect()
    }

    fn row(patch: &str, breaks: &[&str], detected_by: &[&str]) -> Row {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Row {
            patch: patch.to_owned(),
            breaks: owned(breaks),
            unchecked: vec![],
            detected_by: owned(detected_by),
            missed: vec![],
            false_positives: vec![],
            left_open: vec![],
            report: String::new(),
            played: BTreeSet::new(),
        }
    }

    #[test]
    fn a_part_renews_what_its_scenarios_show_and_nothing_else() {
        let aspects: BTreeMap<String, String> = ["7/ids#2", "7/ids#10", "7/old#1", "7/new#1", "1/own#1"]
            .map(|id| {
                (id.to_owned(), if id.starts_with('1') { "1.1 conduct" } else { "7.4 conduct" }.to_owned())
            })
            .into();
        let played = |scenarios: &[&str], row: Row| Row {
            played: scenarios.iter().map(|id| (*id).to_owned()).collect(),
            ..row
        };
        let checks: BTreeSet<String> = aspects.keys().cloned().collect();
        let name = "remaps-ids-of-non-root-records";
        let breaks = ["1.1 conduct", "7.4 conduct"];
        let before = Table::new(
            vec![row("", &[], &[]), row(name, &breaks, &["1/own#1", "7/gone#1", "7/ids#2", "7/old#1"])],
            &checks,
        );
        let part = |detected: &[&str]| played(&["7/ids", "7/new"], row(name, &breaks, detected));
        let after = before.clone().with_parts(vec![part(&["7/ids#10", "7/new#1"])], &aspects, &checks);
        let [plain, renewed] = &after.rows[..] else { panic!("two rows: {after:?}") };
        assert_eq!(plain.patch, "");
        assert_eq!(renewed.detected_by, ["1/own#1", "7/ids#10", "7/new#1", "7/old#1"]);
        assert_eq!((renewed.missed.len(), &after.never_broken[..]), (0, &["7/ids#2".to_owned()][..]));
        // What only these scenarios showed is missed if they show it no longer.
        let alone = Table::new(vec![row(name, &breaks, &["7/ids#2"])], &checks);
        let missed = alone.with_parts(vec![part(&[])], &aspects, &checks);
        assert_eq!(missed.rows[0].missed, breaks);
        let unknown = Table::default().with_parts(vec![part(&["7/ids#2"])], &aspects, &checks);
        assert_eq!(unknown.rows, []);
    }

    #[test]
    fn a_table_is_good_only_where_every_aspect_that_is_seeded_is_evaluated() {
        let detected = row("remaps-ids-of-non-root-records", &["7.4 conduct", "7.1 conduct"], &["7/ids#1"]);
        let good = Table::new(vec![row("", &[], &[]), detected.clone()], &["7/ids#1".to_owned()].into());
        assert!(good.is_good());
        // One aspect is detected, and the other has no check.
        let half = Row { unchecked: vec!["7.1 conduct".to_owned()], ..detected };
        let half = Table::new(vec![half], &["7/ids#1".to_owned()].into());
        assert_eq!((half.sensitivity(), half.unchecked(), half.is_good()), ((1, 1), 1, false));
        assert!(half.markdown().contains("aspects without a check: 1\n"), "{}", half.markdown());
    }

    #[test]
    fn a_defect_that_is_hard_to_reach_is_marked_and_counted() {
        let hard = DEFECTS.iter().find(|patch| patch.hard_to_reach).expect("one that is hard to reach").name;
        let other = DEFECTS.iter().find(|patch| !patch.hard_to_reach).expect("another").name;
        let table = Table::new(
            [hard, other].map(|name| row(name, &["1.1 conduct"], &["a#1"])).to_vec(),
            &BTreeSet::new(),
        );
        assert_eq!((table.sensitivity(), table.hard_to_reach()), ((2, 2), (1, 1)));
        let text = table.markdown();
        assert!(
            text.contains(&format!("| {hard} (hard to reach) |")) && text.contains(&format!("| {other} |")),
            "{text}"
        );
    }
}
