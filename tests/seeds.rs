//! The same verdicts whatever the seed: the target is honest, and the peers differ lawfully.

use covenant::clock::Seed;
use covenant::score::Standing;
use covenant::suite::EmbeddedRun;

#[tokio::test(flavor = "multi_thread")]
async fn ten_seeds_give_the_same_verdicts_and_all_that_is_judged_is_kept() {
    for seed in 1..=10 {
        let run = EmbeddedRun { seed: Seed(seed), ..EmbeddedRun::default() };
        let report = run.judge().await.expect("a run");
        let not_kept: Vec<_> = report
            .score
            .faces
            .iter()
            .filter(|face| !face.checks.is_empty() && face.standing != Standing::Kept)
            .collect();
        assert!(not_kept.is_empty() && report.void.is_none(), "seed {seed}: {not_kept:?} {:?}", report.void);
    }
}
