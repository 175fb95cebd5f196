//! Tests of the assessment.

use super::*;
use crate::check::{CheckResult, Evaluation, Flaky, Verdict};
use crate::contract::{Basis, V1_2026_05};
use crate::docs::parts;
use crate::report::{EvaluatedCheck, VerdictCounts};
use crate::runner::planned_with_texts;
use crate::sample;
use crate::score::score;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Returns the report of a run of the whole suite, with the verdict that each check gets; `None` leaves it out.
pub(in crate::certify) fn report_of(
    verdict: impl Fn(&Evaluation) -> Option<Verdict>,
    attested: &[(&str, &str)],
) -> Report {
    let register = &V1_2026_05;
    let mut evaluations = Vec::new();
    for loaded in parts().expect("sound scenarios") {
        for (check, texts) in planned_with_texts(&loaded.id, &loaded) {
            let result = CheckResult {
                verdict: Verdict::Kept,
                expected: vec![],
                actual: "seen".to_owned(),
                evidence: vec![],
            };
            let mut evaluation = Evaluation { check, result, flaky: None };
            let Some(verdict) = verdict(&evaluation).filter(|_| texts.contains(register)) else {
                continue;
            };
            evaluation.result.verdict = verdict;
            evaluations.push(evaluation);
        }
    }
    let attested: BTreeMap<_, _> = attested
        .iter()
        .map(|(clause, text)| (clause.parse().expect("a clause"), (*text).to_owned()))
        .collect();
    let mut report = sample::report(&[]);
    report.partial = false;
    report.score = score(register, &evaluations, false, None, &attested);
    let counts = VerdictCounts::of(evaluations.iter().map(|one| one.result.verdict));
    (report.counts.kept, report.counts.broken) = (counts.kept, counts.broken);
    let with_replay =
        |evaluation| EvaluatedCheck { evaluation, replay: "covenant run".to_owned(), known: None };
    report.checks = evaluations.into_iter().map(with_replay).collect();
    report.settings.insert("cases".to_owned(), json!(CASES));
    report.platform.certificate_sha256 = Some("cd".repeat(32));
    report.platform.address = Some("https://platform.example/".to_owned());
    report.platform.release = Some("1.4.2".to_owned());
    report
}

#[expect(clippy::unnecessary_wraps, reason = "it is passed as what may leave a check out")]
fn all_kept(_: &Evaluation) -> Option<Verdict> {
    Some(Verdict::Kept)
}

fn assessed(report: &Report, profile: &str) -> Assessment {
    let profile = Profile::named(profile).expect("a profile");
    Assessment::of(report, profile, signed()).expect("it can be certified")
}

fn signed() -> Timestamp {
    "2026-06-02T00:00:00Z".parse().expect("a timestamp")
}

/// A person's word about the target of [`report_of`], but for what the test changes.
pub(in crate::certify) fn word(release: &str, at: &str) -> String {
    let digest = "0".repeat(64);
    format!(
        "by phone (stated by Ada at {at} about https://platform.example, release {release}; evidence notes.txt, SHA-256 {digest})"
    )
}

#[test]
fn what_is_kept_whole_passes_and_a_person_has_the_word_that_no_wire_has() {
    use CertificationResult::{Passed, Warned};
    let unsaid = report_of(all_kept, &[]);
    assert_eq!(assessed(&unsaid, "observed").result, Passed);
    let full = assessed(&unsaid, "full");
    assert_eq!((full.result, full.warned), (Warned, vec!["4.4 conduct".to_owned()]));
    let bare = assessed(&report_of(all_kept, &[("4.4", "by phone")]), "full");
    assert_eq!((bare.result, &*bare.attested[0].statement), (Warned, "by phone"));
    assert!(bare.attested[0].does_not_count.as_ref().is_some_and(|why| why.contains("bare statement")));
    let word = word("1.4.2", "2026-06-01T00:00:00Z");
    let attested = report_of(all_kept, &[("4.4", &word)]);
    let full = assessed(&attested, "full");
    assert_eq!((full.result, &full.warned[..]), (Passed, &["4.4 conduct".to_owned()][..]));
    assert_eq!((&full.attested[0].statement, &full.attested[0].does_not_count), (&word, &None));
    assert!(full.not_exercised.is_empty() && !full.passed.contains(&"4.4 conduct".to_owned()));
    let observed = assessed(&attested, "observed");
    assert!(observed.not_exercised.iter().any(|named| named.test == "4.4 conduct"));
    assert!(observed.passed.len() < full.passed.len());
}

#[test]
fn a_word_about_another_target_or_release_or_of_long_ago_does_not_count() {
    for (release, at, expected) in [
        ("1.4.1", "2026-06-01T00:00:00Z", "the target runs 1.4.2"),
        ("1.4.2", "2026-02-01T00:00:00Z", "more than 90 days before"),
        ("1.4.2", "2026-06-03T00:00:00Z", "after the signature"),
    ] {
        let full = assessed(&report_of(all_kept, &[("4.4", &word(release, at))]), "full");
        assert_eq!(full.result, CertificationResult::Warned, "{release} {at}");
        let why = full.attested[0].does_not_count.clone().expect("it does not count");
        assert!(why.contains(expected), "{why}");
    }
    let mut of_other = report_of(all_kept, &[("4.4", &word("1.4.2", "2026-06-01T00:00:00Z"))]);
    of_other.platform.address = Some("https://other.example/".to_owned());
    assert_eq!(assessed(&of_other, "full").result, CertificationResult::Warned);
}

