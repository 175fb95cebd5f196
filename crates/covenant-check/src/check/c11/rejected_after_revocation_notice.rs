//! `rejected-after-revocation-notice`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::general::Refused;
use crate::check::outcome::{OrUnproven, Outcome, Stop};
use crate::check::query::{CallQuery, calls, events};
use covenant_model::clock::read_moment;
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::kind;

/// Calls after the notice of a revocation, and after the date in it, are refused; their positive control was
/// accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RejectedAfterRevocationNotice {
    /// The peer that was revoked.
    pub peer: PeerName,
    /// The operation that revokes.
    pub revoke: Label,
    /// The calls that have to be refused.
    pub call: Label,
    /// The same calls before the revocation.
    pub control: Label,
    /// Another peer's calls at that time.
    pub probe: Label,
}

impl Check for RejectedAfterRevocationNotice {
    const ID: &'static str = "rejected-after-revocation-notice";
    const EXPECTED: &'static [&'static str] =
        &["the calls after the notice refused: 4xx, or their certificate refused"];
    const CONTROL: Option<&'static str> =
        Some("the same call was accepted before the revocation, and the call of another peer after it");

    // A tear-down may wait for its notice, and a notice may name a later time.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        trace.operation(&self.revoke).or_unproven("the target's operator did not revoke")?;
        let call = calls(trace).labelled(&self.call).first_or("no call was made after it")?;
        let mut sent = calls(trace).of(&self.peer).made_by_target().before(call.n());
        let notice = sent
            .find_map(|call| events(&call.exchange.request).find(|event| event["kind"] == kind::PEER_REVOKED))
            .or_unproven("the peer was not notified before its calls")?;
        let effective_at = notice["payload"]["effective_at"].as_str();
        let effective_at = effective_at.and_then(read_moment);
        if effective_at.is_some_and(|effective_at| effective_at > call.at()) {
            return Err(Stop::unproven("the notice names a later time", []));
        }
        let refused = Refused::of(self.call.clone(), self.control.clone(), self.probe.clone());
        refused.evaluate(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    #[test]
    fn a_call_that_is_served_after_the_notice_and_its_date_is_broken() {
        let verdict = |notice: Option<Value>, status: u16| {
            let call = |peer: &str, status: u16| Exchange::to_target(peer).answered(status);
            let mut builder = TraceBuilder::new().call("valid", call("alice", 200)).operation(
                "revoked",
                "peer.revoke",
                json!({}),
            );
            if let Some(payload) = notice {
                let event = json!({"kind": kind::PEER_REVOKED, "payload": payload});
                let heartbeat = Exchange::from_target("alice").sending(json!({"events": [event]}));
                builder = builder.call_from_target(heartbeat.answered(200));
            }
            builder
                .call("early", call("alice", status))
                .call("probe", call("bob", 200))
                .verdict::<RejectedAfterRevocationNotice>(json!({
                "peer": "alice", "revoke": "revoked", "call": "early", "control": "valid",
                "probe": "probe",
            }))
        };
        let at = |effective_at: &str| Some(json!({ "effective_at": effective_at }));
        assert_eq!(verdict(at("2026-06-01T00:00:00Z"), 401), Kept);
        assert_eq!(verdict(Some(json!({})), 200), Broken);
        assert_eq!(verdict(at("2026-06-02T00:00:00Z"), 200), Unproven);
        assert_eq!(verdict(None, 200), Unproven);
    }
}
