//! `anonymous-peer-is-not-enrolled`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reported_status::{ReportedStatus, each_is_known, none_is_admitted};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::enforcement::is_suspended_status;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, labelled_calls, status_shown};
use covenant_model::transcript::Trace;

/// A peer that does not disclose all members never reaches `enrolled`, and a peer that discloses all members
/// does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct AnonymousPeerIsNotEnrolled {
    /// The accepts and heartbeats that disclose too little.
    pub call: Labels,
    /// The `peer.show` of each peer that made them.
    pub snapshot: Labels,
    /// The `peer.show` of a peer that discloses all members.
    pub control: Label,
    /// The snapshot of such a peer while it was suspended. With it the check is not kept unless the snapshot shows that, and not
    /// broken unless the target had accepted a call of the peer: what a review makes of a mere proposal is open.
    pub suspended: Option<Label>,
}

impl Check for AnonymousPeerIsNotEnrolled {
    const ID: &'static str = "anonymous-peer-is-not-enrolled";
    const EXPECTED: &'static [&'static str] =
        &["refused, or left at `accepted`; never `enrolled` or `active`"];
    const CONTROL: Option<&'static str> =
        Some("the record of a peer that disclosed all members shows it as admitted");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        if self.suspended.is_some() {
            let mut accepted = labelled_calls(trace, &self.call).accepted();
            accepted.next().or_unproven("the target accepted no call of the peer: it is a proposal alone")?;
        }
        let answered = labelled_calls(trace, &self.call).filter_map(|call| ReportedStatus::in_answer(&call));
        let shown: Vec<ReportedStatus<'_>> =
            self.snapshot.iter().filter_map(|label| ReportedStatus::shown(trace, label)).collect();
        let shown_count = shown.len();
        let statuses: Vec<ReportedStatus<'_>> = answered.chain(shown).collect();
        none_is_admitted(&statuses)?;
        if let Some(lost) = labelled_calls(trace, &self.call).find(|call| call.exchange.was_put_off()) {
            return Err(Stop::unproven(format!("a call was put off: {}", lost.summary()), [lost.n()]));
        }
        if shown_count < self.snapshot.iter().count() {
            return Err(Stop::unproven("not each of the peers was shown", []));
        }
        each_is_known(&statuses)?;
        let control = ReportedStatus::shown(trace, &self.control);
        let control = control
            .filter(|control| control.is_admitted() == Some(true))
            .or_unproven("a peer with a complete disclosure was not admitted either")?;
        if let Some(label) = &self.suspended {
            let (n, status) = status_shown(trace, label).or_unproven("the peer was not shown")?;
            if is_suspended_status(status) != Some(true) {
                return Err(Stop::unproven(format!("it is {status} after peer.suspend"), [n]));
            }
        }
        let evidence = [control.n].into_iter().chain(statuses.iter().map(|status| status.n));
        Ok(Pass::new(format!("{shown_count} disclosures were too little"), evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    /// Returns the verdict on a target that answers an accept that discloses too little with this status, and
    /// shows these statuses of that peer and of a complete one.
    fn verdict(answered: &Value, shown: &Value, complete: &Value) -> Verdict {
        verdict_with(200, answered, shown, complete)
    }

    /// Returns the same, where the answer has this status.
    fn verdict_with(status: u16, answered: &Value, shown: &Value, complete: &Value) -> Verdict {
        let heartbeat = Exchange::to_target("partial")
            .on("POST", "heartbeat")
            .sending(json!({}))
            .answered_with(status, json!({"data": {"status": answered}}));
        TraceBuilder::new()
            .call("beat", heartbeat)
            .operation("shown", "peer.show", json!({"peer": {"status": shown}}))
            .operation("shown-complete", "peer.show", json!({"peer": {"status": complete}}))
            .verdict::<AnonymousPeerIsNotEnrolled>(
                json!({"call": "beat", "snapshot": "shown", "control": "shown-complete"}),
            )
    }

    #[test]
    fn an_incomplete_disclosure_is_not_admitted_and_a_complete_one_is() {
        let (accepted, active) = (&json!("accepted"), &json!("active"));
        assert_eq!(verdict(accepted, accepted, active), Kept);
        assert_eq!(verdict(&Value::Null, accepted, active), Kept, "an answer may omit the status");
        assert_eq!(verdict(active, accepted, active), Broken);
        assert_eq!(verdict(accepted, &json!("enrolled"), accepted), Broken);
        assert_eq!(verdict(accepted, accepted, accepted), Unproven, "nobody is admitted");
        assert_eq!(verdict_with(422, &Value::Null, accepted, active), Kept, "it was refused");
        for status in [408, 429, 503] {
            assert_eq!(
                verdict_with(status, &Value::Null, accepted, active),
                Unproven,
                "{status}: it was put off"
            );
        }
        for word in [&json!("ENROLLED"), &json!("connected"), &json!(7), &Value::Null] {
            assert_eq!(verdict(accepted, word, active), Unproven, "{word}");
            assert_eq!(verdict(accepted, accepted, word), Unproven, "{word}");
        }
        assert_eq!(verdict(&json!("connected"), accepted, active), Unproven);
    }

    #[test]
    fn a_review_shows_nothing_unless_the_peer_was_suspended() {
        let verdict_of = |accept: u16, suspended: &str, resumed: &str| {
            let show = |status: &str| json!({"peer": {"status": status}});
            let heartbeat = Exchange::to_target("partial").on("POST", "heartbeat").answered(401);
            TraceBuilder::new()
                .operation("shown-complete", "peer.show", show("active"))
                .call("beat", Exchange::to_target("partial").on("POST", "accept").answered(accept))
                .operation("suspended", "peer.show", show(suspended))
                .call("beat", heartbeat)
                .operation("shown", "peer.show", show(resumed))
                .verdict::<AnonymousPeerIsNotEnrolled>(json!({
                    "call": "beat", "snapshot": "shown", "control": "shown-complete", "suspended": "suspended",
                }))
        };
        let verdict = |suspended: &str, resumed: &str| verdict_of(200, suspended, resumed);
        assert_eq!((verdict("suspended", "accepted"), verdict("suspended", "active")), (Kept, Broken));
        assert_eq!(verdict_of(422, "proposed", "proposed"), Unproven, "it was not accepted");
        assert_eq!(verdict_of(422, "suspended", "enrolled"), Unproven, "a proposal alone");
        assert_eq!(verdict("accepted", "accepted"), Unproven, "it was not suspended");
        assert_eq!(verdict("accepted", "enrolled"), Broken, "enrolled all the same");
    }
}