#[test]
fn a_word_stands_for_nothing_that_a_wire_shows() {
    let open = |one: &Evaluation| {
        Some(if one.check.clause.to_string() == "7.1" { Verdict::Unproven } else { Verdict::Kept })
    };
    let report = report_of(open, &[("4.4", "by phone"), ("7.1", "trust me")]);
    for profile in ["observed", "full"] {
        let assessed = assessed(&report, profile);
        assert_eq!(assessed.result, CertificationResult::Warned, "{profile}");
        assert!(assessed.warned.iter().any(|test| test.starts_with("7.1 ")), "{profile}");
        assert!(!assessed.passed.iter().any(|test| test.starts_with("7.1 ")), "{profile}");
    }
}

#[test]
fn a_breach_fails_every_profile_on_whatever_basis() {
    for basis in [Basis::Observed, Basis::Proposed] {
        let broken = |one: &Evaluation| {
            Some(if one.check.basis == basis && one.check.clause.to_string() == "7.2" {
                Verdict::Broken
            } else {
                Verdict::Kept
            })
        };
        let report = report_of(broken, &[("4.4", "by phone"), ("7.2", "trust me")]);
        for profile in ["observed", "full"] {
            let assessed = assessed(&report, profile);
            assert_eq!(assessed.result, CertificationResult::Failed, "{profile} {basis}");
            assert!(assessed.failed.iter().any(|test| test.starts_with("7.2 ")), "{profile}");
            let shown = assessed.breaches.iter().map(|breach| &breach.test);
            assert_eq!(shown.collect::<BTreeSet<_>>(), assessed.failed.iter().collect(), "{profile}");
            let basis_alone = assessed.breaches.iter().all(|breach| breach.basis == basis);
            assert!(basis_alone && assessed.breaches[0].check.contains(&assessed.breaches[0].scenario));
        }
    }
}

/// A check that is broken in some plays alone could have been broken in the only one.
#[test]
fn a_flaky_check_costs_every_profile_its_pass_on_whatever_basis() {
    for basis in [Basis::Observed, Basis::Proposed] {
        let whole = report_of(all_kept, &[("4.4", &word("1.4.2", "2026-06-01T00:00:00Z"))]);
        let of_basis = whole.checks.iter().find(|check| check.evaluation.check.basis == basis);
        let flaky = of_basis.expect("a check").evaluation.check.clone();
        let open =
            |one: &Evaluation| Some(if one.check.id == flaky.id { Verdict::Unproven } else { Verdict::Kept });
        let mut report = report_of(open, &[("4.4", &word("1.4.2", "2026-06-01T00:00:00Z"))]);
        let marked = report.checks.iter_mut().find(|check| check.evaluation.check.id == flaky.id);
        marked.expect("the check").evaluation.flaky =
            Some(Flaky { broken: 1, plays: 2, trace: flaky.scenario.clone() });
        let test = format!("{} {}", flaky.clause, flaky.aspect);
        for profile in ["observed", "full"] {
            assert_eq!(assessed(&whole, profile).result, CertificationResult::Passed, "{profile}");
            let assessed = assessed(&report, profile);
            assert_eq!(assessed.result, CertificationResult::Warned, "{profile} {basis}");
            assert!(assessed.warned.contains(&test) && !assessed.passed.contains(&test), "{profile} {basis}");
        }
    }
}

#[test]
fn no_thin_run_passes() {
    let whole = report_of(all_kept, &[("4.4", "by phone")]);
    // A few checks stand for all: each takes a second.
    let checks = whole.checks.iter().map(|check| &check.evaluation.check);
    for missing in checks.step_by(whole.checks.len() / 4) {
        let without = |one: &Evaluation| (one.check.id != missing.id).then_some(Verdict::Kept);
        let thin = assessed(&report_of(without, &[("4.4", "by phone")]), "full");
        assert_eq!(thin.result, CertificationResult::Warned, "without {}", missing.id);
        let test = format!("{} {}", missing.clause, missing.aspect);
        assert!(!thin.passed.contains(&test), "without {}", missing.id);
    }
    let mut few_cases = whole.clone();
    few_cases.settings.insert("cases".to_owned(), json!(CASES - 1));
    let thin = assessed(&few_cases, "full");
    assert_eq!(thin.result, CertificationResult::Warned);
    assert!(thin.not_exercised.iter().any(|named| named.test == "cases of the properties"));
}

#[test]
fn what_cannot_be_certified_is_refused_with_its_reason() {
    let profile = Profile::named("observed").expect("a profile");
    let refused = |change: fn(&mut Report)| {
        let mut report = report_of(all_kept, &[]);
        change(&mut report);
        Assessment::of(&report, profile, signed()).expect_err("refused").to_string()
    };
    assert!(refused(|report| report.outcome = None).contains("interrupted"));
    assert!(refused(|report| report.void = Some("no handshake".to_owned())).contains("no handshake"));
    assert!(refused(|report| report.counts.kept = 0).contains("nothing was evaluated"));
    assert!(refused(|report| report.platform.certificate_sha256 = None).contains("no certificate"));
    assert!(
        refused(|report| {
            report.settings.insert("audit".to_owned(), json!(true));
        })
        .contains("audit")
    );
    let foreign = refused(|report| report.checks[0].evaluation.check.check = "mine".to_owned());
    assert!(foreign.contains("none of this version of the suite"), "{foreign}");
}
