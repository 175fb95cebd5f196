//! From verdicts to clauses, from clauses to commitments, from commitments to certification.
//!
//! In a merge of verdicts, broken outranks unproven outranks kept. A clause without any observation is
//! unproven. A score counts only what was proved; an empty run is never green.

mod merge;

pub use merge::merge;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Evaluation, Verdict, not_asked_for_reason};
use covenant_model::contract::{Aspect, Class, ClauseId, Means, Register, Section};

/// The standing of a clause, or of one of its aspects, after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Seen to be kept.
    Kept,
    /// Seen to be broken.
    Broken,
    /// Not observed, or not enough.
    Unproven,
    /// A person states that it is kept.
    Attested,
    /// It does not apply to this target.
    NotApplicable,
    /// This run was asked for another part of the contract.
    NotEvaluated,
}

/// One aspect of a clause after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AspectScore {
    /// The clause.
    pub clause: ClauseId,
    /// The aspect.
    pub aspect: Aspect,
    /// The class: how the contract says that it is enforced.
    pub class: Class,
    /// The standing.
    pub standing: Standing,
    /// The reason why it is not proved or does not apply; `None` if it is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The checks that evaluated it, by id.
    pub checks: Vec<String>,
}

/// A commitment, or a section after the twelve, as it is after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SectionScore {
    /// The id: `1` to `12`, `E`, `V`, `A`, `O`.
    pub section: String,
    /// The title, in a few words.
    pub title: String,
    /// The standing of the target's own conduct.
    pub conduct: Standing,
    /// The standing of the target's detection.
    pub detection: Standing,
    /// The score, 0 to 100: the aspects proved kept, of those that apply, rounded down. `None` if no aspect
    /// was evaluated.
    pub score: Option<u8>,
    /// The kept clauses. Each clause is listed under the worst standing of its aspects.
    pub kept: Vec<ClauseId>,
    /// The clauses that were seen to be broken.
    pub broken: Vec<ClauseId>,
    /// The clauses that are not proved.
    pub unproven: Vec<ClauseId>,
    /// The clauses that a person attested.
    pub attested: Vec<ClauseId>,
    /// The clauses that do not apply to this target.
    pub not_applicable: Vec<ClauseId>,
}

/// The overall result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// All that was requested is kept.
    Kept,
    /// Something is broken.
    Broken,
    /// Nothing is broken, and not all is proved.
    Unproven,
    /// The run says nothing about the target: no peer could federate with it.
    Void,
}

/// The score of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The overall result.
    pub overall: Overall,
    /// A row for each of the twelve commitments, then for the sections after them.
    pub sections: Vec<SectionScore>,
    /// All aspects of all clauses.
    pub aspects: Vec<AspectScore>,
}

/// Scores the results of a run against a register.
///
/// - `partial`: aspects without a planned check were not requested.
/// - `void`: the reason why the run says nothing about the target.
/// - `attested`: the statements of persons about clauses that were not proved.
#[must_use]
pub fn score(
    register: &Register,
    evaluations: &[Evaluation],
    partial: bool,
    void: Option<&str>,
    attested: &BTreeMap<ClauseId, String>,
) -> Score {
    let aspects: Vec<AspectScore> = register
        .clauses()
        .into_iter()
        .flat_map(|clause| clause.aspects().map(move |aspect| (clause, aspect)))
        .map(|(clause, aspect)| {
            let of: Vec<&Evaluation> = evaluations
                .iter()
                .filter(|evaluation| {
                    evaluation.check.clause == clause.id && evaluation.check.aspect == aspect
                })
                .collect();
            let by_attestation = clause.observation(aspect).is_some_and(|seen| seen.by == Means::Attestation);
            let (standing, reason) = if clause.withdrawn {
                (Standing::NotApplicable, Some(withdrawn_reason(register, &of)))
            } else {
                standing_of(&of, partial, void, by_attestation)
            };
            let (standing, reason) = match attested.get(&clause.id) {
                Some(statement) if standing == Standing::Unproven => {
                    (Standing::Attested, Some(statement.clone()))
                }
                _ => (standing, reason),
            };
            let checks = of.iter().map(|evaluation| evaluation.check.id.clone()).collect();
            AspectScore { clause: clause.id, aspect, class: clause.class, standing, reason, checks }
        })
        .collect();
    let sections: Vec<SectionScore> =
        Section::all().into_iter().map(|section| section_score(section, &aspects)).collect();
    Score { overall: overall(register, &aspects, void), sections, aspects }
}

