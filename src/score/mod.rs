//! From verdicts to clauses, from clauses to commitments, from commitments to certification.
//!
//! Where verdicts are merged, broken outranks unproven outranks kept. What nothing was observed
//! of is unproven. A score counts only what was proved; an empty run is never green.

mod merge;

pub use merge::merge;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Outcome, Verdict};
use crate::contract::{Class, ClauseId, Face, Means, Register, Section};

/// Where a clause, or one of its faces, stands after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Seen to be kept.
    Kept,
    /// Seen to be broken.
    Broken,
    /// Not observed, or not enough.
    Unproven,
    /// A person says that it is kept.
    Attested,
    /// It does not bear on this target.
    NotApplicable,
    /// This run was asked for another part of the contract.
    NotJudged,
}

/// One face of a clause after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaceScore {
    /// The clause.
    pub clause: ClauseId,
    /// The face.
    pub face: Face,
    /// How the contract says that it is enforced.
    pub class: Class,
    /// Where it stands.
    pub standing: Standing,
    /// Why it is not proved, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The checks that judged it, by id.
    pub checks: Vec<String>,
}

/// A commitment, or a section behind the twelve, after a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SectionScore {
    /// `1` to `12`, `E`, `V`, `A`, `O`.
    pub section: String,
    /// In a few words.
    pub title: String,
    /// Where the target's own conduct stands.
    pub conduct: Standing,
    /// Where the target's noticing stands.
    pub detection: Standing,
    /// 0 to 100: faces proved kept, of those that apply, rounded down. None where none was judged.
    pub score: Option<u8>,
    /// Clauses by where they stand, each in the worst of its faces.
    pub kept: Vec<ClauseId>,
    /// Seen to be broken.
    pub broken: Vec<ClauseId>,
    /// Not proved.
    pub unproven: Vec<ClauseId>,
    /// Attested by a person.
    pub attested: Vec<ClauseId>,
    /// Not bearing on this target.
    pub not_applicable: Vec<ClauseId>,
}

/// What a whole run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// All that was asked for is kept.
    Kept,
    /// Something is broken.
    Broken,
    /// Nothing is broken, and not all is proved.
    Unproven,
    /// The run says nothing of the target: the sanity scenario failed.
    Void,
}

/// The score of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// What the run comes to.
    pub overall: Overall,
    /// A row for each of the twelve, then for the sections behind them.
    pub sections: Vec<SectionScore>,
    /// Every face of every clause.
    pub faces: Vec<FaceScore>,
}

/// Scores a run's outcomes against a register. `partial`: faces that no check was announced for
/// were not asked for. `void`: why the run says nothing of the target. `attested`: what persons say
/// of clauses that were not proved.
#[must_use]
pub fn score(
    register: &Register,
    outcomes: &[Outcome],
    partial: bool,
    void: Option<&str>,
    attested: &BTreeMap<ClauseId, String>,
) -> Score {
    let faces: Vec<FaceScore> = register
        .clauses
        .iter()
        .flat_map(|clause| clause.faces().map(move |face| (clause, face)))
        .map(|(clause, face)| {
            let of: Vec<&Outcome> = outcomes
                .iter()
                .filter(|outcome| outcome.check.clause == clause.id && outcome.check.face == face)
                .collect();
            let by_attestation = clause.observation(face).is_some_and(|seen| seen.by == Means::Attestation);
            let (standing, reason) = stand(&of, partial, void, by_attestation);
            let (standing, reason) = match attested.get(&clause.id) {
                Some(word) if standing == Standing::Unproven => (Standing::Attested, Some(word.clone())),
                _ => (standing, reason),
            };
            let checks = of.iter().map(|outcome| outcome.check.id.clone()).collect();
            FaceScore { clause: clause.id, face, class: clause.class, standing, reason, checks }
        })
        .collect();
    let sections: Vec<SectionScore> =
        Section::all().into_iter().map(|section| section_score(section, &faces)).collect();
    Score { overall: overall(register, &faces, void), sections, faces }
}

fn stand(
    outcomes: &[&Outcome],
    partial: bool,
    void: Option<&str>,
    by_attestation: bool,
) -> (Standing, Option<String>) {
    let Some(verdict) = merge(outcomes.iter().map(|outcome| outcome.judgement.verdict)) else {
        return match (partial, by_attestation) {
            (true, _) => (Standing::NotJudged, None),
            (false, true) => (Standing::Unproven, Some("only a person can attest it".to_owned())),
            (false, false) => (Standing::Unproven, Some("nothing was observed".to_owned())),
        };
    };
    if let Some(reason) = void {
        return (Standing::Unproven, Some(format!("the run is void: {reason}")));
    }
    let reason = outcomes
        .iter()
        .find(|outcome| outcome.judgement.verdict == Verdict::Unproven)
        .map(|outcome| outcome.judgement.actual.clone());
    match verdict {
        Verdict::Kept => (Standing::Kept, None),
        Verdict::Broken => (Standing::Broken, None),
        Verdict::Unproven => (Standing::Unproven, reason),
        Verdict::NotApplicable => (Standing::NotApplicable, None),
    }
}

