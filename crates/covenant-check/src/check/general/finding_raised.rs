//! `finding-raised`.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels, PeerName, PeerOrJoin};
use crate::check::definition::Check;
use crate::check::general::is_accepted;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{
    Call, CallQuery, Scan, calls, clock_difference, labelled_calls, peer_id, peer_shown, scans,
};
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::Finding;

/// A finding about the misbehaving peer is there that was not before, and none of that kind about a
/// conforming one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct FindingRaised {
    /// The misbehaving peer, or the join that it answered.
    pub peer: PeerOrJoin,
    /// The scan before the misbehaviour.
    pub before: Label,
    /// The scan after it.
    pub after: Label,
    /// A peer that did nothing wrong.
    pub conforming: Option<PeerName>,
    /// A peer that did the like in a valid way: kinds raised about it too prove nothing.
    pub excluding: Option<PeerName>,
    /// The act of that peer, which the target has to have accepted.
    pub excluding_call: Option<Label>,
    /// A peer that did less of it, within the limits: that is never a finding.
    pub within_limit: Option<PeerName>,
    /// The kind of the finding, where the contract names it.
    pub kind: Option<String>,
    /// The route of the target's calls to the peer, of which one has to have got a wrong answer.
    pub route: Option<String>,
    /// A call that the target has to have accepted, so that there is something to notice.
    pub accepted: Option<Label>,
    /// The calls that are the misbehaviour together: the target has to have accepted each.
    pub all_accepted: Option<Labels>,
    /// The operator's snapshot of the peer after that call. A target that does not show the residency of the call there may
    /// not read it where it was stated.
    pub residency_shown: Option<Label>,
    /// Peers that did the like. Where the target reports none of them either, it may read what they sent in its own way: that is
    /// open.
    #[serde(default)]
    pub alike: Vec<PeerName>,
    /// `true` if the number of the calls is the misbehaviour, whatever answer they get.
    #[serde(skip)]
    pub by_number: bool,
    /// The seconds by which the clock of the target may differ from that of the suite, where the acts are this near to a limit of
    /// time: a breach is unproven unless the answers of the target to heartbeats show that its clock is as near.
    pub clocks_within_seconds: Option<i64>,
}

impl Check for FindingRaised {
    const ID: &'static str = "finding-raised";
    const EXPECTED: &'static [&'static str] = &["a new finding about the peer, under any name"];
    const TAKES_PLACED: bool = true;

    fn expected(&self) -> Vec<String> {
        match &self.kind {
            Some(kind) => vec![format!("a new {kind} finding about the peer")],
            None => Self::EXPECTED.iter().map(ToString::to_string).collect(),
        }
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let outcome = self.raised(trace);
        match (outcome, self.clocks_apart(trace)) {
            (Err(stop @ Stop::Broken(_)), Some(reason)) => Err(stop.into_unproven(reason)),
            (outcome, _) => outcome,
        }
    }
}

