//! Finds what shows the way back: that calls of the target reach the peers.

use super::Run;
use crate::operator::network::Probe;
use crate::operator::{Description, OperatorMethod};
use crate::scenario::{load, play_scenario};
use crate::transcript::{Place, Trace, Transcript, WayBack};

/// The scenario of the probe, and its name.
const PROBE: &str = include_str!("../../audits/way-back.toml");
const PROBE_ID: &str = "way-back/probe";

/// Returns the strongest that shows the way back in a run: a call of the target that arrived in a stage, one
/// that a probe caused, the result of the probe, or the user's word.
pub(super) async fn find(
    run: &Run,
    described: Option<&Description>,
    stages: &[Trace],
    transcript: &Transcript,
) -> Option<WayBack> {
    let arrival = stages.iter().find_map(|trace| Some(place(trace, trace.arrival()?)));
    if let Some(place) = arrival {
        return Some(WayBack::Arrived(place));
    }
    let can_probe = described.is_some_and(|described| described.has(Probe::METHOD));
    let probed = if can_probe { probe(run, transcript).await } else { None };
    probed.as_ref().and_then(shown_by_probe).or_else(|| run.run_context.way_back.clone())
}

/// Plays the scenario of the probe.
async fn probe(run: &Run, transcript: &Transcript) -> Option<Trace> {
    let loaded = load(PROBE_ID, "way-back.toml", PROBE).ok()?;
    let (targets, seed) = (run.targets.as_ref(), run.start.seed);
    Some(play_scenario(&loaded, targets, transcript, seed, &run.run_context).await)
}

fn shown_by_probe(trace: &Trace) -> Option<WayBack> {
    let arrived = trace.arrival().map(|entry| WayBack::Arrived(place(trace, entry)));
    arrived.or_else(|| Some(WayBack::Probed(place(trace, trace.probe_that_reached()?))))
}

fn place(trace: &Trace, entry: u64) -> Place {
    Place { scenario: trace.scenario().to_owned(), entry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::clock::Clock;
    use crate::operator::{Address, AuditClient};
    use crate::runner::{Plan, run_context};
    use crate::scenario::RunContext;
    use crate::transcript::{Exchange, Recorder, What};
    use crate::wire::generation::CallerForm;

    /// Returns a run of the embedded platform, whose user states this.
    fn run(way_back: Option<WayBack>) -> Run {
        let run_context = RunContext { way_back, ..run_context(Ipv4Addr::LOCALHOST.into()) };
        let (_running, stop) = tokio::sync::watch::channel(false);
        Plan { run_context, ..Plan::default() }.prepare(PathBuf::new(), stop).expect("a run")
    }

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_call_in_a_stage_goes_before_a_probe() {
        let recorder = recorder();
        let arrived = recorder.record(None, None, What::Exchange(Exchange::from_target("a").answered(200)));
        let found = find(&run(None), None, &[recorder.trace()], &Transcript::in_memory()).await;
        assert_eq!(found, Some(WayBack::Arrived(Place { scenario: "x".to_owned(), entry: arrived })));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_that_arrives_goes_before_the_word_of_the_user() {
        let silent = [recorder().trace()];
        let verbs = vec![Probe::METHOD.name().to_owned()];
        let described = Description { verbs, ..Description::default() };
        let found =
            find(&run(Some(WayBack::Stated)), Some(&described), &silent, &Transcript::in_memory()).await;
        let Some(WayBack::Arrived(place)) = found else { panic!("{found:?}") };
        assert_eq!(place.scenario, PROBE_ID);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_probe_the_word_of_the_user_counts() {
        let base_url = "https://platform.example".parse().expect("a URL");
        let address = Address { base_url, ca_bundle_pem: None, caller: CallerForm::Tls };
        for stated in [None, Some(WayBack::Stated)] {
            let targets = Arc::new(AuditClient::new(address.clone(), "token".to_owned()));
            let run = Run { targets, ..run(stated.clone()) };
            assert_eq!(find(&run, None, &[recorder().trace()], &Transcript::in_memory()).await, stated);
        }
    }
}
