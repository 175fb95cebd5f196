//! The suite, measured: how many planted breaches it finds, how many honest platforms it slanders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{Plan, RunError, Target, golden_report};
use crate::check::Verdict;
use crate::reference::{DEFECTS, Patch, PatchKind, VARIANTS, defect};
use crate::report::{JudgedCheck, Report};
use crate::score::Overall;

/// What the suite said of one defect, of one variant, or of the honest platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The patch; empty for the honest platform.
    pub patch: String,
    /// `7.1 conduct`: what it plants. Empty for what is lawful.
    pub plants: Vec<String>,
    /// Of those, what the suite has no check for: nobody could have caught it.
    pub unjudged: Vec<String>,
    /// Checks that were broken, of clauses that it plants.
    pub caught_by: Vec<String>,
    /// What it plants, is judged, and was not found broken.
    pub missed: Vec<String>,
    /// Checks that were broken, of clauses that it does not plant; or that the run was void.
    pub cried_wrongly: Vec<String>,
    /// Of a lawful platform: checks that were not kept, for want of an observation.
    #[serde(default)]
    pub left_open: Vec<String>,
    /// The report, as a golden keeps it.
    #[serde(skip)]
    pub report: String,
}

impl Row {
    /// Whether all that was planted and is judged was found, and nothing else.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.missed.is_empty() && self.cried_wrongly.is_empty()
    }

    /// Whether only a rare history shows it.
    #[must_use]
    pub fn is_deep(&self) -> bool {
        defect(&self.patch).is_some_and(|patch| patch.deep)
    }

    /// Whether it was planted against something that the suite judges.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.plants.len() > self.unjudged.len()
    }
}

/// Runs the suite against the platform with one patch, or against the honest one.
pub async fn probe(patch: Option<&'static Patch>, run: &Plan) -> Result<Row, RunError> {
    let thorough = patch.and_then(commitments);
    let target = Target::Embedded(patch.into_iter().collect());
    let run = Plan { target, thorough, ..run.clone() };
    Ok(row(patch, &run.judge().await?))
}

/// The commitments that a defect touches; none where the platform is lawful, or the clauses are no
/// commitment's.
fn commitments(patch: &Patch) -> Option<BTreeSet<u8>> {
    let PatchKind::Defect { breaks } = patch.kind else { return None };
    let sections = breaks.iter().filter_map(|(clause, _)| clause.split_once('.'));
    Some(sections.filter_map(|(section, _)| section.parse().ok()).collect())
}

fn row(patch: Option<&'static Patch>, report: &Report) -> Row {
    let plants: BTreeSet<String> = match patch.map(|patch| patch.kind) {
        Some(PatchKind::Defect { breaks }) => {
            breaks.iter().map(|(clause, face)| format!("{clause} {face}")).collect()
        }
        _ => BTreeSet::new(),
    };
    let mut judged = BTreeSet::new();
    let mut broken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for check in report.checks.iter().map(|judged| &judged.outcome) {
        let face = format!("{} {}", check.check.clause, check.check.face);
        judged.insert(face.clone());
        if check.judgement.verdict == Verdict::Broken {
            broken.entry(face).or_default().push(check.check.id.clone());
        }
    }
    let (caught, wrong): (Vec<_>, Vec<_>) = broken.into_iter().partition(|(face, _)| plants.contains(face));
    let mut cried_wrongly: Vec<String> = wrong.into_iter().flat_map(|(_, checks)| checks).collect();
    if report.score.overall == Overall::Void {
        cried_wrongly.push("the run was void".to_owned());
    }
    let open =
        |check: &&JudgedCheck| check.outcome.judgement.verdict == Verdict::Unproven && plants.is_empty();
    let left_open = report.checks.iter().filter(open).map(|check| check.outcome.check.id.clone()).collect();
    let found: BTreeSet<&String> = caught.iter().map(|(face, _)| face).collect();
    Row {
        patch: patch.map(|patch| patch.name.to_owned()).unwrap_or_default(),
        unjudged: plants.difference(&judged).cloned().collect(),
        missed: plants
            .iter()
            .filter(|face| judged.contains(*face) && !found.contains(face))
            .cloned()
            .collect(),
        plants: plants.iter().cloned().collect(),
        caught_by: caught.into_iter().flat_map(|(_, checks)| checks).collect(),
        cried_wrongly,
        left_open,
        report: golden_report(report),
    }
}

