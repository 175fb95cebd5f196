//! The report for a CI server: JUnit XML, one suite per commitment, one test case per check. The properties of a suite,
//! and the name of a case, tell the basis.

mod document;

use std::collections::BTreeSet;
use std::time::Duration;

use super::cases::attested;
use crate::check::Verdict;
use crate::report::escape::xml;
use crate::report::{EvaluatedCheck, NO_END, Report, ScenarioRow, UNSIGNED, VerdictCounts};
use crate::warning::Warning;
use covenant_model::contract::{Basis, Section};
use document::{Case, Failure, Status, Suite};

/// Returns the report as JUnit XML. Broken is a failure. Unproven, attested and a known breach are skipped, with their
/// reason. In a void run every case is an error.
#[must_use]
pub(super) fn junit(report: &Report) -> String {
    let sections = Section::all().into_iter().filter_map(|section| section_suite(report, section));
    let others = [attested_suite(report), known_suite(report), run_suite(report), warnings_suite(report)];
    let suites: Vec<Suite> = sections
        .chain(others.into_iter().filter(|suite| !suite.cases.is_empty()))
        .map(|suite| Suite { began: report.began, ..suite })
        .collect();
    document::document(&suites).unwrap_or_else(|error| format!("<!-- {} -->", xml(&error.to_string())))
}

fn section_suite(report: &Report, section: Section) -> Option<Suite> {
    let checks: Vec<&EvaluatedCheck> =
        report.checks.iter().filter(|check| check.evaluation.check.clause.section == section).collect();
    let scenarios: BTreeSet<&str> =
        checks.iter().map(|check| check.evaluation.check.scenario.as_str()).collect();
    let rows = report.scenarios.iter().filter(|row| scenarios.contains(row.scenario()));
    (!checks.is_empty()).then(|| Suite {
        name: format!("{section} {}", section.title()),
        took: rows.filter_map(took).sum(),
        properties: properties(report, section, &checks),
        cases: checks.iter().map(|check| case(report, check)).collect(),
        ..Suite::default()
    })
}

fn attested_suite(report: &Report) -> Suite {
    let cases = attested(report)
        .map(|(name, statement)| row("attested", name, Status::Skipped(format!("attested: {statement}"))));
    suite("Attested", cases)
}

fn known_suite(report: &Report) -> Suite {
    let cases = report.known_faults.iter().map(|fault| {
        let status = failed("known-breach", &fault.why, &fault.to_string());
        row("known-breach", format!("{} ({})", fault.clause, fault.check), Status::Failed(status))
    });
    suite("Known breaches", cases)
}

fn run_suite(report: &Report) -> Suite {
    let cases = report.disturbances().into_iter().enumerate().map(|(place, why)| {
        let name = format!("the run is not disturbed ({})", place + 1);
        row("run", name, Status::Error(failed("disturbed", &why, &why)))
    });
    suite("Run", cases)
}

/// Returns the suite of the warnings. Their cases succeed, since a warning is no verdict.
fn warnings_suite(report: &Report) -> Suite {
    let cases =
        report.warnings.iter().map(|warning| row(&warning.scenario, warning.text.clone(), Status::Passed));
    Suite { output: report.warnings.iter().map(in_words).collect(), ..suite("Warnings", cases) }
}

fn in_words(warning: &Warning) -> String {
    format!("{} ({} times, {} {:?})", warning.text, warning.times, warning.scenario, warning.evidence)
}

fn suite(name: &str, cases: impl Iterator<Item = Case>) -> Suite {
    Suite { name: name.to_owned(), cases: cases.collect(), ..Suite::default() }
}

fn row(class: &str, name: String, status: Status) -> Case {
    Case { name, class: class.to_owned(), took: Duration::ZERO, status }
}

fn took(row: &ScenarioRow) -> Option<Duration> {
    row.took_milliseconds.map(Duration::from_millis)
}

/// Returns the time of a check: that of all plays of its scenario, shared by the checks of the scenario.
fn time_of(report: &Report, scenario: &str) -> Duration {
    let plays = report.scenarios.iter().filter(|row| row.scenario() == scenario);
    let checks = report.checks.iter().filter(|check| check.evaluation.check.scenario == scenario).count();
    let checks = u32::try_from(checks).unwrap_or(u32::MAX).max(1);
    plays.filter_map(took).sum::<Duration>() / checks
}