fn standing_of(
    evaluations: &[&Evaluation],
    partial: bool,
    void: Option<&str>,
    by_attestation: bool,
) -> (Standing, Option<String>) {
    let Some(verdict) = merge(evaluations.iter().map(|evaluation| evaluation.result.verdict)) else {
        return match (partial, by_attestation) {
            (true, _) => (Standing::NotEvaluated, None),
            (false, true) => (Standing::Unproven, Some("only a person can attest it".to_owned())),
            (false, false) => (Standing::Unproven, Some("nothing was observed".to_owned())),
        };
    };
    if let Some(reason) = void {
        return (Standing::Unproven, Some(format!("the run is void: {reason}")));
    }
    let reason = evaluations
        .iter()
        .find(|evaluation| evaluation.result.verdict == Verdict::Unproven)
        .map(|evaluation| evaluation.result.actual.clone());
    match verdict {
        Verdict::Kept => (Standing::Kept, None),
        Verdict::Broken => (Standing::Broken, None),
        Verdict::Unproven => (Standing::Unproven, reason),
        Verdict::NotApplicable => (Standing::NotApplicable, None),
    }
}

/// Returns the reason for which a withdrawn clause is not applicable, with what its checks saw.
fn withdrawn_reason(register: &Register, evaluations: &[&Evaluation]) -> String {
    let results = evaluations.iter().map(|evaluation| &evaluation.result);
    let not_applicable = results.into_iter().find(|result| result.verdict == Verdict::NotApplicable);
    not_applicable.map_or_else(|| not_asked_for_reason(register), |result| result.actual.clone())
}

fn section_score(section: Section, aspects: &[AspectScore]) -> SectionScore {
    let aspects: Vec<&AspectScore> =
        aspects.iter().filter(|aspect| aspect.clause.section == section).collect();
    let of_aspect = |wanted: Aspect| {
        worst(aspects.iter().filter(|aspect| aspect.aspect == wanted).map(|aspect| aspect.standing))
            .unwrap_or(Standing::NotApplicable)
    };
    let clauses: BTreeSet<ClauseId> = aspects.iter().map(|aspect| aspect.clause).collect();
    let standing_at = |wanted: Standing| -> Vec<ClauseId> {
        let of_clause = |id: &ClauseId| worst(aspects.iter().filter(|f| f.clause == *id).map(|f| f.standing));
        clauses.iter().copied().filter(|id| of_clause(id) == Some(wanted)).collect()
    };
    SectionScore {
        section: section.to_string(),
        title: section.title().to_owned(),
        conduct: of_aspect(Aspect::Conduct),
        detection: of_aspect(Aspect::Detection),
        score: percent(&aspects),
        kept: standing_at(Standing::Kept),
        broken: standing_at(Standing::Broken),
        unproven: standing_at(Standing::Unproven),
        attested: standing_at(Standing::Attested),
        not_applicable: standing_at(Standing::NotApplicable),
    }
}

fn percent(aspects: &[&AspectScore]) -> Option<u8> {
    let applies =
        |aspect: &&&AspectScore| !matches!(aspect.standing, Standing::NotApplicable | Standing::NotEvaluated);
    let applying = aspects.iter().filter(applies).count();
    let kept = aspects.iter().filter(|aspect| aspect.standing == Standing::Kept).count();
    let percent = (kept * 100).checked_div(applying)?;
    Some(u8::try_from(percent).unwrap_or(100))
}

/// Returns the worst of several standings.
fn worst(standings: impl Iterator<Item = Standing>) -> Option<Standing> {
    standings.min_by_key(|standing| match standing {
        Standing::Broken => 0,
        Standing::Unproven => 1,
        Standing::Attested => 2,
        Standing::Kept => 3,
        Standing::NotApplicable => 4,
        Standing::NotEvaluated => 5,
    })
}

