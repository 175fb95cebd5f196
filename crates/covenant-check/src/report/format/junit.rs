//! The report for a CI server: JUnit XML, one suite per commitment, one test case per check. Properties of suite
//! and case name the basis.

use std::collections::BTreeSet;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::cases::attested;
use crate::check::Verdict;
use crate::report::escape::xml;
use crate::report::{EvaluatedCheck, NO_END, Report, ScenarioRow, UNSIGNED, VerdictCounts};
use crate::warning::Warning;
use covenant_model::contract::{Basis, Section};

/// Returns the report as JUnit XML. Broken is a failure. Unproven, attested and a known breach are skipped, with their
/// reason. In a void run every case is an error.
#[must_use]
pub(super) fn junit(report: &Report) -> String {
    let mut document = Xml::new("covenant");
    for section in Section::all() {
        let checks: Vec<&EvaluatedCheck> =
            report.checks.iter().filter(|check| check.evaluation.check.clause.section == section).collect();
        if checks.is_empty() {
            continue;
        }
        let mut suite = TestSuite::new(format!("{section} {}", section.title()));
        suite.add_properties(properties(report, section, &checks));
        times(&mut suite, report, &checks);
        suite.add_test_cases(checks.into_iter().map(|check| case(report, check)));
        document.add_test_suite(suite);
    }
    let attested: Vec<TestCase> = attested(report)
        .map(|(name, statement)| TestCase::new(xml(&name), skipped(&format!("attested: {statement}"))))
        .collect();
    if !attested.is_empty() {
        let mut suite = TestSuite::new("Attested");
        suite.add_test_cases(attested);
        document.add_test_suite(suite);
    }
    if !report.known_faults.is_empty() {
        let mut suite = TestSuite::new("Known breaches");
        suite.add_test_cases(report.known_faults.iter().map(|fault| {
            let status =
                failure(NonSuccessKind::Failure, "known-breach", &fault.why, &xml(&fault.to_string()));
            TestCase::new(xml(&format!("{} ({})", fault.clause, fault.check)), status)
        }));
        document.add_test_suite(suite);
    }
    let disturbances = report.disturbances();
    if !disturbances.is_empty() {
        let mut suite = TestSuite::new("Run");
        suite.add_test_cases(disturbances.iter().enumerate().map(|(place, why)| {
            let status = failure(NonSuccessKind::Error, "disturbed", why, &xml(why));
            TestCase::new(format!("the run is not disturbed ({})", place + 1), status)
        }));
        document.add_test_suite(suite);
    }
    if !report.warnings.is_empty() {
        let mut suite = TestSuite::new("Warnings");
        suite.add_test_cases(report.warnings.iter().map(warning));
        document.add_test_suite(suite);
    }
    document.to_string().unwrap_or_else(|error| format!("<!-- {} -->", xml(&error.to_string())))
}

