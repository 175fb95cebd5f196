//! `compatible-versions-federate`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Stop};
use covenant_model::transcript::Trace;

/// Two platforms of compatible versions federate, and the peer's work is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CompatibleVersionsFederate {
    /// The accept, in which both sides report their versions.
    pub accept: Label,
    /// The peer's work: its sync and the like.
    pub call: Labels,
    /// The peer's heartbeats.
    pub probe: Label,
    /// The same work, or the accept, of a peer whose version is compatible with the target's.
    pub control: Option<Labels>,
}

impl Check for CompatibleVersionsFederate {
    const ID: &'static str = "compatible-versions-federate";
    const EXPECTED: &'static [&'static str] = &["every call accepted, the sync and the heartbeat too"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let controls = self.control.as_ref();
        let handshake = Handshake::of_call(trace, &self.accept, controls)?;
        if !handshake.is_compatible {
            return Err(handshake.unproven("are not compatible"));
        }
        if let Some(refusal) = &handshake.refusal {
            let actual = format!("{}: {refusal}", handshake.versions);
            return Err(Stop::broken(actual, [handshake.n]));
        }
        let labels: Vec<&str> = self.call.iter().chain([&*self.probe]).collect();
        handshake.all_served(trace, &labels, controls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, answer, routed, work};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    type Checked = CompatibleVersionsFederate;

    #[test]
    fn a_shortfall_that_a_peer_of_the_targets_release_has_too_proves_nothing() {
        let federated = || TraceBuilder::new().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
        let work = |builder: TraceBuilder| work::<Checked>(builder, "sync-alice");
        assert_eq!(work(federated().syncs("bob", 200, 1).syncs("alice", 200, 1)), Kept);
        assert_eq!(work(federated().syncs("bob", 200, 1).syncs("alice", 404, 0)), Broken);
        assert_eq!(work(federated().syncs("bob", 200, 1).syncs("alice", 200, 0)), Broken);
        for status in [408, 425, 429, 502, 503, 504] {
            let verdict = work(federated().syncs("bob", 200, 1).syncs("alice", status, 0));
            assert_eq!(verdict, Unproven, "{status}");
        }
        assert_eq!(work(federated().syncs("bob", 404, 0).syncs("alice", 404, 0)), Unproven);
        // The calls of a peer of another version than the target's say nothing.
        let far = TraceBuilder::new().accepts("alice", "1.3.0").accepts("bob", "1.1.0");
        assert_eq!(work(far.syncs("bob", 404, 0).syncs("alice", 404, 0)), Broken);
    }

    #[test]
    fn the_answer_to_a_batch_is_read_without_an_envelope() {
        let verdict = |answered: Value| {
            let batch = json!({"records": [{"id": "1"}]});
            let response = answer(200, &json!({}));
            let call = routed("alice", ("POST", "sync"), &batch, response).answered_with(200, answered);
            let federated = TraceBuilder::new().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
            work::<Checked>(federated.syncs("bob", 200, 1).call("sync-alice", call), "sync-alice")
        };
        assert_eq!(verdict(json!({"accepted": 1, "cursor": "1"})), Kept);
        assert_eq!(verdict(json!({"accepted": 0, "cursor": "0"})), Broken, "nothing was stored");
        assert_eq!(verdict(json!({"cursor": {"from": "0", "to": "1"}})), Kept);
        assert_eq!(verdict(json!({"ok": true})), Unproven);
    }

    #[test]
    fn a_peer_that_its_heartbeat_enrols_is_admitted() {
        let verdict = |status: &str| {
            let sent = json!({"platform_version": "1.3.0"});
            let data = |status: &str| json!({"platform_version": "1.4.0", "status": status});
            let accept = routed("alice", ("POST", "accept"), &sent, answer(200, &data("accepted")));
            let heartbeat = routed("alice", ("POST", "heartbeat"), &sent, answer(200, &data(status)));
            TraceBuilder::new()
                .call("accept-alice", accept)
                .call("heartbeat", heartbeat)
                .syncs("alice", 200, 1)
                .verdict::<Checked>(
                    json!({"accept": "accept-alice", "call": "sync-alice", "probe": "heartbeat"}),
                )
        };
        assert_eq!([verdict("active"), verdict("accepted")], [Kept, Unproven]);
    }

    #[test]
    fn a_migrated_record_that_only_this_peer_cannot_read_is_broken() {
        let verdict = |alice: bool, bob: bool| {
            let mut builder = TraceBuilder::new().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
            for (peer, exists) in [("bob", bob), ("alice", alice)] {
                builder = builder.migrates(peer, &format!("migrated-{peer}"), "7").reads(
                    peer,
                    &format!("read-{peer}"),
                    "7",
                    exists,
                );
            }
            work::<Checked>(builder, "read-alice")
        };
        assert_eq!(verdict(true, true), Kept);
        assert_eq!(verdict(false, true), Broken);
        assert_eq!(verdict(false, false), Unproven);
    }

    #[test]
    fn a_plan_that_fails_under_a_2xx_for_this_peer_alone_is_broken() {
        let plan = |builder: TraceBuilder, peer: &str, code: u16, status: &str| {
            let answer = answer(code, &json!({"migration_id": "m", "status": status}));
            builder.call(&format!("sync-{peer}"), routed(peer, ("POST", "migrations"), &json!({}), answer))
        };
        let verdict = |control: &str, code: u16, status: &str| {
            let federated = TraceBuilder::new().accepts("alice", "1.3.0").accepts("bob", "1.4.0");
            let builder = plan(plan(federated, "bob", 201, control), "alice", code, status);
            work::<Checked>(builder, "sync-alice")
        };
        assert_eq!(verdict("completed", 201, "completed"), Kept);
        assert_eq!(verdict("completed", 200, "failed"), Broken);
        assert_eq!(verdict("failed", 200, "failed"), Unproven);
        assert_eq!(verdict("completed", 202, "validating"), Unproven);
    }

    /// Returns the verdict on the accept of a peer of this version that gets this status.
    fn accepted(builder: TraceBuilder, version: &str, status: u16) -> Verdict {
        let sent = json!({ "platform_version": version });
        let accept = Exchange::to_target("alice").sending(sent).answered_with(status, json!({}));
        builder.call("second-accept", accept).served("heartbeat", 200).verdict::<Checked>(json!({
            "accept": "second-accept", "call": "second-accept", "probe": "heartbeat",
        }))
    }

    #[test]
    fn a_refusal_of_an_adjacent_version_is_broken() {
        let federated = || TraceBuilder::new().federated("1.4.7", "enrolled");
        assert_eq!(accepted(federated(), "1.3.9", 422), Broken);
        assert_eq!(accepted(federated(), "1.2.9", 422), Unproven);
        assert_eq!(accepted(TraceBuilder::new(), "1.3.9", 422), Unproven);
    }

    #[test]
    fn a_compatible_peer_that_is_not_enrolled_is_broken_if_the_control_was() {
        let accept = |label: &str, version: &str, (status, body): (u16, Value)| {
            Exchange::to_target(label)
                .on("POST", "accept")
                .sending(json!({"platform_version": version, "csr_pem": "x"}))
                .answered_with(status, body)
        };
        let data = |status: &str| json!({"data": {"platform_version": "1.4.0", "status": status}});
        let verdict = |control: &str, version: &str, answer: (u16, Value)| {
            TraceBuilder::new()
                .call("control", accept("control", "1.4.0", (200, data(control))))
                .call("accept", accept("accept", version, answer))
                .served("heartbeat", 200)
                .verdict::<Checked>(json!({
                    "accept": "accept", "call": "accept", "probe": "heartbeat", "control": "control",
                }))
        };
        assert_eq!(verdict("enrolled", "1.3.0", (200, data("enrolled"))), Kept);
        assert_eq!(verdict("enrolled", "1.3.0", (200, data("accepted"))), Broken);
        assert_eq!(verdict("enrolled", "1.3.0", (500, json!({"error": "oh"}))), Broken);
        for status in [204, 408, 425, 429, 503, 504] {
            let verdict = verdict("enrolled", "1.3.0", (status, json!({"error": "busy"})));
            assert_eq!(verdict, Unproven, "{status}: it was put off");
        }
        assert_eq!(verdict("enrolled", "1.2.0", (500, json!({"error": "oh"}))), Unproven);
        assert_eq!(verdict("accepted", "1.3.0", (200, data("accepted"))), Unproven);
    }
}
