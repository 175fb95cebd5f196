//! `grant-revocation-announced`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::announcement::{announces_revocation, unknown_announcement};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, silence, succeeded_operation, unless_lost_by_move};
use covenant_model::operator::{OperatorMethod, grant};
use covenant_model::transcript::Trace;

/// The target announces to the holder of a grant that the grant was revoked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct GrantRevocationAnnounced {
    /// The peer that holds the grant.
    pub peer: PeerName,
    /// The `grant.revoke` of the operator.
    pub revoke: Label,
    /// The heartbeat by which the peer named another address. With it a breach is unproven unless a call of the target arrived
    /// there between this heartbeat and the revocation.
    pub moved: Option<Label>,
}

impl Check for GrantRevocationAnnounced {
    const ID: &'static str = "grant-revocation-announced";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] = &["platform.grant.revoked with the grant's id"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const NONE: &str = "no grant was revoked";
        let (revoked, revocation) = succeeded_operation(trace, &self.revoke, NONE)?;
        let grant_id = revocation.parameters["grant_id"].as_str().or_unproven(NONE)?;
        // The order of the notice and the first refusal is open: the contract asks for a notice beside the
        // revocation, and a notice takes time.
        let mut sent = calls(trace).of(&self.peer).made_by_target();
        if let Some(call) = sent.find(|call| announces_revocation(call.exchange, Some(grant_id))) {
            return Ok(Pass::new("it was announced", [revoked, call.n()]));
        }
        // The form of the notice is that of the binding, so only silence is a breach of the contract.
        let others: Vec<&str> = trace
            .operations([grant::Revoke::METHOD])
            .filter_map(|(_, revocation)| revocation.parameters["grant_id"].as_str())
            .filter(|id| *id != grant_id)
            .collect();
        if let Some(call) = unknown_announcement(calls(trace).of(&self.peer), &others) {
            let actual = "the peer was notified of a revocation in another form";
            return Err(Stop::unproven(actual, [revoked, call]));
        }
        let silent = Err(silence(trace, &self.peer, "no notice of any form", [revoked]));
        unless_lost_by_move(silent, trace, &self.peer, self.moved.as_ref(), &self.revoke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange, What};
    use covenant_model::wire::notice::kind;
    use serde_json::{Value, json};

    /// Returns the verdict on a target that sends this after the revocation.
    fn verdict(sent: Option<Value>) -> Verdict {
        let call = |direction: Direction, body: Value, status: u16| {
            What::Exchange(Exchange::made("alice", direction).sending(body).answered(status))
        };
        let mut builder = TraceBuilder::new()
            .unlabelled(call(Direction::FromTarget, json!({}), 200))
            .operation_with("revoked", "grant.revoke", json!({"grant_id": "g"}), json!({}))
            .unlabelled(call(Direction::ToTarget, json!({}), 401));
        if let Some(body) = sent {
            builder = builder.unlabelled(call(Direction::FromTarget, body, 200));
        }
        builder.verdict::<GrantRevocationAnnounced>(json!({"peer": "alice", "revoke": "revoked"}))
    }

    #[test]
    fn a_notice_that_is_never_sent_is_broken() {
        assert!(GrantRevocationAnnounced::EXPECTED[0].contains(kind::GRANT_REVOKED));
        let notice =
            |id: &str| json!({"events": [{"kind": kind::GRANT_REVOKED, "payload": {"grant_id": id}}]});
        assert_eq!(verdict(Some(notice("g"))), Kept);
        assert_eq!(verdict(None), Broken);
        assert_eq!(verdict(Some(json!({"status": "active"}))), Broken);
        assert_eq!(verdict(Some(json!({"note": "your grant g was revoked"}))), Unproven);
        assert_eq!(verdict(Some(json!({"events": [{"kind": "platform.grants.ended"}]}))), Unproven);
    }

    #[test]
    fn a_notice_in_the_answer_to_a_heartbeat_is_no_silence() {
        let answered = |route: &str, data: Value| {
            let call = Exchange::to_target("alice").on("POST", route);
            TraceBuilder::new()
                .call_from_target(Exchange::from_target("alice").on("POST", "heartbeat").answered(200))
                .operation_with("revoked", "grant.revoke", json!({"grant_id": "g"}), json!({}))
                .call("later", call.answered_with(200, json!({ "data": data })))
                .verdict::<GrantRevocationAnnounced>(json!({"peer": "alice", "revoke": "revoked"}))
        };
        let notice = || json!({"notices": [{"kind": "grants_withdrawn"}]});
        assert_eq!(answered("heartbeat", notice()), Unproven);
        assert_eq!(answered("heartbeat", json!({"status": "active"})), Broken);
        assert_eq!(answered("sync", notice()), Broken, "no place for a notice");
    }

    #[test]
    fn a_notice_of_another_grant_is_none_of_this_one() {
        let verdict = |sent: Value| {
            let revoke = |id: &str| json!({"grant_id": id});
            TraceBuilder::new()
                .operation_with("first", "grant.revoke", revoke("f"), json!({}))
                .operation_with("revoked", "grant.revoke", revoke("g"), json!({}))
                .unlabelled(What::Exchange(
                    Exchange::made("alice", Direction::FromTarget).sending(sent).answered(200),
                ))
                .verdict::<GrantRevocationAnnounced>(json!({"peer": "alice", "revoke": "revoked"}))
        };
        let event = |id: &str| json!({"kind": kind::GRANT_REVOKED, "payload": {"grant_id": id}});
        assert_eq!(verdict(json!({"events": [event("f")]})), Broken);
        assert_eq!(verdict(json!({"events": [event("f"), event("g")]})), Kept);
        assert_eq!(verdict(json!({"events": [event("f")], "note": "a grant is revoked"})), Unproven);
        assert_eq!(verdict(json!({"events": [event("unknown")]})), Unproven);
    }
}
