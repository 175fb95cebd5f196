//! The difference of two reports, check by check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::escape::{markdown, terminal};
use super::{EvaluatedCheck, Report};
use crate::check::Verdict;
use covenant_model::contract::{Aspect, ClauseId};
use covenant_model::wire::harmless::harmless_json;

/// The difference of two reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReportDiff {
    /// The reason why the new run is void. Its verdicts say nothing then.
    pub void: Option<String>,
    /// Differences of the runs that let them be compared in part only: target, contract text, version, scope.
    pub apart: Vec<Apart>,
    /// Broken now, and not before.
    pub worse: Vec<Change>,
    /// Kept now, and broken before.
    pub better: Vec<Change>,
    /// Kept now, and unproven before.
    pub newly_proved: Vec<Change>,
    /// Unproven now, and kept or broken before.
    pub newly_unproven: Vec<Change>,
    /// Played now, and not before, or not applicable before. What is broken is under `worse`.
    pub newly_played: Vec<Change>,
    /// Played before, and not now, or not applicable now.
    pub no_longer_played: Vec<Change>,
}

/// A fact in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Apart {
    /// The name of the fact.
    pub fact: &'static str,
    /// Its value in the old run.
    pub old: String,
    /// Its value in the new run.
    pub new: String,
}

/// A check of which two reports differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// The id of the check.
    pub check: String,
    /// The clause.
    pub clause: ClauseId,
    /// The aspect.
    pub aspect: Aspect,
    /// The verdict before; `None` if the check was not played or planned.
    pub before: Option<Verdict>,
    /// The verdict now; `None` if the check was not played or planned.
    pub after: Option<Verdict>,
    /// Observation now, or before if there is none now.
    pub actual: String,
}

/// A format of a difference.
#[derive(Clone, Copy, Debug)]
pub struct DiffFormat {
    /// The name, as the command line has it.
    pub name: &'static str,
    /// The use of the format, for the help.
    pub about: &'static str,
    /// Renders a difference.
    pub render: fn(&ReportDiff) -> String,
}

/// Every format of a difference. The first is the default.
pub const DIFF_FORMATS: &[DiffFormat] = &[
    DiffFormat { name: "text", about: "Text for a person", render: text },
    DiffFormat { name: "json", about: "JSON for a program", render: json },
    DiffFormat { name: "markdown", about: "Markdown for a comment on a change", render: in_markdown },
];

impl ReportDiff {
    /// Compares two reports. A check that was not played has no verdict, and one that does not apply shows as little.
    #[must_use]
    pub fn of(old: &Report, new: &Report) -> Self {
        let (before, after) = (by_id(old), by_id(new));
        let mut diff = Self { void: new.void.clone(), apart: apart(old, new), ..Self::default() };
        let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for id in ids {
            let (old_check, new_check) = (before.get(id), after.get(id));
            let was = old_check.and_then(|check| verdict(old, check));
            let is = new_check.and_then(|check| verdict(new, check));
            let shown = new_check.filter(|_| is.is_some()).or(old_check).or(new_check);
            let (Some(list), Some(shown)) = (diff.list(was, is), shown) else { continue };
            let evaluation = &shown.evaluation;
            list.push(Change {
                check: id.to_owned(),
                clause: evaluation.check.clause,
                aspect: evaluation.check.aspect,
                before: was,
                after: is,
                actual: evaluation.result.actual.clone(),
            });
        }
        diff
    }

    /// Returns the list of a change; `None` if nothing changed.
    fn list(&mut self, was: Option<Verdict>, is: Option<Verdict>) -> Option<&mut Vec<Change>> {
        use Verdict::{Broken, Kept, NotApplicable, Unproven};
        match (was, is) {
            (was, is) if was == is => None,
            (None | Some(NotApplicable), None | Some(NotApplicable)) => None,
            (_, Some(Broken)) => Some(&mut self.worse),
            (None | Some(NotApplicable), _) => Some(&mut self.newly_played),
            (_, None | Some(NotApplicable)) => Some(&mut self.no_longer_played),
            (Some(Broken), Some(Kept)) => Some(&mut self.better),
            (_, Some(Kept)) => Some(&mut self.newly_proved),
            (_, Some(Unproven)) => Some(&mut self.newly_unproven),
        }
    }

    /// Returns whether something got worse. With `strict`, so is what is no longer proved or played.
    #[must_use]
    pub fn is_worse(&self, strict: bool) -> bool {
        let lost = !(self.newly_unproven.is_empty() && self.no_longer_played.is_empty());
        self.void.is_some() || !self.worse.is_empty() || (strict && lost)
    }

