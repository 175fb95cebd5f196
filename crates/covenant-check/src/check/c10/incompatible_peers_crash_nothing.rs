//! `incompatible-peers-crash-nothing`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use super::service::is_like;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_accepted};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::Trace;

/// The work of a peer whose version is not compatible is answered, refused or served, and the peer's heartbeats
/// are accepted as long as the target serves it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct IncompatiblePeersCrashNothing {
    /// The accept or the heartbeat in which both sides report their versions.
    pub accept: Label,
    /// The peer's work: a read, a migration.
    pub call: Labels,
    /// The peer's heartbeats, before and after the work.
    pub probe: Label,
    /// The same work and the heartbeats of a peer whose version is compatible with the target's.
    pub control: Labels,
}

impl Check for IncompatiblePeersCrashNothing {
    const ID: &'static str = "incompatible-peers-crash-nothing";
    const EXPECTED: &'static [&'static str] =
        &["an answer to each call, refused or served, and the heartbeats accepted where it is served"];
    const CONTROL: Option<&'static str> =
        Some("the same calls of a peer of a compatible version were accepted");
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let handshake = Handshake::of_incompatible(trace, &self.accept, Some(&self.control))?;
        let controls: Vec<Call<'_>> = handshake.compatible_controls(trace, Some(&self.control)).collect();
        if let Some(control) = controls.iter().find(|control| !is_accepted(control.exchange)) {
            let actual = format!("a conforming peer has the same result: {}", control.summary());
            return Err(Stop::unproven(actual, [handshake.n, control.n()]));
        }
        let work: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        let probes: Vec<Call<'_>> = calls(trace).labelled(&self.probe).collect();
        let has_control =
            |call: &&Call<'_>| controls.iter().any(|control| is_like(control.exchange, call.exchange));
        if work.is_empty() || probes.is_empty() || !work.iter().chain(&probes).all(|call| has_control(&call))
        {
            return Err(handshake.unproven("were not put to work"));
        }
        let versions = &handshake.versions;
        if let Some(crash) = work.iter().chain(&probes).find(|call| has_crashed(call)) {
            let actual = format!("{versions}: {}", crash.summary());
            return Err(Stop::broken(actual, [handshake.n, crash.n()]));
        }
        let is_open = |call: &&Call<'_>| call_outcome(call.exchange) == CallOutcome::Open;
        if let Some(call) = work.iter().chain(&probes).find(is_open) {
            let actual = format!("{versions}: {}", call.summary());
            return Err(Stop::unproven(actual, [handshake.n, call.n()]));
        }
        let served = work.iter().find(|call| is_accepted(call.exchange));
        let stopped = probes.iter().find(|probe| !is_accepted(probe.exchange));
        let evidence = || std::iter::once(handshake.n).chain(work.iter().chain(&probes).map(Call::n));
        match (served, stopped) {
            (Some(_), Some(stopped)) => {
                let actual = format!("{versions}: the peer is served, and {}", stopped.summary());
                Err(Stop::broken(actual, evidence()))
            }
            (Some(_), None) => {
                Ok(Pass::new(format!("{versions}: served, and the heartbeat goes on"), evidence()))
            }
            (None, _) => Ok(Pass::new(format!("{versions}: refused, and nothing crashed"), evidence())),
        }
    }
}

/// Returns whether the target failed at a call: an answer 5xx that neither puts the call off, nor says that it is not
/// implemented, nor comes from a gateway.
fn has_crashed(call: &Call<'_>) -> bool {
    const OPEN: [u16; 5] = [501, 502, 503, 504, 505];
    call.exchange.status().is_some_and(|status| status >= 500 && !OPEN.contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, answer, routed};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    /// Returns the verdict if the read and the heartbeat of a peer of this version get these statuses, and those
    /// of a compatible peer `control`.
    fn worked(version: &str, read: u16, heartbeat: u16, control: u16) -> Verdict {
        let call = |peer: &str, route: (&str, &str), status: u16| {
            routed(peer, route, &json!({}), answer(status, &json!({"exists": true})))
        };
        let (get, beat) = (("GET", "resources/skill/a"), ("POST", "heartbeat"));
        TraceBuilder::new()
            .accepts("bob", "1.4.0")
            .call("read-bob", call("bob", get, control))
            .call("beat-bob", call("bob", beat, 200))
            .accepts("alice", version)
            .call("read", call("alice", get, read))
            .call("beat", call("alice", beat, heartbeat))
            .verdict::<IncompatiblePeersCrashNothing>(json!({
                "accept": "accept-alice", "call": "read", "probe": "beat", "control": ["read-bob", "beat-bob"],
            }))
    }

    #[test]
    fn served_refused_and_frozen_conform_and_a_crash_does_not() {
        assert_eq!(worked("1.6.0", 200, 200, 200), Kept);
        assert_eq!(worked("1.6.0", 422, 200, 200), Kept);
        assert_eq!(worked("1.6.0", 401, 401, 200), Kept);
        assert_eq!(worked("1.6.0", 500, 200, 200), Broken);
        assert_eq!(worked("1.6.0", 422, 500, 200), Broken);
        assert_eq!(worked("1.6.0", 200, 422, 200), Broken, "served without a heartbeat");
        for open in [408, 425, 429, 501, 502, 503, 504, 505] {
            assert_eq!(worked("1.6.0", open, 200, 200), Unproven, "{open}");
            assert_eq!(worked("1.6.0", 200, open, 200), Unproven, "{open}");
        }
        assert_eq!(worked("1.6.0", 500, 200, 500), Unproven, "so does the compatible peer");
        assert_eq!(worked("1.5.0", 500, 200, 200), Unproven, "the versions are compatible");
    }
}
