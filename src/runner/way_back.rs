//! Finds what shows the way back: that calls of the target reach the peers.

use serde_json::json;

use super::Run;
use crate::operator::network::Probe;
use crate::operator::platform::Describe;
use crate::operator::{Description, OperatorError, OperatorMethod, TargetRequest};
use crate::scenario::{load, play_scenario};
use crate::transcript::{Place, Trace, Transcript, WayBack};

/// The scenario of the probe, and its name.
const PROBE: &str = include_str!("../../audits/way-back.toml");
const PROBE_ID: &str = "way-back/probe";
/// The name of the lease in which the operator client is asked for its methods.
const OPERATOR_ID: &str = "way-back/operator";

/// Returns the strongest that shows the way back in a run: a call of the target that arrived in a stage, one
/// that a probe caused, the result of the probe, or the user's word.
pub(super) async fn find(run: &Run, stages: &[Trace], transcript: &Transcript) -> Option<WayBack> {
    let arrival = stages.iter().find_map(|trace| Some(place(trace, trace.arrival()?)));
    if let Some(place) = arrival {
        return Some(WayBack::Arrived(place));
    }
    let probed = probe(run, transcript).await;
    probed.as_ref().and_then(shown_by_probe).or_else(|| run.run_context.way_back.clone())
}

/// Plays the scenario of the probe; `None` if the operator client has no probe.
async fn probe(run: &Run, transcript: &Transcript) -> Option<Trace> {
    if !can_probe(run).await.unwrap_or(false) {
        return None;
    }
    let loaded = load(PROBE_ID, "way-back.toml", PROBE).ok()?;
    let (targets, seed) = (run.targets.as_ref(), run.start.seed);
    Some(play_scenario(&loaded, targets, transcript, seed, &run.run_context).await)
}

async fn can_probe(run: &Run) -> Result<bool, OperatorError> {
    let seed = run.start.seed;
    let request = TargetRequest { scenario: OPERATOR_ID, seed, alone: false, durable: false };
    let lease = run.targets.lease(request).await?;
    let described = lease.operator.call(Describe::METHOD, json!({})).await?;
    Ok(Description::read(&described)?.has(Probe::METHOD))
}

fn shown_by_probe(trace: &Trace) -> Option<WayBack> {
    let arrived = trace.arrival().map(|entry| WayBack::Arrived(place(trace, entry)));
    arrived.or_else(|| Some(WayBack::Probed(place(trace, trace.probe_that_reached()?))))
}

fn place(trace: &Trace, entry: u64) -> Place {
    Place { scenario: trace.scenario().to_owned(), entry }
}
