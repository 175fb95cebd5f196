//! `soft-finding-shown`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName, PeerOrJoin};
use crate::check::definition::Check;
use crate::check::general::FindingRaised;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{peer_id, peer_shown, scans};
use covenant_model::transcript::Trace;

/// The operator is shown what a peer withheld: in the findings, or in the peer's record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SoftFindingShown {
    /// The misbehaving peer, or the join that it answered.
    pub peer: PeerOrJoin,
    /// The scan before the misbehaviour.
    pub before: Label,
    /// The scan after it.
    pub after: Label,
    /// A peer that did nothing wrong.
    pub conforming: PeerName,
    /// The operator's snapshot of the misbehaving peer.
    pub snapshot: Label,
    /// The operator's snapshot of the conforming peer.
    pub conforming_snapshot: Label,
    /// A call that the target has to have accepted, so that there is something to notice.
    pub accepted: Option<Label>,
}

impl Check for SoftFindingShown {
    const ID: &'static str = "soft-finding-shown";
    const EXPECTED: &'static [&'static str] =
        &["a new finding about the peer, under any name, in the scan or in the peer's record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let raised = self.finding().evaluate(trace);
        if !matches!(raised, Err(Stop::Broken(_))) || self.has_findings_about_conforming(trace)? {
            return raised;
        }
        let snapshots = (peer_shown(trace, &self.snapshot), peer_shown(trace, &self.conforming_snapshot));
        let (Some((shown, peer)), Some((other, conforming))) = snapshots else { return raised };
        match listed_findings(peer) {
            Some(name) if listed_findings(conforming).is_none() => {
                Ok(Pass::new(format!("the peer's record shows it, under {name}"), [shown, other]))
            }
            _ => raised,
        }
    }
}

impl SoftFindingShown {
    /// Returns the check of the list of findings.
    fn finding(&self) -> FindingRaised {
        let scans = [&self.before, &self.after];
        let finding = FindingRaised::about(self.peer.clone(), scans, Some(&self.conforming));
        FindingRaised { accepted: self.accepted.clone(), ..finding }
    }

    /// Returns whether findings were raised about the conforming peer.
    fn has_findings_about_conforming(&self, trace: &Trace) -> Result<bool, Stop> {
        let (before, after) = scans(trace, &self.before, &self.after)?;
        let conforming = peer_id(trace, &self.conforming);
        Ok(conforming.is_some_and(|id| !after.new_about(&before, &id).is_empty()))
    }
}

/// Returns the member of a peer's record that lists the findings about the peer.
fn listed_findings(peer: &Value) -> Option<&str> {
    const WORDS: [&str; 6] = ["finding", "governance", "warning", "violation", "breach", "alert"];
    let lists = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
    let has_findings =
        |value: &Value| lists(value) || value.as_object().is_some_and(|members| members.values().any(lists));
    let mut members = peer.as_object()?.iter();
    let found =
        members.find(|(name, value)| WORDS.iter().any(|word| name.contains(word)) && has_findings(value));
    found.map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn a_finding_in_a_peers_record_is_shown_to_the_operator() {
        let evaluated = |findings: Value, record: Value, conforming: Value| {
            let accept = Exchange::to_target("alice")
                .on("POST", "accept")
                .sending(json!({"contract_version": 1}))
                .answered_with(200, json!({"data": {"peer_id": "1", "contract_version_agreed": 1}}));
            TraceBuilder::new()
                .call("accepted", accept)
                .operation("bob", "peer.join", json!({"peer_id": "2"}))
                .operation("before", "governance.scan", json!({"findings": []}))
                .operation("after", "governance.scan", json!({ "findings": findings }))
                .operation("alice-snapshot", "peer.show", json!({ "peer": record }))
                .operation("bob-snapshot", "peer.show", json!({ "peer": conforming }))
                .verdict::<SoftFindingShown>(json!({
                    "peer": "alice", "conforming": "bob", "before": "before", "after": "after",
                    "snapshot": "alice-snapshot", "conforming_snapshot": "bob-snapshot",
                }))
        };
        let noted = json!({"governance": {"peer_findings": ["no residency"]}});
        let clean = json!({"governance": {"peer_findings": []}});
        let finding = json!([{"kind": "residency", "federation_peer_id": "1"}]);
        assert_eq!(evaluated(finding, clean.clone(), clean.clone()), Kept);
        assert_eq!(evaluated(json!([]), noted.clone(), clean.clone()), Kept);
        assert_eq!(evaluated(json!([]), noted.clone(), noted), Broken);
        assert_eq!(evaluated(json!([]), clean.clone(), clean), Broken);
    }

    #[test]
    fn what_the_target_refuses_it_need_not_show() {
        let refused = |status: u16, findings: Value| {
            let accept = Exchange::to_target("mallory").on("POST", "accept").sending(json!({}));
            let beat =
                Exchange::to_target("mallory").on("POST", "heartbeat").sending(json!({"metadata": {}}));
            TraceBuilder::new()
                .call("accepted", accept.answered_with(200, json!({"data": {"peer_id": "1"}})))
                .operation("alice", "peer.join", json!({"peer_id": "2"}))
                .operation("before", "governance.scan", json!({"findings": []}))
                .call("blank", beat.answered(status))
                .operation("after", "governance.scan", json!({ "findings": findings }))
                .operation("shown", "peer.show", json!({"peer": {}}))
                .verdict::<SoftFindingShown>(json!({
                    "peer": "mallory", "conforming": "alice", "before": "before", "after": "after",
                    "snapshot": "shown", "conforming_snapshot": "shown", "accepted": "blank",
                }))
        };
        assert_eq!([refused(200, json!([])), refused(422, json!([]))], [Broken, Unproven]);
        let finding = json!([{"kind": "identity", "federation_peer_id": "1"}]);
        assert_eq!(refused(422, finding), Kept);
    }
}
