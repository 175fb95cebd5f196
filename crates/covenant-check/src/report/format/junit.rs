//! The report for a CI server: JUnit XML, one suite per commitment, one test case per check.

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use crate::check::Verdict;
use crate::report::escape::xml;
use crate::report::{EvaluatedCheck, Report};
use covenant_model::contract::Section;

/// Returns the report as JUnit XML. Broken is a failure. Unproven is skipped, with its reason. In a void run
/// every case is an error.
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
        suite.add_test_cases(checks.into_iter().map(|check| case(report, check)));
        document.add_test_suite(suite);
    }
    document.to_string().unwrap_or_else(|error| format!("<!-- {} -->", xml(&error.to_string())))
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
        (Some(void), _) => failure(NonSuccessKind::Error, &format!("the run is void: {void}"), &reported),
        (None, Verdict::Broken) => failure(NonSuccessKind::Failure, &result.actual, &reported),
        (None, Verdict::Unproven) => skipped(&format!("unproven: {}", result.actual)),
        (None, Verdict::NotApplicable) => skipped(&format!("not applicable: {}", result.actual)),
        (None, Verdict::Kept) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(xml(&format!("{} {} ({})", check.clause, check.aspect, check.id)), status);
    case.set_classname(xml(&check.scenario));
    case
}

fn failure(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(xml(message)).set_description(description);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(message));
    status
}