/// The suite's own two numbers, and what they are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// A row for each patch, and one for the honest platform.
    pub rows: Vec<Row>,
    /// Checks that no patch turned broken, of all that the suite has.
    pub never_broken: Vec<String>,
}

impl Table {
    /// The table of these rows; `checks` are the ids of all that the suite announces.
    #[must_use]
    pub fn new(rows: Vec<Row>, checks: &BTreeSet<String>) -> Self {
        let broken: BTreeSet<&String> = rows.iter().flat_map(|row| &row.caught_by).collect();
        let never_broken = checks.iter().filter(|check| !broken.contains(check)).cloned().collect();
        Self { rows, never_broken }
    }

    /// The same table, with these rows in the place of theirs, in the order of the patches.
    #[must_use]
    pub fn with(self, rows: Vec<Row>, checks: &BTreeSet<String>) -> Self {
        let mut by_patch: BTreeMap<String, Row> =
            self.rows.into_iter().chain(rows).map(|row| (row.patch.clone(), row)).collect();
        let names = DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name);
        let rows = std::iter::once("").chain(names).filter_map(|name| by_patch.remove(name)).collect();
        Self::new(rows, checks)
    }

    /// Defects that the suite judges and found exactly, and all that it judges.
    #[must_use]
    pub fn sensitivity(&self) -> (usize, usize) {
        found(self.rows.iter().filter(|row| row.is_judged()))
    }

    /// The same, of those that only a rare history shows.
    #[must_use]
    pub fn deep(&self) -> (usize, usize) {
        found(self.rows.iter().filter(|row| row.is_judged() && row.is_deep()))
    }

    /// Clauses and faces that were planted and that no check judges, over all rows.
    #[must_use]
    pub fn unjudged(&self) -> usize {
        self.rows.iter().map(|row| row.unjudged.len()).sum()
    }

    /// Checks that cried wrongly, over all rows.
    #[must_use]
    pub fn false_cries(&self) -> usize {
        self.rows.iter().map(|row| row.cried_wrongly.len()).sum()
    }

    /// Checks of lawful platforms that were not kept, over all rows.
    #[must_use]
    pub fn left_open(&self) -> usize {
        self.rows.iter().map(|row| row.left_open.len()).sum()
    }

    /// Whether nothing was missed or planted where no check looks, nobody slandered, and all that is lawful
    /// kept; every check can fail.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let (found, planted) = self.sensitivity();
        found == planted
            && self.unjudged() == 0
            && self.false_cries() == 0
            && self.left_open() == 0
            && self.never_broken.is_empty()
    }

    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let (found, planted) = self.sensitivity();
        let mut text = String::from("# The suite, measured\n\n");
        let _ = writeln!(text, "- sensitivity: {found} of {planted} planted breaches found");
        let (found, planted) = self.deep();
        let _ = writeln!(
            text,
            "- deep ones among them, that only a rare history shows: {found} of {planted} found"
        );
        let _ = writeln!(
            text,
            "- specificity: {} false cries over {} platforms",
            self.false_cries(),
            self.rows.len()
        );
        let _ = writeln!(text, "- checks of lawful platforms that were not kept: {}", self.left_open());
        let _ = writeln!(text, "- planted against clauses that no check judges: {}", self.unjudged());
        let _ = writeln!(text, "- checks that no patch turned broken: {}\n", self.never_broken.len());
        text.push_str("| platform | plants | caught by | missed | cried wrongly | left open |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let name = if row.patch.is_empty() { "(honest)" } else { &row.patch };
            let depth = if row.is_deep() { " (deep)" } else { "" };
            let plants = if row.plants.is_empty() { "–".to_owned() } else { row.plants.join(", ") };
            let caught = if row.plants.is_empty() {
                "–".to_owned()
            } else if row.is_judged() {
                row.caught_by.join(", ")
            } else {
                "(not judged)".to_owned()
            };
            let _ = writeln!(
                text,
                "| {name}{depth} | {plants} | {caught} | {} | {} | {} |",
                row.missed.join(", "),
                row.cried_wrongly.join(", "),
                row.left_open.join(", ")
            );
        }
        if !self.never_broken.is_empty() {
            text.push_str("\n## Checks that no patch turned broken\n\n");
            for check in &self.never_broken {
                let _ = writeln!(text, "- {check}");
            }
        }
        text
    }
}

