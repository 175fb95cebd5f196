//! Tests of the exit codes.

use super::*;
use crate::Fault;
use crate::check::Verdict;
use crate::report::{Counts, KnownFault, ScenarioRow, VerdictCounts};
use crate::sample;
use crate::score::ByBasis;

use BasisChoice::{All, Observed, Proposed};
use Verdict::{Broken, Kept, NotApplicable, Unproven};

/// Returns the report of a part of the suite, with one verdict of each given basis about the conduct of 7.1.
fn report(verdicts: &[(Basis, Verdict)]) -> Report {
    let checks: Vec<_> = verdicts.iter().map(|(basis, verdict)| ("7.1", *basis, *verdict)).collect();
    sample::report(&checks)
}

/// Asserts the exit codes under `--strict` and without it, for each choice.
fn assert_exits(verdicts: &[(Basis, Verdict)], exits: [(BasisChoice, Exit, Exit); 3]) {
    let report = report(verdicts);
    for (basis, lenient, strict) in exits {
        assert_eq!(Exit::of(&report, false, basis), lenient, "{verdicts:?} {basis:?}");
        assert_eq!(Exit::of(&report, true, basis), strict, "{verdicts:?} {basis:?}");
    }
}

#[test]
fn the_readme_lists_every_exit_code_in_the_same_words() {
    let readme = include_str!("../../README.md").replace('`', "");
    let rows: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| exit code"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected: Vec<String> =
        EXITS.iter().map(|row| format!("| {} | {} |", row.exit as u8, row.meaning)).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_breach_counts_on_its_own_basis() {
    use Exit::{Broken as Breach, Kept as Nothing};
    assert_exits(
        &[(Basis::Observed, Broken), (Basis::Proposed, Broken)],
        [(All, Breach, Breach), (Observed, Breach, Breach), (Proposed, Breach, Breach)],
    );
    assert_exits(
        &[(Basis::Observed, Kept), (Basis::Proposed, Broken)],
        [(All, Breach, Breach), (Observed, Nothing, Nothing), (Proposed, Breach, Breach)],
    );
    assert_exits(
        &[(Basis::Observed, Broken), (Basis::Proposed, Kept)],
        [(All, Breach, Breach), (Observed, Breach, Breach), (Proposed, Nothing, Nothing)],
    );
}

#[test]
fn strict_counts_what_is_unproven_on_the_same_basis() {
    use Exit::{Broken as Breach, Kept as Nothing, NothingEvaluated as None, Unproven as Open};
    assert_exits(
        &[(Basis::Observed, Kept), (Basis::Proposed, Unproven)],
        [(All, Nothing, Open), (Observed, Nothing, Nothing), (Proposed, None, None)],
    );
    assert_exits(
        &[(Basis::Observed, Unproven), (Basis::Proposed, Broken)],
        [(All, Breach, Breach), (Observed, None, None), (Proposed, Breach, Breach)],
    );
}

#[test]
fn nothing_evaluated_is_never_green_with_or_without_strict() {
    use Exit::{Broken as Breach, Kept as Nothing, NothingEvaluated as None};
    for (verdict, all) in [(Broken, (Breach, Breach)), (Kept, (Nothing, Nothing))] {
        assert_exits(
            &[(Basis::Proposed, verdict)],
            [(All, all.0, all.1), (Observed, None, None), (Proposed, all.0, all.1)],
        );
    }
    for verdicts in [&[(Basis::Observed, NotApplicable)][..], &[(Basis::Observed, Unproven)], &[]] {
        assert_exits(verdicts, [(All, None, None), (Observed, None, None), (Proposed, None, None)]);
    }
}

#[test]
fn a_known_breach_does_not_fail_and_hides_nothing_else() {
    let breach = report(&[(Basis::Observed, Broken), (Basis::Observed, Kept)]);
    let known = sample::known(&breach);
    assert_eq!((Exit::of(&breach, false, All), Exit::of(&known, true, All)), (Exit::Broken, Exit::Kept));
    let open = sample::known(&sample::report(&[
        ("7.1", Basis::Observed, Broken),
        ("7.2", Basis::Observed, Unproven),
    ]));
    assert_eq!((Exit::of(&open, false, All), Exit::of(&open, true, All)), (Exit::Kept, Exit::Unproven));
    let with = |outcome: Option<Outcome>| Exit::of(&Report { outcome, ..known.clone() }, false, All);
    assert_eq!(with(Some(Fault::adapter("it exited").into())), Exit::Adapter);
    assert_eq!((with(None), with(Some(Outcome::Interrupted))), (Exit::Interrupted, Exit::Interrupted));
    let mut void = known.clone();
    void.score.overall = Overall::Void;
    assert_eq!(Exit::of(&void, false, All), Exit::Target);
    let mut other = sample::known(&report(&[(Basis::Observed, Broken), (Basis::Proposed, Broken)]));
    other.checks[1].known = None;
    assert_eq!((Exit::of(&other, false, All), Exit::of(&other, false, Observed)), (Exit::Broken, Exit::Kept));
}

#[test]
fn a_flaky_check_is_unproven_and_fails_a_strict_run() {
    let flaky = sample::flaky(&report(&[(Basis::Observed, Kept), (Basis::Proposed, Broken)]));
    assert_eq!((Exit::of(&flaky, false, All), Exit::of(&flaky, true, All)), (Exit::Kept, Exit::Unproven));
    let alone = sample::flaky(&report(&[(Basis::Proposed, Broken)]));
    assert_eq!(Exit::of(&alone, false, All), Exit::NothingEvaluated);
}

#[test]
fn an_entry_that_no_longer_holds_fails_the_run() {
    let fault = KnownFault {
        place: "known.toml:1".to_owned(),
        check: "scenario/7.1#1".to_owned(),
        clause: "7.1".to_owned(),
        why: "no longer happens".to_owned(),
    };
    let kept = Report { known_faults: vec![fault], ..report(&[(Basis::Observed, Kept)]) };
    assert_eq!(Exit::of(&kept, false, All), Exit::Broken);
    let interrupted = Report { outcome: Some(Outcome::Interrupted), ..kept };
    assert_eq!(Exit::of(&interrupted, false, All), Exit::Interrupted);
}

#[test]
fn a_run_that_ended_at_its_deadline_is_not_interrupted() {
    let mut early = report(&[(Basis::Observed, Kept), (Basis::Proposed, Unproven)]);
    early.outcome = Some(Outcome::EndedAtDeadline { deadline: "10m".to_owned() });
    early.scenarios.push(ScenarioRow::new("cut", Some(Outcome::Interrupted), 3));
    assert_eq!((Exit::of(&early, false, All), Exit::of(&early, true, All)), (Exit::Kept, Exit::Unproven));
}

#[test]
fn a_transcript_without_an_end_is_never_green() {
    let unsealed = |verdict: Verdict, kept: u64| {
        let whole = report(&[(Basis::Observed, verdict)]);
        let observed = VerdictCounts { kept, ..VerdictCounts::default() };
        let by_basis = ByBasis { observed, proposed: VerdictCounts::default() };
        Report { outcome: None, counts: Counts { kept, by_basis, ..Counts::default() }, ..whole }
    };
    assert_eq!(Exit::of(&unsealed(Kept, 1), false, All), Exit::Interrupted);
    assert_eq!(Exit::of(&unsealed(Broken, 0), false, All), Exit::Broken);
    assert_eq!(Exit::of(&unsealed(Unproven, 0), false, All), Exit::NothingEvaluated);
}

#[test]
fn a_fault_shows_where_the_breach_does_not_count() {
    let broken = report(&[(Basis::Proposed, Broken)]);
    let report = Report { outcome: Some(Outcome::Aborted(Fault::adapter("it exited"))), ..broken };
    assert_eq!(Exit::of(&report, false, All), Exit::Broken);
    assert_eq!(Exit::of(&report, false, Observed), Exit::Adapter);
}

#[test]
fn a_mistake_in_a_scenario_is_its_authors() {
    let with = |fault: Fault, own: bool| {
        let mut report = report(&[(Basis::Observed, Unproven)]);
        report.scenarios.push(ScenarioRow::new("own", Some(fault.into()), 3));
        if own {
            report.settings.insert("scenarios".to_owned(), "own.toml".into());
        }
        Exit::of(&report, false, All)
    };
    assert_eq!(with(Fault::scenario("`${x}`"), true), Exit::Usage);
    assert_eq!(with(Fault::scenario("`${x}`"), false), Exit::Suite);
    assert_eq!(with(Fault::suite("a bug"), true), Exit::Suite);
    assert_eq!(with(Fault::target("it answers nothing"), true), Exit::NothingEvaluated);
}

#[test]
fn a_breach_that_does_not_count_is_named() {
    let proposed = report(&[(Basis::Observed, Kept), (Basis::Proposed, Broken)]);
    let sentence = Observed.uncounted(&proposed).expect("a sentence");
    assert!(sentence.ends_with("does not count what is broken on the proposed binding alone"), "{sentence}");
    assert_eq!((All.uncounted(&proposed), Proposed.uncounted(&proposed)), (None, None));
    let both = report(&[(Basis::Observed, Broken), (Basis::Proposed, Broken)]);
    assert_eq!((Observed.uncounted(&both), Proposed.uncounted(&both)), (None, None));
}
