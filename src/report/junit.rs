//! The report for a CI server: JUnit XML, one suite a commitment, one test case a check.

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::escape::xml;
use super::{JudgedCheck, Report};
use crate::check::Verdict;
use crate::contract::Section;

/// The report as JUnit XML. Broken is a failure, unproven is skipped with its reason; where the run
/// is void every case is an error.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut document = Xml::new("covenant");
    for section in Section::all() {
        let checks: Vec<&JudgedCheck> =
            report.checks.iter().filter(|check| check.outcome.check.clause.section == section).collect();
        if checks.is_empty() {
            continue;
        }
        let mut suite = TestSuite::new(format!("{section} {}", section.title()));
        suite.add_test_cases(checks.into_iter().map(|check| case(report, check)));
        document.add_test_suite(suite);
    }
    document.to_string().unwrap_or_else(|error| format!("<!-- {} -->", xml(&error.to_string())))
}

fn case(report: &Report, judged: &JudgedCheck) -> TestCase {
    let check = &judged.outcome.check;
    let judgement = &judged.outcome.judgement;
    let told = xml(&format!(
        "{}\nexpected: {}\nactual: {}\nevidence: {} {:?}\nbasis: {}\nreplay: {}",
        check.requirement,
        judgement.expected.join("; or "),
        judgement.actual,
        check.scenario,
        judgement.evidence,
        check.basis,
        judged.replay,
    ));
    let status = match (&report.void, judgement.verdict) {
        (Some(void), _) => failure(NonSuccessKind::Error, &format!("the run is void: {void}"), &told),
        (None, Verdict::Broken) => failure(NonSuccessKind::Failure, &judgement.actual, &told),
        (None, Verdict::Unproven) => skipped(&format!("unproven: {}", judgement.actual)),
        (None, Verdict::NotApplicable) => skipped("not applicable"),
        (None, Verdict::Kept) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(xml(&format!("{} {} ({})", check.clause, check.face, check.id)), status);
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