impl FindingRaised {
    fn raised(&self, trace: &Trace) -> Outcome {
        let (before, after) = scans(trace, &self.before, &self.after)?;
        let peer_id = peer_id(trace, &self.peer).or_unproven("the peer's id is not known")?;
        let evidence = [before.n, after.n];
        let about = |peer: Option<&PeerName>| -> Vec<&Finding> {
            let id = peer.and_then(|peer| self::peer_id(trace, peer));
            id.map(|id| after.new_about(&before, &id)).unwrap_or_default()
        };
        let (conforming, valid) = (about(self.conforming.as_ref()), about(self.excluding.as_ref()));
        let kind = self.kind.as_deref();
        if let Some(finding) = conforming.iter().find(|finding| kind == Some(&finding.kind)) {
            let actual = format!("{} was raised about a peer that did nothing wrong", finding.kind);
            return Err(Stop::broken(actual, evidence));
        }
        let raised = after.new_about(&before, &peer_id);
        let kinds: BTreeSet<&str> = raised.iter().map(|finding| finding.kind.as_str()).collect();
        let is_false_accusation = |finding: &&Finding| {
            kinds.contains(finding.kind.as_str()) && conforming.iter().all(|other| other.kind != finding.kind)
        };
        if let Some(finding) = about(self.within_limit.as_ref()).into_iter().find(is_false_accusation) {
            let actual = format!("{} was raised about a peer that kept within the limits, too", finding.kind);
            return Err(Stop::broken(actual, evidence));
        }
        // A finding that is raised about everyone, such as one about a silent peer, says nothing about the
        // misbehaviour.
        let others = [self.conforming.as_ref(), self.excluding.as_ref()].into_iter().flatten();
        let ids: Vec<String> = others.filter_map(|peer| self::peer_id(trace, peer)).collect();
        let stood: Vec<&Finding> = ids.iter().flat_map(|id| after.standing_about(&before, id)).collect();
        let is_common = |finding: &&Finding| {
            conforming.iter().chain(&valid).chain(&stood).any(|other| other.kind == finding.kind)
        };
        let (common, own): (Vec<&Finding>, Vec<&Finding>) = raised.into_iter().partition(is_common);
        if let Some(finding) = own.iter().find(|finding| kind.is_none_or(|kind| finding.kind == kind)) {
            if let Some(reason) = self.cannot_compare(trace) {
                return Err(Stop::unproven(format!("{} was raised, but {reason}", finding.kind), evidence));
            }
            return Ok(Pass::new(format!("{} was raised", finding.kind), evidence));
        }
        if let Some(reason) = self.could_not_notice(trace, evidence) {
            return Err(Stop::unproven(reason, evidence));
        }
        if !self.alike.is_empty() && self.alike.iter().all(|peer| about(Some(peer)).is_empty()) {
            let names =
                self.alike.iter().map(|peer| format!("{:?}", &**peer)).collect::<Vec<_>>().join(" or ");
            let actual = format!(
                "{}, nor any about {names}, who did the like",
                after.nothing_about(&before, &peer_id)
            );
            return Err(Stop::unproven(actual, evidence));
        }
        if let Some(name) = self.standing(trace, &before, &after, &peer_id) {
            let actual = format!("{name} stood about the peer before, so a further one has the same content");
            return Err(Stop::unproven(actual, evidence));
        }
        if let Some(other) = own.first() {
            return Err(Stop::broken(format!("only {} was raised", other.kind), evidence));
        }
        let Some(shared) = common.first() else {
            return Err(Stop::broken(after.nothing_about(&before, &peer_id), evidence));
        };
        let name = &shared.kind;
        let is_new_about_conforming = conforming.iter().any(|finding| finding.kind == *name);
        let is_about_all = !is_new_about_conforming || common.len() > conforming.len();
        if valid.iter().any(|finding| finding.kind == *name) || is_about_all {
            let actual = format!("only {name} was raised, and about the conforming peer too");
            return Err(Stop::unproven(actual, evidence));
        }
        let actual = format!("{name} was raised about a peer that did nothing wrong, just as about this one");
        Err(Stop::broken(actual, evidence))
    }

    /// Creates the check of any new finding about a peer. What is raised about a conforming one too does not count.
    pub(in crate::check) fn about(
        peer: PeerOrJoin,
        scans: [&Label; 2],
        conforming: Option<&PeerName>,
    ) -> Self {
        let [before, after] = scans.map(Clone::clone);
        Self {
            peer,
            before,
            after,
            conforming: conforming.cloned(),
            excluding: None,
            excluding_call: None,
            within_limit: None,
            kind: None,
            route: None,
            accepted: None,
            all_accepted: None,
            residency_shown: None,
            alike: vec![],
            by_number: false,
            clocks_within_seconds: None,
        }
    }

    /// Returns why the two clocks may be too far apart for a breach.
    fn clocks_apart(&self, trace: &Trace) -> Option<String> {
        let limit = self.clocks_within_seconds?;
        match clock_difference(trace) {
            Some(difference) if difference <= SignedDuration::from_secs(limit) => None,
            Some(difference) => Some(format!(
                "the clock of the target is up to {} s apart, and the acts are {limit} s from the limit",
                difference.as_secs()
            )),
            None => Some(format!(
                "no answer shows the clock of the target, and the acts are {limit} s from the limit"
            )),
        }
    }

