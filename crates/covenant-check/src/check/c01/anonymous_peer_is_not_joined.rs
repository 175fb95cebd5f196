//! `anonymous-peer-is-not-joined`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reported_status::{ReportedStatus, each_is_known, none_is_admitted};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::labelled_calls;
use covenant_model::transcript::Trace;

/// As the joining side, the target enrols no peer whose answer does not disclose all members.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct AnonymousPeerIsNotJoined {
    /// The joins whose answers disclose too little.
    pub call: Labels,
    /// The `peer.list` after the joins.
    pub snapshot: Label,
    /// A join whose answer discloses all members.
    pub control: Label,
    /// The heartbeats of the peers of these joins, which disclose as little: an answer may name an admitted status, too.
    pub heartbeats: Option<Labels>,
}

impl Check for AnonymousPeerIsNotJoined {
    const ID: &'static str = "anonymous-peer-is-not-joined";
    const EXPECTED: &'static [&'static str] =
        &["the join refused, or its peer left short of enrolled; the one that disclosed all enrolled"];
    const CONTROL: Option<&'static str> =
        Some("the list of peers shows the peer of a join that disclosed all members as admitted");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let list = trace.operation(&self.snapshot).or_unproven("the peers were not listed")?;
        let (listed, _) = list;
        if let Some(label) = self.call.iter().find(|label| trace.operation(label).is_none()) {
            return Err(Stop::unproven(format!("the join {label:?} was not made"), [listed]));
        }
        let shown = self.call.iter().filter_map(|join| ReportedStatus::listed(trace, join, list));
        let beats = self.heartbeats.iter().flat_map(|labels| labelled_calls(trace, labels));
        let statuses: Vec<ReportedStatus<'_>> =
            shown.chain(beats.filter_map(|call| ReportedStatus::in_answer(&call))).collect();
        none_is_admitted(&statuses)?;
        each_is_known(&statuses)?;
        let control = ReportedStatus::listed(trace, &self.control, list);
        control
            .filter(|control| control.is_admitted() == Some(true))
            .or_unproven_at("a join whose answer disclosed all did not enrol either", &[listed])?;
        Ok(Pass::new(format!("{} disclosed too little", self.call.iter().count()), [listed]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, OperationFailure};
    use serde_json::{Value, json};

    #[test]
    fn a_peer_whose_answer_to_a_join_discloses_too_little_is_not_admitted() {
        let verdict_in = |anonymous: Option<&str>, complete: &str, is_bare: bool| {
            let row = |id: &str, status: Option<&str>| json!({"peer_id": id, "status": status});
            let builder = TraceBuilder::new().operation("complete", "x", json!({"peer_id": "w"}));
            let refused = || OperationFailure::Refused { code: -32000, message: "too little".to_owned() };
            let builder = if anonymous.is_some() {
                builder.operation("anonymous", "x", json!({"peer_id": "a"}))
            } else {
                builder.failed_operation("anonymous", "x", json!({}), refused())
            };
            let rows = json!([row("w", Some(complete)), row("a", anonymous)]);
            builder
                .operation("peers", "x", if is_bare { rows } else { json!({ "peers": rows }) })
                .verdict::<AnonymousPeerIsNotJoined>(
                json!({"call": "anonymous", "snapshot": "peers", "control": "complete"}),
            )
        };
        let verdict = |anonymous: Option<&str>, complete: &str| verdict_in(anonymous, complete, false);
        assert_eq!(verdict(Some("enrolled"), "enrolled"), Broken);
        assert_eq!(verdict_in(Some("enrolled"), "enrolled", true), Broken, "a list without the object");
        assert_eq!(verdict_in(Some("accepted"), "active", true), Kept);
        assert_eq!(verdict(Some("accepted"), "active"), Kept);
        assert_eq!(verdict(None, "enrolled"), Kept, "the join was refused");
        assert_eq!(verdict(None, "accepted"), Unproven);
        assert_eq!(verdict(Some("ENROLLED"), "enrolled"), Unproven, "no status of the wire");
        assert_eq!(verdict(Some("proposed"), "connected"), Unproven);
    }
    #[test]
    fn a_join_that_is_refused_and_leaves_an_admitted_peer_is_broken() {
        let verdict = |row: Value, status: u16, answered: Value| {
            let refused = OperationFailure::Refused { code: -32000, message: "too little".to_owned() };
            let at = |url: &str| json!({"base_url": url});
            let beat = Exchange::to_target("anonymous").on("POST", "heartbeat");
            let complete =
                json!({"peer_id": "w", "status": "enrolled", "remote_instance_url": "https://w:1"});
            TraceBuilder::new()
                .operation_with("complete", "peer.join", at("https://w:1"), json!({"peer_id": "w"}))
                .failed_operation("anonymous", "peer.join", at("https://a:1/"), refused)
                .call("beat", beat.answered_with(status, json!({ "data": answered })))
                .operation("peers", "peer.list", json!({"peers": [complete, row]}))
                .verdict::<AnonymousPeerIsNotJoined>(json!({
                    "call": "anonymous", "snapshot": "peers", "control": "complete", "heartbeats": "beat",
                }))
        };
        let row =
            |status: &str, url: &str| json!({"peer_id": "a", "status": status, "remote_instance_url": url});
        let none = || json!({});
        assert_eq!(verdict(row("enrolled", "https://a:1"), 401, none()), Broken);
        assert_eq!(verdict(row("accepted", "https://a:1"), 401, none()), Kept);
        assert_eq!(verdict(row("enrolled", "https://b:1"), 401, none()), Kept, "another peer");
        assert_eq!(verdict(row("accepted", "https://a:1"), 200, json!({"status": "active"})), Broken);
        assert_eq!(verdict(row("accepted", "https://a:1"), 200, json!({"status": "accepted"})), Kept);
        assert_eq!(verdict(row("accepted", "https://a:1"), 200, none()), Kept, "its answer names no status");
        assert_eq!(verdict(row("accepted", "https://a:1"), 200, json!({"status": "odd"})), Unproven);
    }
}
