use super::*;
use crate::check::{CheckResult, Flaky, PlannedCheck};
use covenant_model::contract::{V1_2026_05, V1_2026_06};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn evaluation(clause: &str, aspect: Aspect, verdict: Verdict) -> Evaluation {
    evaluation_on(Basis::Observed, clause, aspect, verdict)
}

fn evaluation_on(basis: Basis, clause: &str, aspect: Aspect, verdict: Verdict) -> Evaluation {
    Evaluation {
        check: PlannedCheck {
            id: format!("s/{clause}#1"),
            scenario: "s".into(),
            clause: clause.parse().expect("a clause"),
            aspect,
            check: "j".into(),
            basis,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: BTreeMap::new(),
        },
        result: CheckResult { verdict, expected: vec![], actual: "why".into(), evidence: vec![] },
        flaky: None,
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
    let score = |partial| score(&V1_2026_05, &evaluations, partial, None, &BTreeMap::new());
    let seven = |score: &Score| score.sections.iter().find(|row| row.section == "7").cloned().expect("a row");
    // One of the nine aspects of five clauses.
    assert_eq!(seven(&score(false)).score, Some(11));
    let score = score(true);
    let seven = seven(&score);
    assert_eq!((seven.score, seven.conduct), (None, Standing::Broken), "a part has no score");
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
    let score = score(&V1_2026_05, &broken, false, Some("no handshake"), &BTreeMap::new());
    assert_eq!(score.overall, Overall::Void);
    assert!(score.aspects.iter().all(|aspect| aspect.standing != Standing::Broken));
}

/// Scores the conduct of 7.1 by one verdict of each given basis.
fn scored(verdicts: &[(Basis, Verdict)]) -> Score {
    let of = |(basis, verdict): &(Basis, Verdict)| evaluation_on(*basis, "7.1", Aspect::Conduct, *verdict);
    let evaluations: Vec<Evaluation> = verdicts.iter().map(of).collect();
    score(&V1_2026_05, &evaluations, true, None, &BTreeMap::new())
}

fn of_71(score: &Score) -> &AspectScore {
    let is_71 = |row: &&AspectScore| row.clause.to_string() == "7.1" && row.aspect == Aspect::Conduct;
    score.aspects.iter().find(is_71).expect("a row")
}

#[test]
fn each_basis_says_what_its_own_checks_say() {
    use Standing::{Broken, Kept, NotApplicable, NotEvaluated, Unproven};
    let both = |observed, proposed| vec![(Basis::Observed, observed), (Basis::Proposed, proposed)];
    for (verdicts, observed, proposed, merged) in [
        (both(Verdict::Broken, Verdict::Broken), Broken, Broken, Broken),
        (both(Verdict::Kept, Verdict::Broken), Kept, Broken, Broken),
        (both(Verdict::Broken, Verdict::Kept), Broken, Kept, Broken),
        (both(Verdict::Kept, Verdict::Unproven), Kept, Unproven, Unproven),
        (both(Verdict::NotApplicable, Verdict::Kept), NotApplicable, Kept, Kept),
        (vec![(Basis::Proposed, Verdict::Broken)], NotEvaluated, Broken, Broken),
        (vec![(Basis::Observed, Verdict::Kept)], Kept, NotEvaluated, Kept),
        (vec![], NotEvaluated, NotEvaluated, NotEvaluated),
    ] {
        let score = scored(&verdicts);
        let row = of_71(&score);
        assert_eq!(row.by_basis, ByBasis { observed, proposed }, "{verdicts:?}");
        assert_eq!(row.standing, merged, "{verdicts:?}");
        let section = score.sections.iter().find(|row| row.section == "7").expect("a section");
        assert_eq!(section.conduct_by_basis, row.by_basis, "{verdicts:?}");
    }
}

#[test]
fn a_breach_on_both_bases_counts_on_the_observed_wire() {
    let both = scored(&[(Basis::Observed, Verdict::Broken), (Basis::Proposed, Verdict::Broken)]).scope;
    assert_eq!((both.broken_observed.len(), both.broken_proposed_alone.len()), (1, 0));
    let alone = scored(&[(Basis::Observed, Verdict::Kept), (Basis::Proposed, Verdict::Broken)]).scope;
    assert_eq!((alone.broken_observed.len(), alone.broken_proposed_alone.len()), (0, 1));
    assert_eq!((both.kept(), alone.kept()), (0, 0));
}

#[test]
fn a_clause_counts_once_however_many_of_its_aspects_are_broken() {
    let evaluations = [
        evaluation_on(Basis::Observed, "7.2", Aspect::Conduct, Verdict::Broken),
        evaluation_on(Basis::Proposed, "7.2", Aspect::Detection, Verdict::Broken),
    ];
    let scope = score(&V1_2026_05, &evaluations, true, None, &BTreeMap::new()).scope;
    assert_eq!((scope.broken_observed.len(), scope.broken_proposed_alone.len()), (1, 0));
}

#[test]
fn a_kept_aspect_counts_on_the_observed_wire_if_that_shows_it() {
    for (verdicts, observed, proposed) in [
        (vec![(Basis::Observed, Verdict::Kept), (Basis::Proposed, Verdict::Kept)], 1, 0),
        (vec![(Basis::Proposed, Verdict::Kept)], 0, 1),
        (vec![(Basis::Observed, Verdict::NotApplicable), (Basis::Proposed, Verdict::Kept)], 0, 1),
        (vec![(Basis::Observed, Verdict::Kept), (Basis::Proposed, Verdict::Unproven)], 0, 0),
    ] {
        let score = scored(&verdicts);
        let kept = (score.scope.kept_observed, score.scope.kept_proposed_alone);
        assert_eq!(kept, (observed, proposed), "{verdicts:?}");
        assert_eq!(score.scope.aspects, score.aspects.len() as u64);
    }
}

#[test]
fn a_basis_without_a_check_is_never_green() {
    let proposed = scored(&[(Basis::Proposed, Verdict::Kept)]).overall_by_basis;
    assert_eq!(proposed, ByBasis { observed: Overall::Unproven, proposed: Overall::Kept });
    let broken = scored(&[(Basis::Observed, Verdict::Kept), (Basis::Proposed, Verdict::Broken)]);
    let expected = ByBasis { observed: Overall::Kept, proposed: Overall::Broken };
    assert_eq!((broken.overall, broken.overall_by_basis), (Overall::Broken, expected));
}

#[test]
fn a_void_run_proves_nothing_on_either_basis() {
    let broken = [evaluation_on(Basis::Proposed, "7.1", Aspect::Conduct, Verdict::Broken)];
    let score = score(&V1_2026_05, &broken, true, Some("no handshake"), &BTreeMap::new());
    let expected = ByBasis { observed: Standing::NotEvaluated, proposed: Standing::Unproven };
    assert_eq!(of_71(&score).by_basis, expected);
    assert_eq!(score.overall_by_basis, ByBasis { observed: Overall::Void, proposed: Overall::Void });
    assert!(score.scope.broken_proposed_alone.is_empty());
}

#[test]
fn a_person_attests_what_a_basis_leaves_open_and_nothing_else() {
    let evaluations = [
        evaluation_on(Basis::Observed, "7.1", Aspect::Conduct, Verdict::Kept),
        evaluation_on(Basis::Proposed, "7.1", Aspect::Conduct, Verdict::Unproven),
    ];
    let attested = BTreeMap::from([("7.1".parse().expect("a clause"), "by phone".to_owned())]);
    let score = score(&V1_2026_05, &evaluations, true, None, &attested);
    let row = of_71(&score);
    assert_eq!(row.by_basis, ByBasis { observed: Standing::Kept, proposed: Standing::Attested });
    assert_eq!((row.standing, row.reason.as_deref()), (Standing::Attested, Some("by phone")));
}

proptest! {
    #[test]
    fn the_merged_standing_is_the_worst_of_both_bases(
        verdicts in proptest::collection::vec(
            (proptest::bool::ANY, merge::tests::verdict(), proptest::bool::ANY),
            0..6,
        ),
        partial in proptest::bool::ANY,
        void in proptest::bool::ANY,
        is_attested in proptest::bool::ANY,
    ) {
        let evaluations: Vec<Evaluation> = verdicts
            .into_iter()
            .map(|(is_observed, verdict, is_later)| {
                let basis = if is_observed { Basis::Observed } else { Basis::Proposed };
                evaluation_on(basis, if is_later { "E.2" } else { "7.1" }, Aspect::Detection, verdict)
            })
            .collect();
        let statement = ("E.2".parse().expect("a clause"), "by phone".to_owned());
        let attested = is_attested.then_some(statement).into_iter().collect();
        for register in [&V1_2026_05, &V1_2026_06] {
            let score = score(register, &evaluations, partial, void.then_some("why"), &attested);
            for row in &score.aspects {
                let bases = [row.by_basis.observed, row.by_basis.proposed];
                prop_assert_eq!(worst(bases.into_iter()), Some(row.standing), "{:?}", row);
            }
        }
    }
}

#[test]
fn no_statement_outweighs_a_breach_that_was_seen_in_some_plays() {
    let mut check = evaluation("4.4", Aspect::Conduct, Verdict::Unproven);
    let attested = BTreeMap::from([("4.4".parse().expect("a clause"), "by phone".to_owned())]);
    let standing = |check: &Evaluation| {
        let score = score(&V1_2026_05, std::slice::from_ref(check), true, None, &attested);
        let row = score.aspects.iter().find(|row| row.checks.contains(&check.check.id));
        row.expect("a row").standing
    };
    assert_eq!(standing(&check), Standing::Attested);
    check.flaky = Some(Flaky { broken: 1, plays: 2, trace: "s retry 1".to_owned() });
    assert_eq!(standing(&check), Standing::Unproven);
}