    /// Returns the kind of a finding that stood before the misbehaviour and stands after it, about this peer and not
    /// about a conforming one. A scan that computes its findings again raises it once.
    fn standing<'a>(&self, trace: &Trace, before: &Scan, after: &'a Scan, peer_id: &str) -> Option<&'a str> {
        let conforming = self.conforming.as_ref().and_then(|peer| self::peer_id(trace, peer));
        let others = conforming.map(|id| after.standing_about(before, &id)).unwrap_or_default();
        let is_own = |finding: &&Finding| others.iter().all(|other| other.kind != finding.kind);
        let mut standing = after.standing_about(before, peer_id).into_iter().filter(is_own);
        let wanted = standing.find(|finding| self.kind.as_ref().is_none_or(|kind| finding.kind == *kind));
        wanted.map(|finding| finding.kind.as_str())
    }

    /// Returns why the absence of a finding about the other peers says nothing.
    fn cannot_compare(&self, trace: &Trace) -> Option<String> {
        let others = [&self.conforming, &self.excluding, &self.within_limit];
        if let Some(name) = others.into_iter().flatten().find(|name| peer_id(trace, name).is_none()) {
            return Some(format!("the id of {:?}, to compare with, is not known", &**name));
        }
        let act = self.excluding_call.as_deref()?;
        let is_accepted =
            calls(trace).labelled(act).next_back().is_some_and(|call| call.exchange.succeeded());
        (!is_accepted).then(|| format!("{act:?}, to compare with, was not accepted"))
    }

    /// Returns why the target had nothing to notice, or no way to notice it, between these scans. Returns `None` if it
    /// could notice.
    fn could_not_notice(&self, trace: &Trace, [before, after]: [u64; 2]) -> Option<String> {
        // What the peer answered wrongly arrived, whatever became of its own calls.
        let mut asked = calls(trace).of(&self.peer).made_by_target().after(before).before(after);
        let rests_on_calls = !self.by_number && asked.all(|call| call.exchange.injected.is_empty());
        if rests_on_calls && let Some(last) = all_put_off(trace, &self.peer, [before, after]) {
            return Some(format!("each call of the peer was put off: {}", last.summary()));
        }
        let mut together =
            self.all_accepted.iter().flat_map(|labels| labelled_calls(trace, labels)).after(before);
        if let Some(other) = together.find(|call| !is_accepted(call.exchange)) {
            return Some(format!("the target did not accept each of the calls: {}", other.summary()));
        }
        if let Some(name) = &self.route {
            let mut asked = calls(trace).of(&self.peer).made_by_target();
            let had_occasion = asked.any(|call| {
                call.route().is_some_and(|route| route.name() == name) && !call.exchange.injected.is_empty()
            });
            if !had_occasion {
                return Some(format!(
                    "the target never asked the peer for what it would have got wrong ({name})"
                ));
            }
        }
        let label = self.accepted.as_deref()?;
        let is_accepted = calls(trace).labelled(label).accepted().next().is_some();
        if !is_accepted {
            return Some(format!("the target did not accept {label:?}"));
        }
        let (_, shown) = self.residency_shown.as_deref().map(|snapshot| peer_shown(trace, snapshot))?.unzip();
        let shown = shown.map_or(&Value::Null, |peer| &peer["data_residency"]);
        let is_shown = calls(trace).labelled(label).accepted().any(|call| {
            let stated = call.exchange.sent().map(|sent| &sent["metadata"]["data_residency"]);
            stated.is_some_and(|stated| !stated.is_null() && stated == shown)
        });
        (!is_shown).then(|| format!("the target shows {shown} as the residency of the peer"))
    }
}