fn section_score(section: Section, faces: &[FaceScore]) -> SectionScore {
    let faces: Vec<&FaceScore> = faces.iter().filter(|face| face.clause.section == section).collect();
    let of_face = |wanted: Face| {
        worst(faces.iter().filter(|face| face.face == wanted).map(|face| face.standing))
            .unwrap_or(Standing::NotApplicable)
    };
    let clauses: BTreeSet<ClauseId> = faces.iter().map(|face| face.clause).collect();
    let standing_at = |wanted: Standing| -> Vec<ClauseId> {
        let of_clause = |id: &ClauseId| worst(faces.iter().filter(|f| f.clause == *id).map(|f| f.standing));
        clauses.iter().copied().filter(|id| of_clause(id) == Some(wanted)).collect()
    };
    SectionScore {
        section: section.to_string(),
        title: section.title().to_owned(),
        conduct: of_face(Face::Conduct),
        detection: of_face(Face::Detection),
        score: percent(&faces),
        kept: standing_at(Standing::Kept),
        broken: standing_at(Standing::Broken),
        unproven: standing_at(Standing::Unproven),
        attested: standing_at(Standing::Attested),
        not_applicable: standing_at(Standing::NotApplicable),
    }
}

fn percent(faces: &[&FaceScore]) -> Option<u8> {
    let applies =
        |face: &&&FaceScore| !matches!(face.standing, Standing::NotApplicable | Standing::NotJudged);
    let applying = faces.iter().filter(applies).count();
    let kept = faces.iter().filter(|face| face.standing == Standing::Kept).count();
    let percent = (kept * 100).checked_div(applying)?;
    Some(u8::try_from(percent).unwrap_or(100))
}

/// The standing that counts where several come together.
fn worst(standings: impl Iterator<Item = Standing>) -> Option<Standing> {
    standings.min_by_key(|standing| match standing {
        Standing::Broken => 0,
        Standing::Unproven => 1,
        Standing::Attested => 2,
        Standing::Kept => 3,
        Standing::NotApplicable => 4,
        Standing::NotJudged => 5,
    })
}

/// What no wire can show does not hold a verdict back: it is told beside it.
fn overall(register: &Register, faces: &[FaceScore], void: Option<&str>) -> Overall {
    if void.is_some() {
        return Overall::Void;
    }
    let can_be_shown = |face: &&FaceScore| {
        let seen = register.clause(face.clause).and_then(|clause| clause.observation(face.face));
        seen.is_none_or(|seen| seen.by != Means::Attestation)
    };
    match worst(faces.iter().filter(can_be_shown).map(|face| face.standing)) {
        Some(Standing::Broken) => Overall::Broken,
        Some(Standing::Kept) => Overall::Kept,
        // Nothing judged, nothing that applies, or not all proved: never green.
        _ => Overall::Unproven,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Declared, Judgement};
    use crate::contract::{Basis, REGISTER_V1};
    use std::collections::BTreeMap;

    fn outcome(clause: &str, face: Face, verdict: Verdict) -> Outcome {
        Outcome {
            check: Declared {
                id: format!("s/{clause}#1"),
                scenario: "s".into(),
                clause: clause.parse().expect("a clause"),
                face,
                judge: "j".into(),
                basis: Basis::Observed,
                requirement: String::new(),
                with: BTreeMap::new(),
            },
            judgement: Judgement { verdict, expected: vec![], actual: "why".into(), evidence: vec![] },
        }
    }

    #[test]
    fn an_empty_run_is_never_green() {
        for partial in [false, true] {
            assert_eq!(score(&REGISTER_V1, &[], partial, None, &BTreeMap::new()).overall, Overall::Unproven);
        }
    }

    #[test]
    fn a_part_is_kept_when_all_of_it_is() {
        let kept = [outcome("7.1", Face::Conduct, Verdict::Kept)];
        assert_eq!(score(&REGISTER_V1, &kept, true, None, &BTreeMap::new()).overall, Overall::Kept);
        assert_eq!(score(&REGISTER_V1, &kept, false, None, &BTreeMap::new()).overall, Overall::Unproven);
    }

    #[test]
    fn only_what_was_proved_counts() {
        let outcomes = [
            outcome("7.1", Face::Conduct, Verdict::Kept),
            outcome("7.2", Face::Conduct, Verdict::Unproven),
            outcome("7.3", Face::Conduct, Verdict::Broken),
        ];
        let score = score(&REGISTER_V1, &outcomes, true, None, &BTreeMap::new());
        let seven = score.sections.iter().find(|row| row.section == "7").expect("a row");
        assert_eq!((seven.score, seven.conduct), (Some(33), Standing::Broken));
        assert_eq!(seven.broken.len() + seven.kept.len() + seven.unproven.len(), 3);
        assert_eq!(score.overall, Overall::Broken);
    }

    #[test]
    fn a_void_run_calls_nothing_broken() {
        let broken = [outcome("7.1", Face::Conduct, Verdict::Broken)];
        let score = score(&REGISTER_V1, &broken, false, Some("no life"), &BTreeMap::new());
        assert_eq!(score.overall, Overall::Void);
        assert!(score.faces.iter().all(|face| face.standing != Standing::Broken));
    }
}
