//! `compromise-reaches-operator`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, mentions_one, names_of, peer_id, peer_shown, scan};
use covenant_model::transcript::Trace;

/// The stem of the words by which a platform names a compromise.
const COMPROMISE: &str = "compromis";

/// A compromise that a peer discloses is in the operator's view: an event, a finding or the record of that
/// peer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompromiseReachesOperator {
    /// The disclosure.
    call: Label,
    /// The peer that discloses.
    peer: PeerName,
    /// A peer that discloses nothing.
    conforming: PeerName,
    /// The events before a plain heartbeat of the peer.
    baseline: Label,
    /// The events before the disclosure and after it.
    events: [Label; 2],
    /// The scans before the disclosure and after it.
    scans: [Label; 2],
    /// The records of the peer before the disclosure and after it.
    snapshots: [Label; 2],
}

impl Check for CompromiseReachesOperator {
    const ID: &'static str = "compromise-reaches-operator";
    const EXPECTED: &'static [&'static str] =
        &["an event or a finding that names the peer, or a mention of the compromise in the peer's record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let disclosed = calls(trace).labelled(&self.call).accepted().next();
        let (disclosed, peer) = disclosed
            .zip(peer_id(trace, &self.peer))
            .or_unproven("the disclosure was not accepted, or the peer's id is not known")?;
        let disclosed = disclosed.n();
        let (events, findings) = (self.event(trace), self.finding(trace, &peer));
        let record = self.record(trace);
        let views = [("the event", &events), ("the finding", &findings), ("the peer's record, in", &record)];
        for (place, seen) in views {
            if let Some((name, n)) = seen.as_ref().and_then(|seen| Some((seen.reported.as_ref()?, seen.n))) {
                return Ok(Pass::new(format!("{place} {name} reports it"), [disclosed, n]));
            }
        }
        let (events, findings) = events
            .zip(findings)
            .or_unproven_at("the events or the findings could not be read", &[disclosed])?;
        let evidence = [disclosed, events.n, findings.n];
        // A list that never shows anything says nothing by its silence.
        if events.is_empty {
            return Err(Stop::unproven("the operator's list of events is empty", evidence));
        }
        if let Some(kind) = self.unnamed(trace) {
            return Err(Stop::unproven(format!("{kind} names a compromise, and no peer"), evidence));
        }
        Err(Stop::broken("no event and no finding reports it to the operator", evidence))
    }
}

/// One part of the operator's view, with what it shows.
struct Seen {
    /// The entry that shows it.
    n: u64,
    /// `true` if the list is empty.
    is_empty: bool,
    /// The name of what reports the compromise.
    reported: Option<String>,
}

impl CompromiseReachesOperator {
    /// Returns a new event that names the peer and that a plain heartbeat does not raise.
    fn event(&self, trace: &Trace) -> Option<Seen> {
        let [before, after] = &self.events;
        let (_, baseline) = events(trace, &self.baseline)?;
        let (_, before) = events(trace, before)?;
        let (n, after) = events(trace, after)?;
        let of_conforming = names_of(trace, &self.conforming);
        let names: Vec<String> = names_of(trace, &self.peer).difference(&of_conforming).cloned().collect();
        let is_about_peer = |event: &&Value| mentions_one(event, &names);
        let of_heartbeat = before.iter().filter(|event| !baseline.contains(event)).filter(is_about_peer);
        let plain: Vec<&Value> = of_heartbeat.map(|event| &event["kind"]).collect();
        let mut new = after.iter().filter(|event| !before.contains(event)).filter(is_about_peer);
        let reported = new.find(|event| !plain.contains(&&event["kind"]) || names_compromise(event));
        let reported = reported.map(|event| event["kind"].as_str().unwrap_or("without a kind").to_owned());
        Some(Seen { n, is_empty: after.is_empty(), reported })
    }

    /// Returns the kind of a new event that names a compromise, and not the peer that disclosed nothing: it may be meant for the
    /// other one.
    fn unnamed(&self, trace: &Trace) -> Option<String> {
        let [before, after] = &self.events;
        let ((_, before), (_, after)) = (events(trace, before)?, events(trace, after)?);
        let of_conforming: Vec<String> = names_of(trace, &self.conforming).into_iter().collect();
        let mut new = after.iter().filter(|event| !before.contains(event));
        let unnamed = new.find(|event| names_compromise(event) && !mentions_one(event, &of_conforming))?;
        Some(unnamed["kind"].as_str().unwrap_or("an event without a kind").to_owned())
    }