/// Returns the properties of a suite: the headline of the report, and what each basis says of the section.
fn properties(report: &Report, section: Section, checks: &[&EvaluatedCheck]) -> Vec<(String, String)> {
    let mut properties = vec![("headline".to_owned(), report.headline())];
    properties.extend(report.coverage().map(|coverage| ("scope".to_owned(), coverage)));
    properties.push(("transcript_sha256".to_owned(), report.transcript_sha256.clone()));
    properties.push(("transcript".to_owned(), UNSIGNED.to_owned()));
    // The target and the digest of the transcript have a property of their own.
    let facts = report.facts().into_iter().filter(|(name, _)| !["target", "transcript"].contains(name));
    properties.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    properties.extend(report.outcome.is_none().then(|| ("interrupted".to_owned(), NO_END.to_owned())));
    properties.push(("target".to_owned(), report.recorded_target()));
    properties.extend(report.recorded_arguments().map(|words| ("TARGET, as recorded".to_owned(), words)));
    let flaky = checks.iter().filter(|check| check.evaluation.flaky.is_some()).count();
    properties.extend((flaky > 0).then(|| ("flaky".to_owned(), flaky.to_string())));
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

fn case(report: &Report, evaluated: &EvaluatedCheck) -> Case {
    let check = &evaluated.evaluation.check;
    let result = &evaluated.evaluation.result;
    let reported = format!(
        "{}\nexpected: {}\nactual: {}\nevidence: {} {:?}\nbasis: {}\nreplay: {}",
        check.requirement,
        result.expected.join("; or "),
        result.actual,
        evaluated.evaluation.trace(),
        result.evidence,
        check.basis,
        evaluated.replay,
    );
    let status = match (&report.void, result.verdict) {
        (Some(void), _) => Status::Error(failed("void", &format!("the run is void: {void}"), &reported)),
        (None, Verdict::Broken) => match &evaluated.known {
            Some(known) => Status::Skipped(format!("known breach: {known}")),
            None => Status::Failed(failed("broken", &result.actual, &reported)),
        },
        // The reason says in how many plays it is broken.
        (None, Verdict::Unproven) if evaluated.evaluation.flaky.is_some() => {
            Status::Skipped(result.actual.clone())
        }
        (None, Verdict::Unproven) => Status::Skipped(format!("unproven: {}", result.actual)),
        (None, Verdict::NotApplicable) => Status::Skipped(format!("not applicable: {}", result.actual)),
        (None, Verdict::Kept) => Status::Passed,
    };
    Case {
        name: format!("{} {}, {} ({})", check.clause, check.aspect, check.basis, check.id),
        class: check.scenario.clone(),
        took: time_of(report, &check.scenario),
        status,
    }
}

fn failed(kind: &'static str, message: &str, text: &str) -> Failure {
    Failure { kind, message: message.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::report::sample::{flaky, known, report};
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
        ] {
            let property = format!("<property name=\"{name}\" value=\"{value}\"/>");
            assert!(xml.contains(&property), "{property} in {xml}");
        }
        for name in ["7.1 conduct, observed (", "7.2 conduct, proposed ("] {
            assert!(xml.contains(&format!("<testcase name=\"{name}")), "{name} in {xml}");
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
            xml.contains("time=\"3.000\" timestamp=\"2026-05-04T03:02:01\" hostname=\"localhost\""),
            "{xml}"
        );
        assert_eq!(xml.matches("time=\"1.500\"").count(), 2, "{xml}");
        assert!(xml.contains("<failure message=\"why\" type=\"broken\">"), "{xml}");
    }

    #[test]
    fn the_time_of_a_check_is_that_of_all_plays_of_its_scenario() {
        let row = |id: &str, retry, milliseconds| ScenarioRow {
            took_milliseconds: Some(milliseconds),
            retry,
            ..ScenarioRow::new(id, None, 1)
        };
        let scenarios = vec![
            row("scenario", 0, 1000),
            row("scenario retry 1", 1, 2000),
            row("scenario retry 12", 12, 4000),
            // A scenario of the user may have such a name.
            row("scenario retry 2", 0, 8000),
            row("other retry 1", 1, 16000),
        ];
        let xml = junit(&Report { scenarios, ..report(&[("7.1", Basis::Observed, Kept)]) });
        assert_eq!(xml.matches("time=\"7.000\"").count(), 2, "{xml}");
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
    fn a_flaky_check_is_skipped_and_says_so() {
        let xml = junit(&flaky(&report(&[("7.2", Basis::Proposed, Broken)])));
        assert!(xml.contains("<skipped message=\"flaky: broken in 1 of 2 plays: why\"/>"), "{xml}");
        assert!(xml.contains("<property name=\"flaky\" value=\"1\"/>") && !xml.contains("<failure"), "{xml}");
    }

    #[test]
    fn a_warning_is_a_case_that_succeeds() {
        let warned = Report { warnings: vec![warning()], ..report(&[("7.1", Basis::Observed, Kept)]) };
        let xml = junit(&warned);
        let suite = "<testsuite name=\"Warnings\" package=\"covenant\" id=\"1\" tests=\"1\" failures=\"0\" errors=\"0\"";
        assert!(xml.contains(suite), "{xml}");
        assert!(xml.contains("POST /accept answered 500"), "{xml}");
    }

    #[test]
    fn a_void_run_counts_nothing_as_broken() {
        let checks = [("7.2", Basis::Proposed, Broken)];
        let xml = junit(&Report { void: Some("no handshake".to_owned()), ..report(&checks) });
        assert!(xml.contains("no handshake") && !xml.contains("proposed.broken"), "{xml}");
    }
}
