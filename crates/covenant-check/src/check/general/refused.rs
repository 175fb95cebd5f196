//! `refused`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::enforcement::is_suspended_status;
use crate::check::general::{CallOutcome, call_outcome, is_accepted};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls, status_shown};
use covenant_model::transcript::Trace;
use covenant_model::wire::state::PeerStatus;

/// The call is refused, its positive control is accepted, and the peering still works afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct Refused {
    /// The calls that have to be refused.
    pub call: Label,
    /// The same call, valid in just the one thing.
    pub control: Label,
    /// A valid call made afterwards.
    pub probe: Label,
    /// The calls that make it invalid, which have to be accepted.
    pub cause: Option<Labels>,
    /// The same call by another peer, which has to be refused too: a target that admits it admits anybody, whatever they present.
    pub of_another: Option<Label>,
    /// The notice that ends the peering: a call that is accepted after it is a breach only if the answer to the notice shows
    /// the peering as ended. A target that does not read the notice goes on as before, and says so.
    pub ended: Option<Label>,
    /// The operator's snapshot of the peer before the calls, which has to show it suspended: that is what makes them invalid.
    pub suspended: Option<Label>,
    /// The operator's snapshot of that peer later, without a review since: it has to show that the peer may not call.
    pub still: Option<Label>,
}

impl Check for Refused {
    const ID: &'static str = "refused";
    const EXPECTED: &'static [&'static str] = &["the call refused: 4xx, or its certificate refused"];
    const CONTROL: Option<&'static str> =
        Some("the same call, valid in just the one thing, is accepted, and so is a valid call afterwards");
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let refused: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        let controls: Vec<Call<'_>> = calls(trace).labelled(&self.control).collect();
        if refused.is_empty() || controls.is_empty() {
            return Err(Stop::unproven("the call or its positive control was not made", []));
        }
        let mut causes = self.cause.iter().flat_map(|labels| labelled_calls(trace, labels));
        if let Some(cause) = causes.find(|cause| !is_accepted(cause.exchange)) {
            let actual = format!("what should have made it invalid was not accepted: {}", cause.summary());
            return Err(Stop::unproven(actual, [cause.n()]));
        }
        if let Some(label) = &self.suspended {
            let (n, status) = status_shown(trace, label).or_unproven("the peer was not shown")?;
            if is_suspended_status(status) != Some(true) {
                return Err(Stop::unproven(format!("the peer was not suspended, but {status}"), [n]));
            }
        }
        let with_outcome =
            |wanted: CallOutcome| refused.iter().find(|call| call_outcome(call.exchange) == wanted);
        if let Some(call) = with_outcome(CallOutcome::Admitted) {
            let mut of_another =
                self.of_another.iter().flat_map(|label| calls(trace).labelled(label).accepted());
            if let Some(admitted) = of_another.next() {
                let actual = format!("another peer is admitted too: {}", admitted.summary());
                return Err(Stop::unproven(actual, [call.n(), admitted.n()]));
            }
            if let Some(label) = &self.ended {
                require_ended(trace, label)?;
            }
            // What makes the call invalid has to be there. It comes before the call.
            let is_made = |label: &str| calls(trace).labelled(label).next().is_some();
            let has_causes = self.cause.iter().flat_map(Labels::iter).all(is_made);
            let actual = format!("the call was accepted: {}", call.summary());
            return Err(Stop::broken(actual, [call.n()]).final_if(has_causes));
        }
        if let Some(label) = &self.still {
            still_suspended(trace, label)?;
        }
        if let Some(call) = with_outcome(CallOutcome::Open) {
            let actual = format!("neither refused nor accepted: {}", call.summary());
            return Err(Stop::unproven(actual, [call.n()]));
        }
        let valid: Vec<Call<'_>> = controls.into_iter().chain(calls(trace).labelled(&self.probe)).collect();
        if let Some(call) = valid.iter().find(|call| !is_accepted(call.exchange)) {
            let actual = format!("the call was refused, but so was a valid one: {}", call.summary());
            return Err(Stop::unproven(actual, [refused[0].n(), call.n()]));
        }
        let evidence = refused.iter().chain(&valid).map(Call::n);
        let actual = format!("{} refused, its positive control accepted", refused[0].summary());
        Ok(Pass::new(actual, evidence))
    }
}

impl Refused {
    /// Returns the check of a call that nothing else makes invalid.
    pub(in crate::check) fn of(call: Label, control: Label, probe: Label) -> Self {
        Self {
            call,
            control,
            probe,
            cause: None,
            of_another: None,
            ended: None,
            suspended: None,
            still: None,
        }
    }
}