    /// Returns a new finding about the peer, of a kind that is not raised about the conforming one.
    fn finding(&self, trace: &Trace, peer: &str) -> Option<Seen> {
        let [before, after] = &self.scans;
        let (before, after) = (scan(trace, before).ok()?, scan(trace, after).ok()?);
        let conforming = peer_id(trace, &self.conforming).unwrap_or_default();
        let common = after.new_about(&before, &conforming);
        let mut own = after.new_about(&before, peer).into_iter();
        let reported = own.find(|finding| common.iter().all(|other| other.kind != finding.kind));
        let reported = reported.map(|finding| finding.kind.clone());
        Some(Seen { n: after.n, is_empty: after.findings.is_empty(), reported })
    }

    /// Returns a member of the peer's record that names a compromise, and did not before.
    fn record(&self, trace: &Trace) -> Option<Seen> {
        let [before, after] = &self.snapshots;
        let (_, before) = peer_shown(trace, before)?;
        let (n, after) = peer_shown(trace, after)?;
        let mut members = after.as_object()?.iter();
        let is_new = |name: &str, member: &Value| before.get(name) != Some(member);
        let reported = members.find(|(name, member)| {
            is_new(name, member)
                && !member.is_null()
                && (name.contains(COMPROMISE) || names_compromise(member))
        });
        Some(Seen { n, is_empty: false, reported: reported.map(|(name, _)| name.clone()) })
    }
}

fn names_compromise(value: &Value) -> bool {
    value.to_string().to_lowercase().contains(COMPROMISE)
}