/// Returns the last call of a peer between these entries, if each was put off or lost: the target need not know of any.
pub(in crate::check) fn all_put_off<'a>(
    trace: &'a Trace,
    peer: &str,
    [before, after]: [u64; 2],
) -> Option<Call<'a>> {
    let made = || calls(trace).of(peer).made_by_peer().after(before).before(after);
    made().next_back().filter(|_| made().all(|call| call.exchange.was_put_off()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange};
    use serde_json::json;

    fn joined() -> TraceBuilder {
        TraceBuilder::new()
            .operation("mallory", "peer.join", json!({"peer_id": "mallory's row"}))
            .operation("alice", "peer.join", json!({"peer_id": "alice's row"}))
            .operation("before", "governance.scan", json!({"findings": []}))
    }

    fn arguments(more: &[(&str, Option<&str>)]) -> Value {
        let mut with = json!({"peer": "mallory", "before": "before", "after": "after"});
        for (name, value) in more {
            if let Some(value) = value {
                with[name] = json!(value);
            }
        }
        with
    }

    /// Returns the verdict if these kinds are raised about mallory and about alice, which is the peer `role`.
    fn raised(mallory: &[&str], alice: &[&str], role: &str, kind: Option<&str>) -> Verdict {
        let about = |peer: &'static str| move |(place, kind): (usize, &&str)| json!({"kind": kind, "federation_peer_id": peer, "message": place.to_string()});
        let found: Vec<Value> = mallory
            .iter()
            .enumerate()
            .map(about("mallory's row"))
            .chain(alice.iter().enumerate().map(about("alice's row")))
            .collect();
        joined()
            .operation("after", "governance.scan", json!({"findings": found}))
            .verdict::<FindingRaised>(arguments(&[(role, Some("alice")), ("kind", kind)]))
    }

    #[test]
    fn a_finding_about_a_conforming_peer_for_another_reason_does_not_count() {
        assert_eq!(raised(&["broken", "stale"], &["stale"], "conforming", None), Kept);
        assert_eq!(raised(&["broken"], &["stale"], "conforming", Some("broken")), Kept);
        assert_eq!(raised(&["stale"], &["stale"], "conforming", None), Broken, "everyone was blamed");
        assert_eq!(raised(&["broken"], &["broken"], "conforming", Some("broken")), Broken);
        assert_eq!(raised(&["broken", "broken"], &["broken"], "conforming", Some("broken")), Broken);
        assert_eq!(
            raised(&["note", "note"], &["note"], "conforming", None),
            Unproven,
            "one of them may be it"
        );
        assert_eq!(raised(&[], &["stale"], "conforming", None), Broken);
    }

    #[test]
    fn a_finding_that_stood_about_the_conforming_peer_is_no_proof_and_no_breach() {
        let about =
            |kind: &str, peer: &str| json!({"kind": kind, "federation_peer_id": peer, "message": "x"});
        let alice = about("new_peer", "alice's row");
        let verdict = |more: &[Value]| {
            let after = [&[alice.clone(), about("new_peer", "mallory's row")], more].concat();
            joined()
                .operation("before", "governance.scan", json!({"findings": [alice.clone()]}))
                .operation("after", "governance.scan", json!({ "findings": after }))
                .verdict::<FindingRaised>(arguments(&[("conforming", Some("alice"))]))
        };
        assert_eq!(verdict(&[]), Unproven);
        assert_eq!(verdict(&[about("stale", "alice's row")]), Unproven);
        assert_eq!(verdict(&[about("breach", "mallory's row")]), Kept);
    }

    #[test]
    fn a_finding_about_the_valid_peer_too_is_no_proof_and_no_breach() {
        assert_eq!(raised(&["note"], &["note"], "excluding", None), Unproven);
        assert_eq!(raised(&["note", "late"], &["note"], "excluding", None), Kept);
        assert_eq!(raised(&[], &["note"], "excluding", None), Broken);
    }

    #[test]
    fn a_finding_proves_nothing_if_the_peer_to_compare_with_did_not_act() {
        let findings = json!({"findings": [{"kind": "break", "federation_peer_id": "mallory's row"}]});
        let compared = |act: Option<u16>, peer: &str| {
            let call = |status| Exchange::to_target("alice").on("POST", "heartbeat").answered(status);
            let builder = act.into_iter().fold(joined(), |builder, status| builder.call("act", call(status)));
            builder.operation("after", "governance.scan", findings.clone()).verdict::<FindingRaised>(
                arguments(&[("excluding", Some(peer)), ("excluding_call", Some("act"))]),
            )
        };
        assert_eq!(compared(Some(200), "alice"), Kept);
        assert_eq!(compared(Some(422), "alice"), Unproven);
        assert_eq!(compared(None, "alice"), Unproven);
        assert_eq!(compared(Some(200), "bob"), Unproven, "his id is not known");
    }

    #[test]
    fn a_finding_about_a_peer_within_the_limits_is_broken() {
        assert_eq!(raised(&["mass", "mass"], &["mass"], "within_limit", None), Broken);
        assert_eq!(raised(&["mass"], &["stale"], "within_limit", None), Kept);
        assert_eq!(raised(&[], &["mass"], "within_limit", None), Broken, "no finding was raised");
    }

    /// Returns the verdict on a call that is followed by no finding.
    fn unnoticed(label: &str, call: Exchange, more: (&str, &str)) -> Verdict {
        joined()
            .call(label, call)
            .operation("after", "governance.scan", json!({"findings": []}))
            .verdict::<FindingRaised>(arguments(&[(more.0, Some(more.1))]))
    }

    #[test]
    fn a_finding_that_stood_before_is_no_new_one_and_may_hide_one() {
        let stale = |peer: &str, since: &str, status: &str| json!({"kind": "peer_heartbeat_stale", "federation_peer_id": peer, "message": format!("no heartbeat since {since}"), "payload": {"status": status}});
        let scanned = |of_alice: bool| {
            let scan = |since: &str, status: &str| {
                let about_alice = of_alice.then(|| stale("alice's row", since, status));
                let found: Vec<Value> =
                    std::iter::once(stale("mallory's row", since, status)).chain(about_alice).collect();
                json!({"findings": found})
            };
            joined()
                .operation("before", "governance.scan", scan("never", "enrolled"))
                .operation("after", "governance.scan", scan("2026-06-01T00:00:00Z", "active"))
                .verdict::<FindingRaised>(arguments(&[("conforming", Some("alice"))]))
        };
        assert_eq!(scanned(true), Broken, "every fresh peer has it");
        assert_eq!(scanned(false), Unproven, "another of that kind would look the same");
    }

    #[test]
    fn a_target_with_nothing_to_notice_is_not_blamed() {
        let reported = |injected: &[&str]| {
            let call =
                Exchange::made("mallory", Direction::FromTarget).on("GET", "resources/x/1").answered(422);
            let call = Exchange { injected: injected.iter().map(ToString::to_string).collect(), ..call };
            unnoticed("reported", call, ("route", "resources"))
        };
        assert_eq!(reported(&["bogus-kind"]), Broken);
        assert_eq!(reported(&[]), Unproven);
        let sent = |status| {
            let call = Exchange::to_target("mallory").on("GET", "heartbeat").answered(status);
            unnoticed("sent", call, ("accepted", "sent"))
        };
        assert_eq!(sent(200), Broken);
        assert_eq!(sent(422), Unproven, "it was refused");
    }

    #[test]
    fn a_target_that_put_off_each_call_had_nothing_to_notice() {
        let sent = |statuses: &[u16]| {
            let call = |status| Exchange::to_target("mallory").on("POST", "heartbeat").answered(status);
            let made = statuses.iter().fold(joined(), |builder, status| builder.call("sent", call(*status)));
            made.operation("after", "governance.scan", json!({"findings": []}))
                .verdict::<FindingRaised>(arguments(&[]))
        };
        assert_eq!([sent(&[429]), sent(&[408, 503])], [Unproven; 2]);
        assert_eq!([sent(&[]), sent(&[422]), sent(&[429, 200])], [Broken; 3]);
    }

    #[test]
    fn what_the_peer_answered_wrongly_arrived_though_its_own_calls_were_put_off() {
        let asked = |injected: &[&str]| {
            let call = Exchange::made("mallory", Direction::FromTarget).on("POST", "audit").answered(422);
            let injected = injected.iter().map(ToString::to_string).collect();
            let beat = Exchange::to_target("mallory").on("POST", "heartbeat").answered(429);
            let builder = joined().call_from_target(Exchange { injected, ..call }).call("beat", beat);
            builder
                .operation("after", "governance.scan", json!({"findings": []}))
                .verdict::<FindingRaised>(arguments(&[]))
        };
        assert_eq!([asked(&["rejects-excerpt-requests"]), asked(&[])], [Broken, Unproven]);
    }

    #[test]
    fn calls_that_are_the_misbehaviour_together_have_to_be_accepted_all() {
        let sent = |statuses: &[u16]| {
            let call = |status| Exchange::to_target("mallory").on("POST", "heartbeat").answered(status);
            let made = statuses.iter().fold(joined(), |builder, status| builder.call("many", call(*status)));
            made.operation("after", "governance.scan", json!({"findings": []}))
                .verdict::<FindingRaised>(arguments(&[("all_accepted", Some("many"))]))
        };
        assert_eq!(sent(&[200; 4]), Broken);
        assert_eq!([sent(&[200, 200, 429, 200]), sent(&[200, 422])], [Unproven; 2]);
    }

    #[test]
    fn a_residency_that_is_not_read_where_it_was_stated_is_not_noticed() {
        let shown = |peer: Value| {
            let sent = json!({"metadata": {"data_residency": "br"}});
            let call = Exchange::to_target("mallory").on("POST", "heartbeat").sending(sent).answered(200);
            let builder =
                joined().call("moved", call).operation("shown", "peer.show", json!({ "peer": peer }));
            builder.operation("after", "governance.scan", json!({"findings": []})).verdict::<FindingRaised>(
                arguments(&[("accepted", Some("moved")), ("residency_shown", Some("shown"))]),
            )
        };
        assert_eq!(shown(json!({"data_residency": "br"})), Broken);
        assert_eq!(shown(json!({"data_residency": "eu", "metadata": {"data_residency": "br"}})), Unproven);
        assert_eq!(
            shown(json!({"metadata": {"data_residency": "br"}})),
            Unproven,
            "it is stored, and not read"
        );
    }
    #[test]
    fn a_form_that_is_reported_of_no_peer_is_open() {
        let verdict = |about: &[&str]| {
            let found: Vec<Value> = about
                .iter()
                .map(|peer| json!({"kind": "k", "federation_peer_id": format!("{peer}'s row"), "message": "m"}))
                .collect();
            let mut with = arguments(&[]);
            with["alike"] = json!(["alice", "nobody"]);
            joined()
                .operation("after", "governance.scan", json!({"findings": found}))
                .verdict::<FindingRaised>(with)
        };
        assert_eq!([verdict(&["mallory", "alice"]), verdict(&["mallory"])], [Kept; 2]);
        assert_eq!([verdict(&["alice"]), verdict(&[])], [Broken, Unproven]);
    }

    #[test]
    fn a_breach_near_a_limit_of_time_needs_a_clock_that_is_shown_to_be_near() {
        let verdict = |ahead: Option<i64>, kinds: &[&str]| {
            let builder = joined();
            let shown = ahead.map(|ahead| (builder.now() + SignedDuration::from_secs(ahead)).to_string());
            let answer = json!({"data": {"status": "active", "last_heartbeat_at": shown}});
            let beat = Exchange::to_target("alice").on("POST", "heartbeat").answered_with(200, answer);
            let about = |kind: &&str| json!({"kind": kind, "federation_peer_id": "mallory's row"});
            let found: Vec<Value> = kinds.iter().map(about).collect();
            let mut with = arguments(&[]);
            with["clocks_within_seconds"] = json!(3);
            builder
                .call("beat", beat)
                .operation("after", "governance.scan", json!({ "findings": found }))
                .verdict::<FindingRaised>(with)
        };
        assert_eq!([0, 3, -3].map(|ahead| verdict(Some(ahead), &[])), [Broken; 3]);
        assert_eq!([4, -60].map(|ahead| verdict(Some(ahead), &[])), [Unproven; 2]);
        assert_eq!(verdict(None, &[]), Unproven, "nothing shows its clock");
        assert_eq!(verdict(Some(60), &["late"]), Kept);
    }
}
