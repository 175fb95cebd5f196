//! The same verdicts whatever the seed: the target is conforming, and the peers differ validly.

use covenant::clock::Seed;
use covenant::score::Standing;
use covenant::suite::Plan;

/// No wire shows this one.
const BY_WORD_ONLY: &str = "4.4";

#[tokio::test(flavor = "multi_thread")]
async fn twenty_seeds_give_the_same_verdicts_and_all_that_is_evaluated_is_kept() {
    for seed in 1..=20 {
        let run = Plan { seed: Seed(seed), cases: 2, ..Plan::default() };
        let report = run.run_to_report().await.expect("a run");
        let not_kept: Vec<_> = report
            .score
            .aspects
            .iter()
            .filter(|aspect| aspect.standing != Standing::Kept && aspect.clause.to_string() != BY_WORD_ONLY)
            .collect();
        assert!(not_kept.is_empty() && report.void.is_none(), "seed {seed}: {not_kept:?} {:?}", report.void);
    }
}