    /// Returns the lists with their titles, the worst first.
    fn lists(&self) -> [(&'static str, &[Change]); 6] {
        [
            ("worse", &self.worse),
            ("newly unproven", &self.newly_unproven),
            ("no longer played", &self.no_longer_played),
            ("better", &self.better),
            ("newly proved", &self.newly_proved),
            ("newly played", &self.newly_played),
        ]
    }

    /// Returns the difference in one line.
    fn headline(&self) -> String {
        let counted = self.lists().into_iter().filter(|(_, list)| !list.is_empty());
        let counted: Vec<String> = counted.map(|(title, list)| format!("{} {title}", list.len())).collect();
        match (&self.void, counted.as_slice()) {
            (Some(_), _) => "WORSE: the new run is void".to_owned(),
            (None, []) => "SAME: each check has the verdict that it had".to_owned(),
            (None, some) if self.is_worse(false) => format!("WORSE: {}", some.join(", ")),
            (None, some) => format!("NOT WORSE: {}", some.join(", ")),
        }
    }
}

/// Returns the facts in which two runs differ, other than those that differ from run to run.
fn apart(old: &Report, new: &Report) -> Vec<Apart> {
    let facts = |report: &Report| {
        let text = report.contract_text.clone().unwrap_or_else(|| "unknown".to_owned());
        let digest = report.contract.contract_digest.clone().unwrap_or_else(|| "unknown".to_owned());
        let scope = if report.partial { "a part of the suite" } else { "the whole suite" };
        [
            ("target", report.target.clone()),
            ("contract text", text),
            ("contract digest", digest),
            ("version of covenant", report.covenant.clone()),
            ("scope", scope.to_owned()),
        ]
    };
    let pairs = facts(old).into_iter().zip(facts(new));
    let differing = pairs.filter(|((_, old), (_, new))| old != new);
    differing.map(|((fact, old), (_, new))| Apart { fact, old, new }).collect()
}

fn by_id(report: &Report) -> BTreeMap<&str, &EvaluatedCheck> {
    report.checks.iter().map(|check| (check.evaluation.check.id.as_str(), check)).collect()
}

/// Returns the verdict of a check that was played. In a void run nothing is proved.
fn verdict(report: &Report, check: &EvaluatedCheck) -> Option<Verdict> {
    let scenario = &check.evaluation.check.scenario;
    let was_played = report.scenarios.iter().any(|row| row.id == *scenario);
    let verdict = Some(check.evaluation.result.verdict).filter(|_| was_played);
    let applies = verdict.is_some_and(|verdict| verdict != Verdict::NotApplicable);
    if report.void.is_some() && applies { Some(Verdict::Unproven) } else { verdict }
}

fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Kept) => "kept",
        Some(Verdict::Broken) => "broken",
        Some(Verdict::Unproven) => "unproven",
        Some(Verdict::NotApplicable) => "not applicable",
        None => "not played",
    }
}

fn text(diff: &ReportDiff) -> String {
    let mut out = format!("{}\n", diff.headline());
    if let Some(void) = &diff.void {
        let _ = writeln!(out, "why: {}", terminal(void));
    }
    for Apart { fact, old, new } in &diff.apart {
        let _ = writeln!(out, "another {fact}: {} -> {}", terminal(old), terminal(new));
    }
    for (title, list) in diff.lists().into_iter().filter(|(_, list)| !list.is_empty()) {
        let _ = writeln!(out, "\n{title} ({})", list.len());
        for change in list {
            let Change { check, clause, aspect, before, after, actual } = change;
            let _ = writeln!(out, "  {clause} {aspect}  {}", terminal(check));
            let _ = writeln!(out, "    {} -> {}: {}", word(*before), word(*after), terminal(actual));
        }
    }
    out
}

fn in_markdown(diff: &ReportDiff) -> String {
    let mut out = format!("## covenant: {}\n", diff.headline());
    if let Some(void) = &diff.void {
        let _ = writeln!(out, "\nWhy: {}", markdown(void));
    }
    for Apart { fact, old, new } in &diff.apart {
        let _ = writeln!(out, "\nAnother {fact}: {} → {}", markdown(old), markdown(new));
    }
    for (title, list) in diff.lists().into_iter().filter(|(_, list)| !list.is_empty()) {
        let _ = writeln!(
            out,
            "\n### {title}\n\n| clause | check | before | now | actual |\n|---|---|---|---|---|"
        );
        for change in list {
            let Change { check, clause, aspect, before, after, actual } = change;
            let (before, after) = (word(*before), word(*after));
            let (check, actual) = (markdown(check), markdown(actual));
            let _ = writeln!(out, "| {clause} {aspect} | {check} | {before} | {after} | {actual} |");
        }
    }
    out
}

