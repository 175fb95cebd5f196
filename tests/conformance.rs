//! Runs the suite against the reference platform and reports each check as a test of the standard harness.

use covenant::check::Verdict;
use covenant::runner::Plan;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let report = runtime.block_on(Plan::default().run_to_report()).expect("a run");
    assert!(report.void.is_none(), "void run: {:?}", report.void);
    let trials = report.checks.into_iter().map(|evaluated| {
        let name = format!(
            "{} {} {}",
            evaluated.evaluation.check.clause,
            evaluated.evaluation.check.aspect,
            evaluated.evaluation.check.id
        );
        Trial::test(name, move || match evaluated.evaluation.result.verdict {
            // A check of what the reference does not have, such as a kind that takes no migration, does not apply.
            Verdict::Kept | Verdict::NotApplicable => Ok(()),
            other => Err(Failed::from(format!(
                "{other:?}: {}\n{}",
                evaluated.evaluation.result.actual, evaluated.replay
            ))),
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
