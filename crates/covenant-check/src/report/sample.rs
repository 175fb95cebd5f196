//! Reports of constructed evaluations, for tests of this crate and of the program, which includes this file too.

use std::collections::BTreeMap;

use crate::check::{CheckResult, Evaluation, Flaky, PlannedCheck, Verdict};
use crate::report::{
    Counts, EvaluatedCheck, KnownBreach, Report, SCHEMA_VERSION, TargetFacts, VerdictCounts,
};
use crate::score::{ByBasis, score};
use covenant_model::contract::{Aspect, Basis, HeldText, TextSource, V1_2026_05};
use covenant_model::transcript::Outcome;

/// Returns the report of a part of the suite, in which each check evaluates the conduct of a clause.
pub(crate) fn report(checks: &[(&str, Basis, Verdict)]) -> Report {
    let evaluations: Vec<Evaluation> = checks.iter().map(evaluation).collect();
    let counted = |basis: Basis| {
        let of_basis = checks.iter().filter(|(_, of, _)| *of == basis);
        VerdictCounts::of(of_basis.map(|(_, _, verdict)| *verdict))
    };
    let VerdictCounts { kept, broken, unproven, not_applicable } =
        VerdictCounts::of(checks.iter().map(|(_, _, verdict)| *verdict));
    let counts = Counts {
        kept,
        broken,
        unproven,
        not_applicable,
        by_basis: ByBasis::of(counted),
        ..Counts::default()
    };
    Report {
        schema_version: SCHEMA_VERSION,
        covenant: "0.0.0".to_owned(),
        seed: 7,
        target: "https://platform.example/".to_owned(),
        reference: None,
        target_arguments: vec!["--adapter".to_owned(), "python3 'my adapter.py'".to_owned()],
        platform: TargetFacts::default(),
        began: None,
        took_milliseconds: None,
        contract_text: Some(V1_2026_05.id.to_owned()),
        contract: HeldText::known(&V1_2026_05, TextSource::Assumed),
        binding: "1".to_owned(),
        settings: BTreeMap::new(),
        partial: true,
        outcome: Some(Outcome::Completed),
        transcript_sha256: "ab".repeat(32),
        void: None,
        failed_stages: vec![],
        score: score(&V1_2026_05, &evaluations, true, None, &BTreeMap::new()),
        checks: evaluations.into_iter().map(evaluated).collect(),
        shown: vec![],
        scenarios: vec![],
        missing_methods: vec![],
        warnings: vec![],
        counts,
        diagnostics: vec![],
        known_faults: vec![],
    }
}

/// Returns the report in which each breach is known.
pub(crate) fn known(report: &Report) -> Report {
    let mut known = report.clone();
    for check in &mut known.checks {
        let is_broken = check.evaluation.result.verdict == Verdict::Broken;
        let why = KnownBreach { reason: "we fix it".to_owned(), link: None, expires: None };
        check.known = is_broken.then_some(why);
    }
    known
}

/// Returns the report in which each breach came in one play of two.
pub(crate) fn flaky(report: &Report) -> Report {
    let mut flaky = report.clone();
    for Evaluation { result, flaky, .. } in flaky.checks.iter_mut().map(|check| &mut check.evaluation) {
        if result.verdict == Verdict::Broken {
            let once = Flaky { broken: 1, plays: 2, trace: "scenario retry 1".to_owned() };
            result.actual = format!("{once}: {}", result.actual);
            (result.verdict, *flaky) = (Verdict::Unproven, Some(once));
        }
    }
    let evaluations: Vec<Evaluation> = flaky.checks.iter().map(|check| check.evaluation.clone()).collect();
    flaky.score = score(&V1_2026_05, &evaluations, true, None, &BTreeMap::new());
    let Counts { broken, unproven, by_basis, .. } = flaky.counts;
    let moved = |counts: VerdictCounts| VerdictCounts {
        broken: 0,
        unproven: counts.unproven + counts.broken,
        ..counts
    };
    let by_basis = by_basis.map(moved);
    flaky.counts = Counts { broken: 0, unproven: unproven + broken, flaky: broken, by_basis, ..flaky.counts };
    flaky
}

fn evaluation((clause, basis, verdict): &(&str, Basis, Verdict)) -> Evaluation {
    Evaluation {
        check: PlannedCheck {
            id: format!("scenario/{clause}#1"),
            scenario: "scenario".to_owned(),
            clause: clause.parse().expect("a clause"),
            aspect: Aspect::Conduct,
            check: "check".to_owned(),
            basis: *basis,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: BTreeMap::new(),
        },
        result: CheckResult {
            verdict: *verdict,
            expected: vec![],
            actual: "why".to_owned(),
            evidence: vec![],
        },
        flaky: None,
    }
}

fn evaluated(evaluation: Evaluation) -> EvaluatedCheck {
    EvaluatedCheck { evaluation, replay: "covenant run".to_owned(), known: None }
}
