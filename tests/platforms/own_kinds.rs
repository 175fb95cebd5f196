//! A run against a platform that has kinds of its own and refuses all others: `describe` names them, and the run
//! keeps what it keeps with the suite's kinds.

use std::collections::BTreeMap;

use covenant::check::Verdict;
use covenant::reference::variant;
use covenant::report::Report;
use covenant::runner::{Plan, Target};

#[tokio::test(flavor = "multi_thread")]
async fn platform_with_kinds_of_its_own_keeps_what_it_keeps_with_those_of_the_suite() {
    let own_kinds = variant("has-kinds-of-its-own").expect("the variant");
    let default = verdicts(&run(Target::Embedded(vec![])).await);
    let own = verdicts(&run(Target::Embedded(vec![own_kinds])).await);
    let differing: Vec<_> = default.iter().filter(|(id, verdict)| own.get(*id) != Some(verdict)).collect();
    assert!(differing.is_empty() && default.len() == own.len(), "{differing:?}");
    assert!(default.values().any(|verdict| *verdict == Verdict::Kept));
}

async fn run(target: Target) -> Report {
    Plan { cases: 2, target, ..Plan::default() }.run_to_report().await.expect("a run")
}

/// Returns the verdict of each check.
fn verdicts(report: &Report) -> BTreeMap<String, Verdict> {
    let evaluations = report.checks.iter().map(|evaluated| &evaluated.evaluation);
    evaluations.map(|evaluation| (evaluation.check.id.clone(), evaluation.result.verdict)).collect()
}
