//! The results of one platform: a defect, a variant, or the conforming platform.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::golden_report::golden_report;
use crate::check::Verdict;
use crate::reference::{Patch, PatchKind, defect};
use crate::report::{EvaluatedCheck, Report};
use crate::runner::{Plan, RunError, Target};
use crate::score::Overall;

/// The results for one defect, one variant, or the conforming platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The name of the patch; empty for the conforming platform.
    pub patch: String,
    /// The broken clauses and aspects, as `7.1 conduct`. Empty for a conforming platform.
    pub breaks: Vec<String>,
    /// The part of `breaks` that the suite has no check for.
    pub unchecked: Vec<String>,
    /// The broken checks of clauses that the patch breaks.
    pub detected_by: Vec<String>,
    /// The part of `breaks` that has a check and was not found broken.
    pub missed: Vec<String>,
    /// The broken checks of clauses that the patch does not break, or a note that the run was void.
    pub false_positives: Vec<String>,
    /// The checks of a conforming platform that were unproven for lack of an observation.
    #[serde(default)]
    pub left_open: Vec<String>,
    /// The golden form of the report.
    #[serde(skip)]
    pub report: String,
    /// The scenarios that were played.
    #[serde(skip)]
    pub played: BTreeSet<String>,
}

impl Row {
    /// Returns true if everything that was seeded and has a check was detected, and nothing else.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.missed.is_empty() && self.false_positives.is_empty()
    }

    /// Returns true if the defect is hard to reach.
    #[must_use]
    pub fn is_hard_to_reach(&self) -> bool {
        defect(&self.patch).is_some_and(|patch| patch.hard_to_reach)
    }

    /// Returns this row with what `part`, a row of the same platform, shows of the scenarios that it played. `aspects`
    /// holds the clause and aspect of each check of the suite.
    #[must_use]
    pub(super) fn with_part(self, part: Self, aspects: &BTreeMap<String, String>) -> Self {
        let renewed = |before: Vec<String>, now: Vec<String>| {
            let is_left = |id: &String| aspects.contains_key(id) && !part.played.contains(scenario_of(id));
            let mut all: Vec<String> = before.into_iter().filter(is_left).chain(now).collect();
            all.sort_by_key(|id| (aspects.get(id), scenario_of(id).to_owned(), number_of(id)));
            all
        };
        let detected_by = renewed(self.detected_by, part.detected_by);
        let found: BTreeSet<&String> = detected_by.iter().filter_map(|id| aspects.get(id)).collect();
        let checked: BTreeSet<&String> = aspects.values().collect();
        let unfound = part.breaks.iter().filter(|aspect| !found.contains(aspect)).cloned();
        let (missed, unchecked) = unfound.partition(|aspect| checked.contains(aspect));
        Self {
            missed,
            unchecked,
            false_positives: renewed(self.false_positives, part.false_positives),
            left_open: renewed(self.left_open, part.left_open),
            detected_by,
            ..part
        }
    }

    /// Returns true if the defect breaks something that the suite checks.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        self.breaks.len() > self.unchecked.len()
    }
}

/// Runs the suite against the platform with one patch, or against the conforming platform.
pub async fn probe(patch: Option<&'static Patch>, run: &Plan) -> Result<Row, RunError> {
    let thorough = patch.and_then(commitments);
    let target = Target::Embedded(patch.into_iter().collect());
    // Any other defect shows the first time. A platform that conforms has to conform the second time too.
    let second_times = thorough.is_none() || patch.is_some_and(|patch| patch.hard_to_reach);
    let run = Plan { target, thorough, second_times, ..run.clone() };
    Ok(row(patch, &run.run_to_report().await?))
}

/// Returns the commitments that a defect breaks. Returns `None` if the patch is a variant, or its clauses
/// belong to no commitment.
fn commitments(patch: &Patch) -> Option<BTreeSet<u8>> {
    let PatchKind::Defect { breaks } = patch.kind else { return None };
    let sections = breaks.iter().filter_map(|(clause, _)| clause.split_once('.'));
    Some(sections.filter_map(|(section, _)| section.parse().ok()).collect())
}

/// Returns the scenario of a check id, such as `07-migration-hygiene/order#2`.
fn scenario_of(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(scenario, _)| scenario)
}

/// Returns the number of a check within its scenario.
fn number_of(id: &str) -> Option<u32> {
    id.rsplit_once('#')?.1.parse().ok()
}

fn row(patch: Option<&'static Patch>, report: &Report) -> Row {
    let breaks: BTreeSet<String> = match patch.map(|patch| patch.kind) {
        Some(PatchKind::Defect { breaks }) => {
            breaks.iter().map(|(clause, aspect)| format!("{clause} {aspect}")).collect()
        }
        _ => BTreeSet::new(),
    };
    let mut evaluated = BTreeSet::new();
    let mut broken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for check in report.checks.iter().map(|evaluated| &evaluated.evaluation) {
        let aspect = format!("{} {}", check.check.clause, check.check.aspect);
        evaluated.insert(aspect.clone());
        if check.result.verdict == Verdict::Broken {
            broken.entry(aspect).or_default().push(check.check.id.clone());
        }
    }
    let (detected, wrong): (Vec<_>, Vec<_>) =
        broken.into_iter().partition(|(aspect, _)| breaks.contains(aspect));
    let mut false_positives: Vec<String> = wrong.into_iter().flat_map(|(_, checks)| checks).collect();
    if report.score.overall == Overall::Void {
        false_positives.push("the run was void".to_owned());
    }
    // A check that deepens another one leaves to it what it cannot show, and the other may be outside a part.
    let is_left = |check: &EvaluatedCheck| report.partial && check.evaluation.check.deepens;
    let open = |check: &&EvaluatedCheck| {
        check.evaluation.result.verdict == Verdict::Unproven && breaks.is_empty() && !is_left(check)
    };
    let is_expected = |id: &String| patch.is_some_and(|patch| patch.leaves_unproven.contains(&id.as_str()));
    let left_open = report.checks.iter().filter(open).map(|check| check.evaluation.check.id.clone());
    let left_open = left_open.filter(|id| !is_expected(id)).collect();
    let found: BTreeSet<&String> = detected.iter().map(|(aspect, _)| aspect).collect();
    Row {
        patch: patch.map(|patch| patch.name.to_owned()).unwrap_or_default(),
        unchecked: breaks.difference(&evaluated).cloned().collect(),
        missed: breaks
            .iter()
            .filter(|aspect| evaluated.contains(*aspect) && !found.contains(aspect))
            .cloned()
            .collect(),
        breaks: breaks.iter().cloned().collect(),
        detected_by: detected.into_iter().flat_map(|(_, checks)| checks).collect(),
        false_positives,
        left_open,
        report: golden_report(report),
        played: report.scenarios.iter().map(|scenario| scenario.id.clone()).collect(),
    }
}