/// Returns the overall result. A clause that no wire can show does not lower the result: it is reported
/// beside it.
fn overall(register: &Register, aspects: &[AspectScore], void: Option<&str>) -> Overall {
    if void.is_some() {
        return Overall::Void;
    }
    let can_be_shown = |aspect: &&AspectScore| {
        let seen = register.clause(aspect.clause).and_then(|clause| clause.observation(aspect.aspect));
        seen.is_none_or(|seen| seen.by != Means::Attestation)
    };
    match worst(aspects.iter().filter(can_be_shown).map(|aspect| aspect.standing)) {
        Some(Standing::Broken) => Overall::Broken,
        Some(Standing::Kept) => Overall::Kept,
        // Nothing evaluated, nothing that applies, or not all proved: never green.
        _ => Overall::Unproven,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{CheckResult, PlannedCheck};
    use covenant_model::contract::{Basis, V1_2026_05, V1_2026_06};
    use std::collections::BTreeMap;

    fn evaluation(clause: &str, aspect: Aspect, verdict: Verdict) -> Evaluation {
        Evaluation {
            check: PlannedCheck {
                id: format!("s/{clause}#1"),
                scenario: "s".into(),
                clause: clause.parse().expect("a clause"),
                aspect,
                check: "j".into(),
                basis: Basis::Observed,
                requirement: String::new(),
                with: BTreeMap::new(),
            },
            result: CheckResult { verdict, expected: vec![], actual: "why".into(), evidence: vec![] },
        }
    }

    #[test]
    fn an_empty_run_is_never_green() {
        for partial in [false, true] {
            assert_eq!(score(&V1_2026_05, &[], partial, None, &BTreeMap::new()).overall, Overall::Unproven);
        }
    }

    #[test]
    fn a_part_is_kept_when_all_of_it_is() {
        let kept = [evaluation("7.1", Aspect::Conduct, Verdict::Kept)];
        assert_eq!(score(&V1_2026_05, &kept, true, None, &BTreeMap::new()).overall, Overall::Kept);
        assert_eq!(score(&V1_2026_05, &kept, false, None, &BTreeMap::new()).overall, Overall::Unproven);
    }

    #[test]
    fn only_what_was_proved_counts() {
        let evaluations = [
            evaluation("7.1", Aspect::Conduct, Verdict::Kept),
            evaluation("7.2", Aspect::Conduct, Verdict::Unproven),
            evaluation("7.3", Aspect::Conduct, Verdict::Broken),
        ];
        let score = score(&V1_2026_05, &evaluations, true, None, &BTreeMap::new());
        let seven = score.sections.iter().find(|row| row.section == "7").expect("a row");
        assert_eq!((seven.score, seven.conduct), (Some(33), Standing::Broken));
        assert_eq!(seven.broken.len() + seven.kept.len() + seven.unproven.len(), 3);
        assert_eq!(score.overall, Overall::Broken);
    }

    #[test]
    fn a_withdrawn_clause_does_not_apply_whatever_was_seen() {
        let not_asked = "the contract text of 2026-06 does not ask for it";
        for (verdict, reason) in [(None, not_asked), (Some(Verdict::NotApplicable), "why")] {
            let evaluations: Vec<Evaluation> =
                verdict.into_iter().map(|verdict| evaluation("E.2", Aspect::Detection, verdict)).collect();
            let score = score(&V1_2026_06, &evaluations, false, None, &BTreeMap::new());
            let row = score.aspects.iter().find(|row| row.clause.to_string() == "E.2").expect("a row");
            assert_eq!((row.standing, row.reason.as_deref()), (Standing::NotApplicable, Some(reason)));
            let section = score.sections.iter().find(|row| row.section == "E").expect("a section");
            assert_eq!(section.not_applicable.len(), 1);
        }
    }

    #[test]
    fn a_void_run_calls_nothing_broken() {
        let broken = [evaluation("7.1", Aspect::Conduct, Verdict::Broken)];
        let score = score(&V1_2026_05, &broken, false, Some("no sanity"), &BTreeMap::new());
        assert_eq!(score.overall, Overall::Void);
        assert!(score.aspects.iter().all(|aspect| aspect.standing != Standing::Broken));
    }
}