fn json(diff: &ReportDiff) -> String {
    let text = serde_json::to_string_pretty(diff).expect("a difference has text keys only");
    harmless_json(&text) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ScenarioRow;
    use crate::report::sample::report;
    use Verdict::{Broken, Kept, NotApplicable, Unproven};
    use covenant_model::contract::Basis::Observed;
    use covenant_model::transcript::Outcome;

    fn played(checks: &[(&str, Verdict)]) -> Report {
        let checks: Vec<_> = checks.iter().map(|(clause, verdict)| (*clause, Observed, *verdict)).collect();
        let scenarios = vec![ScenarioRow::new("scenario", Some(Outcome::Completed), 1)];
        Report { scenarios, ..report(&checks) }
    }

    fn names(list: &[Change]) -> Vec<String> {
        list.iter().map(|change| change.clause.to_string()).collect()
    }

    #[test]
    fn each_change_has_its_list() {
        let old = played(&[
            ("7.1", Kept),
            ("7.2", Broken),
            ("7.3", Unproven),
            ("7.4", Kept),
            ("7.5", Kept),
            ("8.1", Kept),
            ("9.1", Broken),
            ("9.2", NotApplicable),
        ]);
        let new = played(&[
            ("7.1", Broken),
            ("7.2", Kept),
            ("7.3", Kept),
            ("7.4", Unproven),
            ("8.1", NotApplicable),
            ("8.2", Kept),
            ("8.3", Broken),
            ("9.1", Broken),
            ("9.2", Kept),
        ]);
        let diff = ReportDiff::of(&old, &new);
        assert_eq!(names(&diff.worse), ["7.1", "8.3"]);
        assert_eq!(names(&diff.better), ["7.2"]);
        assert_eq!(names(&diff.newly_proved), ["7.3"]);
        assert_eq!(names(&diff.newly_unproven), ["7.4"]);
        assert_eq!(names(&diff.no_longer_played), ["7.5", "8.1"]);
        assert_eq!(names(&diff.newly_played), ["8.2", "9.2"]);
        assert!(diff.is_worse(false));
        let shown = text(&diff);
        for expected in [
            "8.1 conduct  scenario/8.1#1\n    kept -> not applicable: why",
            "9.2 conduct  scenario/9.2#1\n    not applicable -> kept: why",
            "7.5 conduct  scenario/7.5#1\n    kept -> not played: why",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        for format in DIFF_FORMATS {
            assert!((format.render)(&diff).contains("8.3"), "{}", format.name);
        }
    }

    #[test]
    fn what_is_no_longer_proved_is_worse_only_under_strict() {
        let diff = ReportDiff::of(&played(&[("7.1", Kept)]), &played(&[("7.1", Unproven)]));
        assert_eq!((diff.is_worse(false), diff.is_worse(true)), (false, true));
        let same = ReportDiff::of(&played(&[("7.1", Broken)]), &played(&[("7.1", Broken)]));
        assert!(!same.is_worse(true) && text(&same).starts_with("SAME"));
    }

    #[test]
    fn what_the_runs_differ_in_is_shown() {
        let old = played(&[("7.1", Kept)]);
        let new = Report { target: "https://other.example/".to_owned(), ..old.clone() };
        let diff = ReportDiff::of(&old, &new);
        assert_eq!(diff.apart.iter().map(|apart| apart.fact).collect::<Vec<_>>(), ["target"]);
        for format in DIFF_FORMATS {
            assert!((format.render)(&diff).contains("other.example"), "{}", format.name);
        }
        assert_eq!(ReportDiff::of(&old, &old).apart, []);
    }

    #[test]
    fn a_void_run_is_worse_and_better_in_nothing() {
        let void = Report { void: Some("no handshake".to_owned()), ..played(&[("7.1", Kept)]) };
        let diff = ReportDiff::of(&played(&[("7.1", Broken)]), &void);
        assert!(diff.is_worse(false) && diff.better.is_empty(), "{diff:?}");
        assert!(text(&diff).contains("why: no handshake"));
        assert!(ReportDiff::of(&void, &void).is_worse(false), "it says nothing of the target, again");
        let unplayed = Report { scenarios: vec![], ..played(&[("7.1", Unproven)]) };
        let diff = ReportDiff::of(&played(&[("7.1", Kept)]), &unplayed);
        assert_eq!(names(&diff.no_longer_played), ["7.1"]);
    }
}
