//! From verdicts to clauses, from clauses to commitments, from commitments to certification.
//!
//! In a merge of verdicts, broken outranks unproven outranks kept. A clause without any observation is
//! unproven. A score counts only what was proved; an empty run is never green.
//!
//! Beside the merged standing, each aspect and section has the standing that the checks of each basis give it.
//! The merged standing is the worst of the two.

mod by_basis;
mod merge;
mod scope;
#[cfg(test)]
mod tests;

pub use by_basis::ByBasis;
pub use merge::merge;
pub use scope::Scope;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Evaluation, Verdict, not_asked_for_reason};
use covenant_model::contract::{Aspect, Basis, Class, ClauseId, Means, Register, Section};

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
    /// The id of the clause.
    pub clause: ClauseId,
    /// The side of the clause.
    pub aspect: Aspect,
    /// The class: how the contract says that it is enforced.
    pub class: Class,
    /// The merged verdict.
    pub standing: Standing,
    /// The standing by the checks of each basis alone: `not_evaluated` if only the other basis has checks.
    pub by_basis: ByBasis<Standing>,
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
    /// The standing of the target's own conduct on each basis.
    pub conduct_by_basis: ByBasis<Standing>,
    /// The standing of the target's detection on each basis.
    pub detection_by_basis: ByBasis<Standing>,
    /// The score, 0 to 100: the aspects proved kept, of those that apply, rounded down. `None` if an aspect was not
    /// evaluated: a part of a commitment has no score.
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
    /// The overall result of each basis alone. A basis without a check is unproven.
    pub overall_by_basis: ByBasis<Overall>,
    /// The proved part, by the basis on which it rests.
    pub scope: Scope,
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
            let by_basis = if clause.withdrawn || of.is_empty() {
                ByBasis::of(|_| standing)
            } else {
                ByBasis::of(|basis| standing_on(basis, &of, void))
            };
            let checks = of.iter().map(|evaluation| evaluation.check.id.clone()).collect();
            let scored = AspectScore {
                clause: clause.id,
                aspect,
                class: clause.class,
                standing,
                by_basis,
                reason,
                checks,
            };
            match attested.get(&clause.id) {
                // A statement does not outweigh a breach that was seen.
                Some(statement)
                    if standing == Standing::Unproven && of.iter().all(|one| one.flaky.is_none()) =>
                {
                    with_attestation(scored, statement)
                }
                _ => scored,
            }
        })
        .collect();
    let sections: Vec<SectionScore> =
        Section::all().into_iter().map(|section| section_score(section, &aspects)).collect();
    Score {
        overall: overall(register, &aspects, void, |aspect| aspect.standing),
        overall_by_basis: ByBasis::of(|basis| {
            overall(register, &aspects, void, |aspect| *aspect.by_basis.on(basis))
        }),
        scope: Scope::of(&aspects),
        sections,
        aspects,
    }
}

/// Puts the statement of a person in the place of what is not proved.
fn with_attestation(aspect: AspectScore, statement: &str) -> AspectScore {
    let by_basis = aspect.by_basis.map(|standing| match standing {
        Standing::Unproven => Standing::Attested,
        other => other,
    });
    AspectScore { standing: Standing::Attested, by_basis, reason: Some(statement.to_owned()), ..aspect }
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
        .filter(|_| verdict == Verdict::Unproven)
        .map(|evaluation| evaluation.result.actual.clone());
    (verdict.into(), reason)
}

/// Returns the standing that the checks of one basis give an aspect.
fn standing_on(basis: Basis, evaluations: &[&Evaluation], void: Option<&str>) -> Standing {
    let of_basis = evaluations.iter().filter(|evaluation| evaluation.check.basis == basis);
    match merge(of_basis.map(|evaluation| evaluation.result.verdict)) {
        None => Standing::NotEvaluated,
        Some(_) if void.is_some() => Standing::Unproven,
        Some(verdict) => verdict.into(),
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::Unproven => "unproven",
            Self::Attested => "attested",
            Self::NotApplicable => "not applicable",
            Self::NotEvaluated => "not evaluated",
        })
    }
}

impl From<Verdict> for Standing {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Kept => Self::Kept,
            Verdict::Broken => Self::Broken,
            Verdict::Unproven => Self::Unproven,
            Verdict::NotApplicable => Self::NotApplicable,
        }
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
    let worst_of = |wanted: Aspect, standing: &dyn Fn(&AspectScore) -> Standing| {
        worst(aspects.iter().filter(|aspect| aspect.aspect == wanted).map(|aspect| standing(aspect)))
            .unwrap_or(Standing::NotApplicable)
    };
    let merged = |wanted: Aspect| worst_of(wanted, &|aspect| aspect.standing);
    let on_each =
        |wanted: Aspect| ByBasis::of(|basis| worst_of(wanted, &|aspect| *aspect.by_basis.on(basis)));
    let clauses: BTreeSet<ClauseId> = aspects.iter().map(|aspect| aspect.clause).collect();
    let standing_at = |wanted: Standing| -> Vec<ClauseId> {
        let of_clause = |id: &ClauseId| worst(aspects.iter().filter(|f| f.clause == *id).map(|f| f.standing));
        clauses.iter().copied().filter(|id| of_clause(id) == Some(wanted)).collect()
    };
    SectionScore {
        section: section.to_string(),
        title: section.title().to_owned(),
        conduct: merged(Aspect::Conduct),
        detection: merged(Aspect::Detection),
        conduct_by_basis: on_each(Aspect::Conduct),
        detection_by_basis: on_each(Aspect::Detection),
        score: percent(&aspects),
        kept: standing_at(Standing::Kept),
        broken: standing_at(Standing::Broken),
        unproven: standing_at(Standing::Unproven),
        attested: standing_at(Standing::Attested),
        not_applicable: standing_at(Standing::NotApplicable),
    }
}

/// Returns the part of a section's aspects that are kept; `None` if the run asked for a part of them only.
fn percent(aspects: &[&AspectScore]) -> Option<u8> {
    if aspects.iter().any(|aspect| aspect.standing == Standing::NotEvaluated) {
        return None;
    }
    let applying = aspects.iter().filter(|aspect| aspect.standing != Standing::NotApplicable).count();
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

/// Returns the overall result of one standing of each aspect. A clause that no wire can show does not lower the
/// result: it is reported beside it.
fn overall(
    register: &Register,
    aspects: &[AspectScore],
    void: Option<&str>,
    standing: impl Fn(&AspectScore) -> Standing,
) -> Overall {
    if void.is_some() {
        return Overall::Void;
    }
    let can_be_shown = |aspect: &&AspectScore| {
        let seen = register.clause(aspect.clause).and_then(|clause| clause.observation(aspect.aspect));
        seen.is_none_or(|seen| seen.by != Means::Attestation)
    };
    match worst(aspects.iter().filter(can_be_shown).map(standing)) {
        Some(Standing::Broken) => Overall::Broken,
        Some(Standing::Kept) => Overall::Kept,
        // Nothing evaluated, nothing that applies, or not all proved: never green.
        _ => Overall::Unproven,
    }
}