/// Sets when a suite began, how long its scenarios took, and where. A report names no machine, and `localhost` is what
/// the format has for that.
fn times(suite: &mut TestSuite, report: &Report, checks: &[&EvaluatedCheck]) {
    let scenarios: BTreeSet<&str> =
        checks.iter().map(|check| check.evaluation.check.scenario.as_str()).collect();
    let rows = report.scenarios.iter().filter(|row| scenarios.contains(row.id.as_str()));
    suite.set_time(rows.filter_map(took).sum());
    if let Some(began) = report.began {
        suite.extra.insert("timestamp".into(), began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    }
    suite.extra.insert("hostname".into(), "localhost".into());
}

fn took(row: &ScenarioRow) -> Option<Duration> {
    row.took_milliseconds.map(Duration::from_millis)
}

/// Returns the time of a check: that of its scenario, shared by the checks of the scenario.
fn time_of(report: &Report, scenario: &str) -> Duration {
    let row = report.scenarios.iter().find(|row| row.id == scenario);
    let checks = report.checks.iter().filter(|check| check.evaluation.check.scenario == scenario).count();
    let checks = u32::try_from(checks).unwrap_or(u32::MAX).max(1);
    row.and_then(took).unwrap_or_default() / checks
}

/// Returns the properties of a suite: the headline of the report, and what each basis says of the section.
fn properties(report: &Report, section: Section, checks: &[&EvaluatedCheck]) -> Vec<(String, String)> {
    let mut properties = vec![("headline".to_owned(), report.headline())];
    properties.extend(report.coverage().map(|coverage| ("scope".to_owned(), coverage)));
    properties.push(("transcript_sha256".to_owned(), xml(&report.transcript_sha256)));
    properties.push(("transcript".to_owned(), UNSIGNED.to_owned()));
    // The target and the digest of the transcript have a property of their own.
    let facts = report.facts().into_iter().filter(|(name, _)| !["target", "transcript"].contains(name));
    properties.extend(facts.map(|(name, value)| (name.to_owned(), xml(&value))));
    properties.extend(report.outcome.is_none().then(|| ("interrupted".to_owned(), NO_END.to_owned())));
    properties.push(("target".to_owned(), xml(&report.recorded_target())));
    properties
        .extend(report.recorded_arguments().map(|words| ("TARGET, as recorded".to_owned(), xml(&words))));
    for basis in [Basis::Observed, Basis::Proposed] {
        let row = report.score.sections.iter().find(|row| row.section == section.to_string());
        let standings = row.into_iter().flat_map(|row| {
            [("conduct", row.conduct_by_basis.on(basis)), ("detection", row.detection_by_basis.on(basis))]
        });
        properties
            .extend(standings.map(|(name, standing)| (format!("{basis}.{name}"), standing.to_string())));
        if report.void.is_none() {
            let counted = counted(basis, checks).into_iter();
            properties.extend(counted.map(|(name, count)| (format!("{basis}.{name}"), count.to_string())));
        }
    }
    properties
}

/// Returns the numbers of verdicts of the checks of a basis, with their names.
fn counted(basis: Basis, checks: &[&EvaluatedCheck]) -> [(&'static str, u64); 4] {
    let of_basis = checks.iter().map(|check| &check.evaluation).filter(|one| one.check.basis == basis);
    let counts = VerdictCounts::of(of_basis.map(|evaluation| evaluation.result.verdict));
    [
        ("kept", counts.kept),
        ("broken", counts.broken),
        ("unproven", counts.unproven),
        ("not_applicable", counts.not_applicable),
    ]
}

fn case(report: &Report, evaluated: &EvaluatedCheck) -> TestCase {
    let check = &evaluated.evaluation.check;
    let result = &evaluated.evaluation.result;
    let reported = xml(&format!(
        "{}\nexpected: {}\nactual: {}\nevidence: {} {:?}\nbasis: {}\nreplay: {}",
        check.requirement,
        result.expected.join("; or "),
        result.actual,
        check.scenario,
        result.evidence,
        check.basis,
        evaluated.replay,
    ));
    let status = match (&report.void, result.verdict) {
        (Some(void), _) => {
            failure(NonSuccessKind::Error, "void", &format!("the run is void: {void}"), &reported)
        }
        (None, Verdict::Broken) => match &evaluated.known {
            Some(known) => skipped(&format!("known breach: {known}")),
            None => failure(NonSuccessKind::Failure, "broken", &result.actual, &reported),
        },
        (None, Verdict::Unproven) => skipped(&format!("unproven: {}", result.actual)),
        (None, Verdict::NotApplicable) => skipped(&format!("not applicable: {}", result.actual)),
        (None, Verdict::Kept) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(xml(&format!("{} {} ({})", check.clause, check.aspect, check.id)), status);
    case.set_classname(xml(&check.scenario));
    case.set_time(time_of(report, &check.scenario));
    case.add_property(("basis".to_owned(), check.basis.to_string()));
    case
}

/// Returns the case of a warning. It succeeds, since a warning is no verdict.
fn warning(warning: &Warning) -> TestCase {
    let mut case = TestCase::new(xml(&warning.text), TestCaseStatus::success());
    case.set_classname(xml(&warning.scenario));
    case.add_property(("times".to_owned(), warning.times.to_string()));
    case.add_property(("evidence".to_owned(), format!("{:?}", warning.evidence)));
    case
}

fn failure(kind: NonSuccessKind, name: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(xml(message)).set_type(name).set_description(description);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(message));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::report::sample::{known, report};
    use crate::score::Standing;
    use crate::warning::sample as warning;

    #[test]
    fn a_suite_says_what_each_basis_says() {
        let report = report(&[("7.1", Basis::Observed, Kept), ("7.2", Basis::Proposed, Broken)]);
        let xml = junit(&report);
        for (name, value) in [
            ("headline", report.headline().as_str()),
            ("observed.conduct", "kept"),
            ("observed.detection", "not evaluated"),
            ("observed.kept", "1"),
            ("observed.broken", "0"),
            ("proposed.conduct", "broken"),
            ("proposed.broken", "1"),
            ("basis", "observed"),
            ("basis", "proposed"),
        ] {
            let property = format!("<property name=\"{name}\" value=\"{value}\"/>");
            assert!(xml.contains(&property), "{property} in {xml}");
        }
    }

    #[test]
    fn a_suite_and_a_case_say_when_they_began_and_how_long_they_took() {
        let row = ScenarioRow { took_milliseconds: Some(3000), ..ScenarioRow::new("scenario", None, 1) };
        let checks = [("7.1", Basis::Observed, Kept), ("7.2", Basis::Proposed, Broken)];
        let xml = junit(&Report {
            began: Some("2026-05-04T03:02:01Z".parse().expect("a time")),
            scenarios: vec![row],
            ..report(&checks)
        });
        assert!(
            xml.contains("time=\"3.000\" timestamp=\"2026-05-04T03:02:01Z\" hostname=\"localhost\""),
            "{xml}"
        );
        assert_eq!(xml.matches("time=\"1.500\"").count(), 2, "{xml}");
        assert!(xml.contains("<failure message=\"why\" type=\"broken\">"), "{xml}");
    }

    #[test]
    fn what_is_attested_and_what_is_known_are_cases_that_are_skipped() {
        let mut attested = known(&report(&[("7.2", Basis::Proposed, Broken)]));
        let row =
            attested.score.aspects.iter_mut().find(|row| row.clause.to_string() == "4.4").expect("a row");
        row.standing = Standing::Attested;
        row.reason = Some("by phone".to_owned());
        let xml = junit(&attested);
        assert!(xml.contains("<skipped message=\"attested: by phone\"/>"), "{xml}");
        assert!(xml.contains("<skipped message=\"known breach: we fix it\"/>"), "{xml}");
        assert!(!xml.contains("<failure"), "{xml}");
    }

    #[test]
    fn a_warning_is_a_case_that_succeeds() {
        let warned = Report { warnings: vec![warning()], ..report(&[("7.1", Basis::Observed, Kept)]) };
        let xml = junit(&warned);
        assert!(xml.contains("<testsuite name=\"Warnings\" tests=\"1\""), "{xml}");
        assert!(xml.contains("failures=\"0\" errors=\"0\">"), "{xml}");
        assert!(xml.contains("POST /accept answered 500"), "{xml}");
    }

    #[test]
    fn a_void_run_counts_nothing_as_broken() {
        let checks = [("7.2", Basis::Proposed, Broken)];
        let xml = junit(&Report { void: Some("no handshake".to_owned()), ..report(&checks) });
        assert!(xml.contains("no handshake") && !xml.contains("proposed.broken"), "{xml}");
    }
}