/// Ends the check unless the answer to the notice shows the peering as ended.
fn require_ended(trace: &Trace, label: &str) -> Result<(), Stop> {
    let notice =
        calls(trace).labelled(label).accepted().next_back().or_unproven("the notice was not accepted")?;
    let data = notice.exchange.data().unwrap_or_default();
    let state = data["status"].as_str();
    if state.and_then(PeerStatus::means_ended) == Some(true) {
        return Ok(());
    }
    let shown = state.map_or("no state of the peering".to_owned(), |state| format!("the peering as {state}"));
    let actual =
        format!("the answer to the notice of the end shows {shown}: the target may not read the notice");
    Err(Stop::unproven(actual, [notice.n()]))
}

/// Ends the check unless a snapshot shows a peer that was suspended, and whose call is refused, as suspended, or its peering
/// as ended.
fn still_suspended(trace: &Trace, label: &str) -> Result<(), Stop> {
    let (n, status) = status_shown(trace, label).or_unproven("the peer was not shown again")?;
    if is_suspended_status(status) == Some(true) || PeerStatus::means_ended(status) == Some(true) {
        return Ok(());
    }
    let actual = format!("the peer is later shown as {status}");
    match PeerStatus::read(status) {
        Some(PeerStatus::Enrolled | PeerStatus::Active) => Err(Stop::broken(actual, [n])),
        // The peer was silent, or does not call yet: that may be shown before its suspension.
        _ => Err(Stop::unproven(actual, [n])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, FailureKind};
    use serde_json::{Value, json};

    /// Returns the verdict on a plan, or the commit of one, that the target has to refuse and answers like
    /// this.
    fn plan_refused(path: &str, sent: &Value, status: u16, reply: &Value) -> Verdict {
        let plan = |sent: &Value, status: u16, reply: &Value| {
            Exchange::to_target("mallory")
                .on("POST", path)
                .sending(sent.clone())
                .answered_with(status, reply.clone())
        };
        let done = json!({"data": {"migration_id": "m", "status": "completed"}});
        TraceBuilder::new()
            .call("valid", plan(&json!({}), 201, &done))
            .call("call", plan(sent, status, reply))
            .verdict::<Refused>(json!({"call": "call", "control": "valid", "probe": "valid"}))
    }

    #[test]
    fn a_plan_that_is_accepted_and_fails_is_refused() {
        let reply = |status: &str| json!({"data": {"migration_id": "n", "status": status}});
        let verdicts = |status: u16, reply: &Value| {
            ["migrations", "migrations/n/commit"].map(|path| plan_refused(path, &json!({}), status, reply))
        };
        assert_eq!(verdicts(201, &reply("completed")), [Broken; 2]);
        assert_eq!(verdicts(200, &reply("failed")), [Kept; 2]);
        assert_eq!(verdicts(200, &reply("conflict")), [Kept; 2]);
        assert_eq!(verdicts(202, &reply("validating")), [Unproven; 2], "its end is yet to come");
        assert_eq!(verdicts(202, &json!({"data": {"migration_id": "n"}})), [Unproven; 2], "so is this one's");
        assert_eq!(verdicts(422, &json!({"error": "no", "status": "failed"})), [Kept; 2]);
        assert_eq!(verdicts(200, &json!({"data": {"applied_count": 1}})), [Broken; 2]);
        let opened = plan_refused("migrations", &json!({"commit": false}), 202, &reply("transferring"));
        assert_eq!(opened, Broken, "it was to be opened, and was");
        let heartbeat = plan_refused("heartbeat", &json!({}), 200, &reply("degraded"));
        assert_eq!(heartbeat, Broken, "it is no plan");
    }

    #[test]
    fn a_call_that_nothing_made_invalid_may_be_accepted() {
        let verdict = |left: u16| {
            let mut builder = TraceBuilder::new();
            for (label, status) in [("beat", 200), ("left", left), ("late", 200)] {
                builder = builder
                    .call(label, Exchange::to_target("mallory").on("POST", "heartbeat").answered(status));
            }
            let with = json!({"call": "late", "control": "beat", "probe": "left", "cause": "left"});
            builder.verdict::<Refused>(with)
        };
        assert_eq!([verdict(200), verdict(503)], [Broken, Unproven]);
    }

    #[test]
    fn a_call_that_is_admitted_of_anybody_shows_nothing_about_a_certificate() {
        let verdict = |of_another: u16| {
            let call = |peer: &str, status: u16| {
                Exchange::to_target(peer).on("GET", "resources/skill/a").answered(status)
            };
            TraceBuilder::new()
                .call("valid", call("alice", 200))
                .call("of_bob", call("alice", 200))
                .call("bob", call("bob", of_another))
                .verdict::<Refused>(
                    json!({"call": "of_bob", "control": "valid", "probe": "valid", "of_another": "bob"}),
                )
        };
        assert_eq!([verdict(403), verdict(200)], [Broken, Unproven]);
    }

    #[test]
    fn a_call_after_a_notice_that_the_target_did_not_read_may_be_accepted() {
        let verdict = |state: Option<&str>, late: u16| {
            let call = || Exchange::to_target("auditor").on("POST", "heartbeat");
            let left = call().answered_with(200, json!({"data": {"status": state}}));
            TraceBuilder::new()
                .call("beat", call().answered(200))
                .call("left", left)
                .call("late", call().answered(late))
                .verdict::<Refused>(json!({
                    "call": "late", "control": "beat", "probe": "left", "cause": "left", "ended": "left",
                }))
        };
        assert_eq!([verdict(Some("revoked"), 200), verdict(Some("Archived"), 200)], [Broken; 2]);
        for state in [Some("active"), Some("revoking"), None] {
            assert_eq!([verdict(state, 200), verdict(state, 401)], [Unproven, Kept], "{state:?}");
        }
    }

    #[test]
    fn a_call_that_is_put_off_or_lost_is_not_refused() {
        let verdict = |late: Exchange| {
            let call = || Exchange::to_target("mallory").on("POST", "heartbeat");
            TraceBuilder::new()
                .call("beat", call().answered(200))
                .call("late", late.on("POST", "heartbeat"))
                .verdict::<Refused>(json!({"call": "late", "control": "beat", "probe": "beat"}))
        };
        let call = || Exchange::to_target("mallory");
        for status in [408, 425, 429, 502, 503, 504] {
            assert_eq!(verdict(call().answered(status)), Unproven, "{status}");
        }
        assert_eq!(verdict(call().answered(401)), Kept);
        assert_eq!(verdict(call().failing(FailureKind::Certificate)), Kept);
        for kind in [FailureKind::Timeout, FailureKind::Closed, FailureKind::Refused] {
            assert_eq!(verdict(call().failing(kind)), Unproven, "{kind}");
        }
    }

    #[test]
    fn a_call_of_a_peer_that_nobody_suspended_may_be_accepted() {
        let verdict = |status: Option<&str>| {
            let builder = TraceBuilder::new()
                .call("beat", Exchange::to_target("mallory").on("POST", "heartbeat").answered(200))
                .call("late", Exchange::to_target("mallory").on("POST", "heartbeat").answered(200));
            let shown = status.map(|status| json!({"peer": {"status": status}}));
            let builder =
                shown.into_iter().fold(builder, |it, shown| it.operation("shown", "peer.show", shown));
            builder.verdict::<Refused>(json!({
                "call": "late", "control": "beat", "probe": "beat", "suspended": "shown",
            }))
        };
        assert_eq!(verdict(Some("suspended")), Broken);
        assert_eq!(verdict(Some("active")), Unproven, "a second operator has to agree");
        assert_eq!(verdict(Some("revoked")), Unproven);
        assert_eq!(verdict(None), Unproven);
    }

    #[test]
    fn a_suspension_that_the_record_shows_as_over_is_broken() {
        let verdict = |late: u16, still: Option<&str>| {
            let show = |status: &str| json!({"peer": {"status": status}});
            let call = |status: u16| Exchange::to_target("mallory").on("POST", "heartbeat").answered(status);
            let builder = TraceBuilder::new()
                .call("beat", call(200))
                .operation("shown", "peer.show", show("suspended"))
                .call("late", call(late));
            let builder =
                still.into_iter().fold(builder, |it, still| it.operation("still", "peer.show", show(still)));
            builder.verdict::<Refused>(json!({
                "call": "late", "control": "beat", "probe": "beat", "suspended": "shown", "still": "still",
            }))
        };
        for status in ["suspended", "Suspended (review)", "revoked", "archived"] {
            assert_eq!([verdict(401, Some(status)), verdict(200, Some(status))], [Kept, Broken], "{status}");
        }
        assert_eq!([verdict(401, Some("active")), verdict(401, Some("Enrolled"))], [Broken; 2]);
        for status in ["degraded", "accepted", "quarantined"] {
            assert_eq!(
                [verdict(401, Some(status)), verdict(200, Some(status))],
                [Unproven, Broken],
                "{status}"
            );
        }
        assert_eq!(verdict(401, None), Unproven);
    }
}
