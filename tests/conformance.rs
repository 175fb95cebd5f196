//! The reference platform, judged: one test a check, under the harness that every Rust tool knows.

use covenant::check::Verdict;
use covenant::suite::Plan;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let report = runtime.block_on(Plan::default().judge()).expect("a run");
    assert!(report.void.is_none(), "the run is void: {:?}", report.void);
    let trials = report.checks.into_iter().map(|judged| {
        let name = format!(
            "{} {} {}",
            judged.outcome.check.clause, judged.outcome.check.face, judged.outcome.check.id
        );
        Trial::test(name, move || match judged.outcome.judgement.verdict {
            Verdict::Kept => Ok(()),
            other => Err(Failed::from(format!(
                "{other:?}: {}\n{}",
                judged.outcome.judgement.actual, judged.replay
            ))),
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
