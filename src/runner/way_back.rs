//! Finds what shows the way back: that calls of the target reach the peers.

use std::time::Duration;

use super::{Run, SCENARIOS};
use crate::clock::Seed;
use crate::operator::network::Probe;
use crate::operator::{Description, OperatorMethod, Targets};
use crate::scenario::{RunContext, load, play_scenario};
use crate::transcript::{Outcome, Place, Trace, Transcript, WayBack};

/// The scenario of the probe, and its name.
const PROBE: &str = include_str!("../../audits/way-back.toml");
const PROBE_ID: &str = "way-back/probe";
/// The scenario that waits for the target's own probe of a silent peer, and its name.
const SILENT: &str = include_str!("../../audits/way-back-silent.toml");
const SILENT_ID: &str = "way-back/silent";
/// The stage in which the target has a reason to call a peer.
const CALLING: &str = "00-sanity/revoke";
/// The time after which a target that probes silent peers has done so: stale after five minutes, and a sweep each
/// minute (`wire.md` §9), with a minute to spare.
const SILENT_PROBE_MAX: Duration = Duration::from_mins(7);

/// Returns the strongest that shows the way back in a run: a call of the target that arrived in a stage, one
/// that a probe caused, the target's own probe of a silent peer, the result of the probe, or the user's word.
pub(super) async fn find(
    run: &Run,
    run_context: &RunContext,
    described: &Description,
    stages: &[Trace],
    transcript: &Transcript,
) -> Option<WayBack> {
    let arrival = stages.iter().find_map(|trace| Some(place(trace, trace.arrival()?)));
    if let Some(place) = arrival {
        return Some(WayBack::Arrived(place));
    }
    let probed = if described.has(Probe::METHOD) {
        play(run, run_context, transcript, (PROBE_ID, "way-back.toml", PROBE)).await
    } else {
        None
    };
    let shown = probed.as_ref().and_then(shown_by_probe);
    if matches!(shown, Some(WayBack::Arrived(_))) {
        return shown;
    }
    let silent =
        if described.settles_at_once { None } else { wait_for_probe(run, run_context, transcript).await };
    silent.or(shown).or_else(|| run_context.way_back.clone())
}

/// Outcome of a trial of the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayBackTrial {
    /// It is open, as this sentence says.
    Open(&'static str),
    /// The operator client looked, and its host does not reach a peer: what it says of that, if anything.
    Closed(Option<String>),
    /// No call of the target arrived, for this reason. That proves nothing.
    Unseen(String),
}

/// Tries the way back outside a run: lets the operator client probe it, and asks the target's operator to revoke a peer,
/// of which the target notifies the peer. Each peer of the trial is revoked.
pub async fn try_way_back(
    targets: &dyn Targets,
    run_context: &RunContext,
    described: &Description,
) -> WayBackTrial {
    let transcript = Transcript::in_memory();
    let play = async |(id, file, text): (&str, &str, &str)| {
        let loaded = load(id, file, text).ok()?;
        Some(play_scenario(&loaded, targets, &transcript, Seed(1), run_context).await)
    };
    let has_probe = described.has(Probe::METHOD);
    let probed = if has_probe { play((PROBE_ID, "way-back.toml", PROBE)).await } else { None };
    match probed.as_ref().and_then(shown_by_probe) {
        Some(WayBack::Arrived(_)) => {
            return WayBackTrial::Open("a connection from the platform's host arrived at a peer");
        }
        Some(_) => {
            return WayBackTrial::Open("the operator client reports that it reached a peer (network.probe)");
        }
        None => {}
    }
    let stage = SCENARIOS.iter().find(|(id, _)| *id == CALLING);
    let Some(called) = play(stage.map_or((CALLING, CALLING, ""), |(id, text)| (id, CALLING, text))).await
    else {
        return WayBackTrial::Unseen("the stage that asks for a call is not there".to_owned());
    };
    if called.arrival().is_some() {
        return WayBackTrial::Open("a call of the target arrived at a peer");
    }
    if let Some(trace) = probed.filter(|trace| trace.outcome() == Some(&Outcome::Completed)) {
        let mut results = trace.operations([Probe::METHOD]).filter_map(|(_, probe)| probe.result.as_ref());
        let detail = results.find_map(|result| result["detail"].as_str());
        return WayBackTrial::Closed(detail.map(ToOwned::to_owned));
    }
    WayBackTrial::Unseen(match called.outcome() {
        Some(Outcome::Aborted(fault)) => fault.to_string(),
        Some(Outcome::Unsupported { method }) => format!("the method {method} is missing"),
        _ => "the target notified no peer of its revocation".to_owned(),
    })
}

/// Lets a peer fall silent, and waits in real time for the target to call it. The user has to allow that much time.
async fn wait_for_probe(run: &Run, run_context: &RunContext, transcript: &Transcript) -> Option<WayBack> {
    if run_context.real_time.max_wait < SILENT_PROBE_MAX {
        return None;
    }
    let seconds = SILENT_PROBE_MAX.as_secs();
    run_context.real_time.announce(&format!(
        "{SILENT_ID} waits up to {seconds} s in real time: for a call of the target to a silent peer"
    ));
    let patient = RunContext { poll_timeout: SILENT_PROBE_MAX, ..run_context.clone() };
    let trace = play(run, &patient, transcript, (SILENT_ID, "way-back-silent.toml", SILENT)).await?;
    Some(WayBack::Arrived(place(&trace, trace.arrival()?)))
}

/// Plays a scenario: its id, the name of its file, and its text.
async fn play(
    run: &Run,
    run_context: &RunContext,
    transcript: &Transcript,
    (id, file, text): (&str, &str, &str),
) -> Option<Trace> {
    let loaded = load(id, file, text).ok()?;
    Some(play_scenario(&loaded, run.targets.as_ref(), transcript, run.start.seed, run_context).await)
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
    use crate::transcript::{Exchange, Recorder, What};
    use crate::wire::generation::CallerForm;

    /// Returns a run of the embedded platform, whose user states this.
    fn run(way_back: Option<WayBack>) -> Run {
        let run_context = RunContext { way_back, ..run_context(Ipv4Addr::LOCALHOST.into()) };
        let (_running, stop) = tokio::sync::watch::channel(false);
        Plan { run_context, ..Plan::default() }.prepare(PathBuf::new(), stop).expect("a run")
    }

    async fn found_in(run: &Run, described: &Description, stages: &[Trace]) -> Option<WayBack> {
        find(run, &run.run_context, described, stages, &Transcript::in_memory()).await
    }

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_call_in_a_stage_goes_before_a_probe() {
        let recorder = recorder();
        let arrived = recorder.record(None, None, What::Exchange(Exchange::from_target("a").answered(200)));
        let found = found_in(&run(None), &Description::default(), &[recorder.trace()]).await;
        assert_eq!(found, Some(WayBack::Arrived(Place { scenario: "x".to_owned(), entry: arrived })));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_that_arrives_goes_before_the_word_of_the_user() {
        let silent = [recorder().trace()];
        let verbs = vec![Probe::METHOD.name().to_owned()];
        let described = Description { verbs, ..Description::default() };
        let found = found_in(&run(Some(WayBack::Stated)), &described, &silent).await;
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
            assert_eq!(found_in(&run, &Description::default(), &[recorder().trace()]).await, stated);
        }
    }
}
