//! Runs with different seeds: the permitted choices of the peers differ, and the verdicts do not. `COVENANT_SEEDS`
//! is the number of seeds.

use covenant::clock::Seed;
use covenant::runner::Plan;
use covenant::score::Standing;

/// The number of seeds without `COVENANT_SEEDS`.
const SEEDS: u64 = 5;
/// The clause that no wire shows. Only a person can attest it.
const ATTESTED_CLAUSE: &str = "4.4";

#[tokio::test(flavor = "multi_thread")]
async fn conforming_reference_is_kept_under_every_seed() {
    let seeds = std::env::var("COVENANT_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number"));
    for seed in 1..=seeds {
        let run = Plan { seed: Seed(seed), cases: 2, ..Plan::default() };
        let report = run.run_to_report().await.expect("a run");
        let not_kept: Vec<_> = report
            .score
            .aspects
            .iter()
            .filter(|aspect| {
                aspect.standing != Standing::Kept && aspect.clause.to_string() != ATTESTED_CLAUSE
            })
            .collect();
        assert!(not_kept.is_empty() && report.void.is_none(), "seed {seed}: {not_kept:?} {:?}", report.void);
    }
}
