//! A recorded release of the embedded reference, what holds patched ones to it, and releases among simulated neighbours.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use covenant::clock::Seed;
use covenant::contract::{HeldText, TextSource, V1_2026_05};
use covenant::gate::{
    Choice, Comparison, Hold, Part, Recording, SEED, Simulation, Verdict, hold, record, simulate,
};
use covenant::reference::{Patch, ReleaseChange, defect};
use covenant::runner::{NoObserver, Plan, Target};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;

/// The number of releases that are played side by side.
const SIDE_BY_SIDE: usize = 4;
/// The number of those that are simulated side by side: each of them plays its scenarios side by side too.
const SIMULATED_SIDE_BY_SIDE: usize = 2;

pub(crate) fn plan(patches: Vec<&'static Patch>) -> Plan {
    let mut plan = Plan { target: Target::Embedded(patches), ..Plan::default() };
    // The reference settles at once: what is not there by now never comes.
    plan.contract = Some(HeldText::known(&V1_2026_05, TextSource::User));
    plan.run_context.poll_timeout = Duration::from_secs(1);
    plan
}

/// Returns the recording of the conforming reference, which is played once.
pub(crate) async fn recording() -> Arc<Recording> {
    static RECORDING: OnceCell<Arc<Recording>> = OnceCell::const_new();
    let recorded = || async {
        let plan = plan(vec![]);
        let recording = record(&plan, None, &Part::Whole, Arc::new(NoObserver)).await;
        Arc::new(recording.expect("a recording"))
    };
    RECORDING.get_or_init(recorded).await.clone()
}

/// Holds a patched release to the recording, in these scenarios and in what is played before them.
pub(crate) async fn compared(
    recording: &Recording,
    patches: Vec<&'static Patch>,
    seed: u64,
    only: &[&str],
) -> Comparison {
    let part = match only {
        [] => Part::Whole,
        only => Part::Only(only.iter().map(|id| (*id).to_owned()).collect()),
    };
    let asked = Hold { part, ..Hold::default() };
    hold(&plan(patches), recording, Seed(seed), &asked, Arc::new(NoObserver)).await.expect("a comparison")
}

fn rules(comparison: &Comparison) -> BTreeSet<&'static str> {
    comparison.breaking.iter().map(|found| found.rule.id).collect()
}

/// Plays changes of the reference. Returns how many of them are breaking, and how many additions. Each breaking one is
/// found by its rule, no addition is called breaking, or the test fails.
pub(crate) async fn each_is_found(changes: impl Iterator<Item = &'static ReleaseChange>) -> (usize, usize) {
    let recording = recording().await;
    let mut playing = JoinSet::new();
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    for change in changes {
        let (recording, places) = (recording.clone(), places.clone());
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (change, compared(&recording, vec![&change.patch], 1, &[change.scenario]).await)
        });
    }
    let (mut breaking, mut additions) = (0, 0);
    let mut wrong = vec![];
    while let Some(played) = playing.join_next().await {
        let (change, comparison) = played.expect("it is played");
        let found = rules(&comparison);
        let is_right = if let Some(rule) = change.breaks {
            breaking += 1;
            let expected: BTreeSet<_> = change.entails.iter().copied().chain([rule]).collect();
            comparison.verdict == Verdict::Breaking && found.contains(rule) && found.is_subset(&expected)
        } else {
            additions += 1;
            comparison.verdict == Verdict::Compatible
        };
        if !is_right {
            wrong.push((change.patch.name, change.breaks, found, comparison.verdict));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    (breaking, additions)
}

/// Returns a release among simulated neighbours.
pub(crate) async fn simulated(name: Option<&str>) -> Simulation {
    let patches = name.map(|name| defect(name).expect(name)).into_iter().collect();
    let simulated = simulate(&plan(patches), SEED, None, &Choice::default(), Arc::new(NoObserver)).await;
    simulated.expect("a simulation")
}

/// Simulates the neighbours of releases, each with its verdict. What breaks is of 10.1.
pub(crate) async fn each_has_its_verdict(releases: impl Iterator<Item = (&'static str, Verdict)>) {
    let mut playing = JoinSet::new();
    let places = Arc::new(Semaphore::new(SIMULATED_SIDE_BY_SIDE));
    for (name, verdict) in releases {
        let places = places.clone();
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (name, verdict, Box::pin(simulated(Some(name))).await)
        });
    }
    while let Some(played) = playing.join_next().await {
        let (name, verdict, simulation) = played.expect("it is played");
        assert_eq!(simulation.verdict, verdict, "{name}: {:#?}", simulation.breaking);
        assert!(simulation.breaking.iter().all(|found| found.clause == Some("10.1")), "{name}");
    }
}