/// How many of these defects were found, and how many they are.
fn found<'a>(judged: impl Iterator<Item = &'a Row> + Clone) -> (usize, usize) {
    (judged.clone().filter(|row| row.missed.is_empty()).count(), judged.count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{ClauseId, Face};
    use crate::property::PROPERTIES;
    use crate::suite::{declared, library, property_case};

    #[test]
    fn two_defects_break_each_face_that_is_judged_and_there_are_enough_of_each_sort() {
        let mut planted: BTreeMap<(ClauseId, Face), usize> =
            judged_faces().into_iter().map(|face| (face, 0)).collect();
        for patch in DEFECTS {
            let PatchKind::Defect { breaks } = patch.kind else { continue };
            for (clause, face) in breaks {
                *planted.entry((clause.parse().expect("a clause"), *face)).or_default() += 1;
            }
        }
        let scarce = planted.iter().filter(|(_, defects)| **defects < 2);
        let scarce: Vec<String> =
            scarce.map(|((clause, face), defects)| format!("{clause} {face}: {defects}")).collect();
        assert!(scarce.is_empty(), "fewer than two defects: {scarce:?}");
        let deep = DEFECTS.iter().filter(|patch| patch.deep).count();
        for (what, are, due) in
            [("defects", DEFECTS.len(), 100), ("of them deep", deep, 15), ("variants", VARIANTS.len(), 25)]
        {
            assert!(are >= due, "{what}: {are} of at least {due}");
        }
    }

    /// What some scenario or property has a check for: what a person has to attest is not among them.
    fn judged_faces() -> BTreeSet<(ClauseId, Face)> {
        let library = library(None).expect("sound scenarios");
        let properties = PROPERTIES.iter().filter_map(|property| property_case(&property.story()));
        let every = library.iter().cloned().chain(properties);
        every
            .flat_map(|loaded| declared(&loaded.id, &loaded))
            .map(|check| (check.clause, check.face))
            .collect()
    }

    fn row(patch: &str, plants: &[&str], caught_by: &[&str]) -> Row {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Row {
            patch: patch.to_owned(),
            plants: owned(plants),
            unjudged: vec![],
            caught_by: owned(caught_by),
            missed: vec![],
            cried_wrongly: vec![],
            left_open: vec![],
            report: String::new(),
        }
    }

    #[test]
    fn a_table_is_good_only_where_every_face_that_is_planted_is_judged() {
        let caught = row("remaps-ids", &["7.4 conduct", "7.1 conduct"], &["7/ids#1"]);
        let good = Table::new(vec![row("", &[], &[]), caught.clone()], &["7/ids#1".to_owned()].into());
        assert!(good.is_good());
        // One face is caught, and no check looks at the other.
        let half = Row { unjudged: vec!["7.1 conduct".to_owned()], ..caught };
        let half = Table::new(vec![half], &["7/ids#1".to_owned()].into());
        assert_eq!((half.sensitivity(), half.unjudged(), half.is_good()), ((1, 1), 1, false));
        assert!(half.markdown().contains("no check judges: 1\n"), "{}", half.markdown());
    }

    #[test]
    fn a_deep_defect_is_marked_and_counted() {
        let deep = DEFECTS.iter().find(|patch| patch.deep).expect("a deep defect").name;
        let shallow = DEFECTS.iter().find(|patch| !patch.deep).expect("another").name;
        let table = Table::new(
            [deep, shallow].map(|name| row(name, &["1.1 conduct"], &["a#1"])).to_vec(),
            &BTreeSet::new(),
        );
        assert_eq!((table.sensitivity(), table.deep()), ((2, 2), (1, 1)));
        let text = table.markdown();
        assert!(
            text.contains(&format!("| {deep} (deep) |")) && text.contains(&format!("| {shallow} |")),
            "{text}"
        );
    }
}