fn events<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a [Value])> {
    let (n, operation) = trace.operation(label)?;
    let result = operation.result.as_ref()?;
    Some((n, result.get("events").unwrap_or(result).as_array()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict if a disclosure of mallory is answered with `status` and these are the events before
    /// a plain heartbeat, before the disclosure and after it, the findings and the record afterwards.
    fn verdict(status: u16, lists: [Value; 3], found: &Value, record: &Value) -> Verdict {
        let mut builder = TraceBuilder::new()
            .operation("mallory", "peer.join", json!({"peer_id": "m"}))
            .operation("alice", "peer.join", json!({"peer_id": "a"}));
        for (label, events) in ["baseline", "events-before", "events-after"].iter().zip(lists) {
            builder = builder.operation(label, "event.list", json!({ "events": events }));
        }
        builder
            .operation("scan-before", "governance.scan", json!({"findings": []}))
            .operation("scan-after", "governance.scan", json!({ "findings": found }))
            .operation("before", "peer.show", json!({"peer": {"status": "active"}}))
            .operation("after", "peer.show", json!({ "peer": record }))
            .call("disclosed", Exchange::to_target("mallory").on("POST", "heartbeat").answered(status))
            .verdict::<CompromiseReachesOperator>(json!({
                "call": "disclosed", "peer": "mallory", "conforming": "alice", "baseline": "baseline",
                "events": ["events-before", "events-after"], "scans": ["scan-before", "scan-after"],
                "snapshots": ["before", "after"],
            }))
    }

    fn event(n: u8, kind: &str, peer: &str) -> Value {
        json!({"id": n, "kind": kind, "payload": {"federation_peer_id": peer}})
    }

    #[test]
    fn an_event_about_the_peer_is_kept_unless_any_heartbeat_raises_it() {
        let active = json!({"status": "active"});
        let verdict_of = |events: &[Value]| {
            let (first, beat) = (event(1, "accepted", "m"), event(2, "heartbeat", "m"));
            let before = json!([first, beat]);
            let after: Vec<Value> = [&[first.clone(), beat], events].concat();
            verdict(200, [json!([first]), before, json!(after)], &json!([]), &active)
        };
        assert_eq!(verdict_of(&[event(3, "notice", "m")]), Kept);
        assert_eq!(verdict_of(&[event(3, "notice", "a")]), Broken, "it names another peer");
        assert_eq!(verdict_of(&[event(3, "heartbeat", "m")]), Broken, "every heartbeat raises it");
        let mut speaking = event(3, "heartbeat", "m");
        speaking["payload"]["notices"] = json!(["platform.peer.COMPROMISED"]);
        assert_eq!(verdict_of(&[speaking]), Kept);
        assert_eq!(verdict_of(&[]), Broken);
    }

    #[test]
    fn an_event_names_the_peer_in_a_text_by_its_id_its_address_or_its_subject() {
        let accept = |peer: &str, id: &str, port: u16| {
            let url = format!("https://127.0.0.1:{port}");
            Exchange::to_target(peer)
                .on("POST", "accept")
                .sending(
                    json!({"endpoints": [{"url": url}], "caller_inbound_subject": format!("fed:own-{id}")}),
                )
                .answered_with(
                    200,
                    json!({"data": {"peer_id": id, "assigned_inbound_subject": format!("fed:{id}")}}),
                )
        };
        let verdict = |text: &str| {
            let events = |more: &[Value]| {
                let all = [&[json!({"id": 1, "kind": "accepted"})], more].concat();
                json!({ "events": all })
            };
            let new = [json!({"id": 2, "kind": "notice", "summary": text})];
            let shown = || json!({"peer": {"status": "active"}});
            TraceBuilder::new()
                .call("", accept("mallory", "0197b2f0-m", 4001))
                .call("", accept("alice", "0197b2f0-a", 4002))
                .operation("baseline", "event.list", events(&[]))
                .operation("events-before", "event.list", events(&[]))
                .operation("events-after", "event.list", events(&new))
                .operation("scan", "governance.scan", json!({"findings": []}))
                .operation("shown", "peer.show", shown())
                .call("disclosed", Exchange::to_target("mallory").on("POST", "heartbeat").answered(200))
                .verdict::<CompromiseReachesOperator>(json!({
                    "call": "disclosed", "peer": "mallory", "conforming": "alice", "baseline": "baseline",
                    "events": ["events-before", "events-after"], "scans": ["scan", "scan"],
                    "snapshots": ["shown", "shown"],
                }))
        };
        for named in
            ["0197b2f0-m", "https://127.0.0.1:4001", "127.0.0.1:4001", "fed:0197b2f0-m", "fed:own-0197b2f0-m"]
        {
            assert_eq!(verdict(&format!("Peer {named}: a stolen key")), Kept, "{named}");
        }
        for other in ["0197b2f0-a", "127.0.0.1:4002", "0197b2f0-m2", "127.0.0.1:40011"] {
            assert_eq!(verdict(&format!("Peer {other}: a stolen key")), Broken, "{other}");
        }
        assert_eq!(verdict("A partner was compromised"), Unproven, "it names no peer");
        assert_eq!(verdict("Compromise of 0197b2f0-a"), Broken, "it names the other one");
        assert_eq!(verdict("A partner sent a notice"), Broken);
    }

    #[test]
    fn a_finding_or_the_record_of_the_peer_is_kept_too() {
        let events = || [json!([]), json!([]), json!([event(1, "accepted", "a")])];
        let active = json!({"status": "active"});
        let finding = |kind: &str, peer: &str| json!({"kind": kind, "federation_peer_id": peer});
        let found = json!([finding("disclosed", "m")]);
        assert_eq!(verdict(200, events(), &found, &active), Kept);
        let found = json!([finding("stale", "m"), finding("stale", "a")]);
        assert_eq!(verdict(200, events(), &found, &active), Broken, "it is raised about everyone");
        let marked = json!({"status": "active", "compromised_at": "2026-06-01T00:00:00Z"});
        assert_eq!(verdict(200, events(), &json!([]), &marked), Kept);
        let unmarked = json!({"status": "active", "compromised_at": null});
        assert_eq!(verdict(200, events(), &json!([]), &unmarked), Broken);
    }

    #[test]
    fn a_disclosure_that_was_not_accepted_or_an_empty_list_is_unproven() {
        let active = json!({"status": "active"});
        let events = || [json!([]), json!([]), json!([event(1, "accepted", "a")])];
        assert_eq!(verdict(422, events(), &json!([]), &active), Unproven);
        assert_eq!(verdict(200, [json!([]), json!([]), json!([])], &json!([]), &active), Unproven);
        assert_eq!(verdict(200, [json!([]), json!([]), json!("none")], &json!([]), &active), Unproven);
    }
}
