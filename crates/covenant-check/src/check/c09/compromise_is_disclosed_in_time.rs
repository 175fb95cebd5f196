//! `compromise-is-disclosed-in-time`.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::{full_text, message_of_target};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, events, peer_id, silence, succeeded_operation};
use covenant_model::operator::OperatorMethod;
use covenant_model::operator::release::DeclareCompromise;
use covenant_model::transcript::{Direction, Exchange, Operation, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;

/// The period within which every partner has to be notified.
const DUE: SignedDuration = SignedDuration::from_hours(24);

/// The statuses of partners, which have to be notified. Peers of other statuses made no handshake with an
/// operator, or are partners no more. It is open whether a suspended peer has to be notified.
const PARTNER_STATUS: [&str; 3] = ["enrolled", "active", "degraded"];

/// The reason for which the check ends without a declaration.
const NOT_DECLARED: &str = "no compromise was declared";

/// Every partner is notified of a compromise within 24 hours of its detection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CompromiseIsDisclosedInTime {
    /// The operator's `compromise.declare`.
    pub declare: Label,
    /// The partners; all peers that accepted, if the list is empty.
    #[serde(default)]
    pub peers: Vec<PeerName>,
    /// The snapshots of the peers at the declaration: a peer that none of them shows as enrolled is no
    /// partner.
    pub snapshots: Option<Labels>,
}

impl Check for CompromiseIsDisclosedInTime {
    const ID: &'static str = "compromise-is-disclosed-in-time";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["platform.peer.compromised delivered to every partner within 24 hours"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (declared, operation) = succeeded_operation(trace, &self.declare, NOT_DECLARED)?;
        let compromise = Compromise::declared_by(operation).or_unproven(NOT_DECLARED)?;
        let others = Others::of(trace, declared, &compromise);
        let due_at = compromise.detected_at.checked_add(DUE).unwrap_or(Timestamp::MAX);
        let is_over = trace.last().is_some_and(|(_, at)| at > due_at);
        let mut evidence = vec![declared];
        let mut open = None;
        for peer in self.partners(trace) {
            let sent = || calls(trace).of(peer).made_by_target().filter(|call| !others.has(call));
            let disclosure = sent().find(|call| discloses(call.exchange));
            if let Some(call) = disclosure.filter(|call| call.at() <= due_at) {
                evidence.push(call.n());
                continue;
            }
            if !is_over {
                return Err(Stop::unproven("the scenario ends before the 24 hours do", evidence));
            }
            let after = calls(trace).of(peer).after(declared).filter(|call| !others.has(call));
            let mut in_time = after.filter(|call| call.at() <= due_at);
            if let Some(call) = in_time.find(|call| compromise.is_reported_in(call.exchange)) {
                let actual = format!("{peer} was notified of something like it, in another form");
                return Err(Stop::unproven(actual, [declared, call.n()]));
            }
            if self.is_partner(trace, peer).is_none() {
                let actual = format!(
                    "{peer} was not notified in time, and may be no partner: its status is not known"
                );
                open.get_or_insert_with(|| Stop::unproven(actual, [declared]));
                continue;
            }
            return Err(match disclosure {
                Some(call) => {
                    let late = call.at().duration_since(compromise.detected_at);
                    let actual = format!("{peer} was notified {late} after the detection");
                    Stop::final_breach(actual, [declared, call.n()])
                }
                None => not_notified(trace, peer, declared),
            });
        }
        if let Some(open) = open {
            return Err(open);
        }
        if evidence.len() == 1 {
            return Err(Stop::unproven("there was no partner", evidence));
        }
        Ok(Pass::new(format!("{} partners were notified in time", evidence.len() - 1), evidence))
    }
}

impl CompromiseIsDisclosedInTime {
    /// Returns the peers that have to be notified.
    fn partners<'a>(&'a self, trace: &'a Trace) -> Vec<&'a str> {
        let mut peers: Vec<&str> = self.peers.iter().map(|peer| &**peer).collect();
        if peers.is_empty() {
            let accepts = calls(trace).made_by_peer().on(Route::Accept).accepted();
            peers = accepts.map(|call| call.exchange.peer.as_str()).collect();
        }
        peers.retain(|peer| self.is_partner(trace, peer) != Some(false));
        peers
    }

    /// Returns whether the snapshots show a peer as a partner, or `None` if they show it in a status that is none of the wire, or
    /// not at all.
    fn is_partner(&self, trace: &Trace, peer: &str) -> Option<bool> {
        let labels: Vec<&str> = self.snapshots.iter().flat_map(Labels::iter).collect();
        if labels.is_empty() {
            return Some(true);
        }
        // A peer without an id did not join.
        let Some(id) = peer_id(trace, peer) else { return Some(false) };
        let statuses = labels.iter().filter_map(|label| id_and_status(trace, label));
        let of_peer: Vec<&str> =
            statuses.filter(|(shown, _)| *shown == id).map(|(_, status)| status).collect();
        if of_peer.iter().any(|status| PARTNER_STATUS.contains(status)) {
            return Some(true);
        }
        let is_known =
            |status: &&str| PeerStatus::parse(status).is_some() || PeerStatus::means_suspended(status);
        (!of_peer.is_empty() && of_peer.iter().all(is_known)).then_some(false)
    }
}

/// Returns the breach towards a partner to whom no disclosure was delivered: it may have been sent in vain.
fn not_notified(trace: &Trace, peer: &str, declared: u64) -> Stop {
    let mut sent = calls(trace).of(peer).made_by_target();
    match sent.find(|call| has_disclosure(call.exchange)) {
        Some(call) => {
            let actual = format!("{peer} was not notified: {}", call.summary());
            Stop::broken(actual, [declared, call.n()])
        }
        None => silence(trace, peer, format!("{peer} was not notified"), [declared]),
    }
}

/// Returns the id and the status of the peer in a snapshot.
fn id_and_status<'a>(trace: &'a Trace, label: &str) -> Option<(&'a str, &'a str)> {
    let (_, snapshot) = trace.operation(label)?;
    Some((snapshot.parameters["peer_id"].as_str()?, snapshot.result.as_ref()?["peer"]["status"].as_str()?))
}

/// Returns whether a call delivers the disclosure.
fn discloses(exchange: &Exchange) -> bool {
    exchange.succeeded() && has_disclosure(exchange)
}

/// Returns whether a call carries the disclosure, whatever its answer.
fn has_disclosure(exchange: &Exchange) -> bool {
    events(&exchange.request).any(|event| event["kind"] == kind::PEER_COMPROMISED)
}

/// The other compromises of a scenario. Their notices disclose nothing of this one.
struct Others {
    /// The times of their detections.
    detected_at: Vec<Timestamp>,
    /// The entry of the latest that was declared before this one.
    earlier: Option<u64>,
}

impl Others {
    fn of(trace: &Trace, declared: u64, compromise: &Compromise<'_>) -> Self {
        let others = || trace.operations([DeclareCompromise::METHOD]).filter(|(n, _)| *n != declared);
        let detected_at = others()
            .filter_map(|(_, operation)| Compromise::declared_by(operation))
            .map(|other| other.detected_at)
            .filter(|at| !is_same_second(*at, compromise.detected_at));
        let earlier = others().map(|(n, _)| n).filter(|n| *n < declared).max();
        Self { detected_at: detected_at.collect(), earlier }
    }

    /// Returns whether each disclosure in a call is one of another compromise: by the time of the detection that it names, or,
    /// where it names none, since the call comes before an earlier declaration.
    fn has(&self, call: &Call<'_>) -> bool {
        let mut disclosures =
            events(&call.exchange.request).filter(|event| event["kind"] == kind::PEER_COMPROMISED).peekable();
        disclosures.peek().is_some()
            && disclosures.all(|event| {
                let named = event["payload"]["detected_at"].as_str().and_then(|at| at.parse().ok());
                match named {
                    Some(named) => self.detected_at.iter().any(|other| is_same_second(*other, named)),
                    None => self.earlier.is_some_and(|earlier| call.n() < earlier),
                }
            })
    }
}

/// Returns whether two times are one: a platform may store seconds alone.
fn is_same_second(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() < SignedDuration::from_secs(1)
}

/// A compromise, as the operator declared it.
struct Compromise<'a> {
    detected_at: Timestamp,
    summary: &'a str,
}

impl<'a> Compromise<'a> {
    fn declared_by(operation: &'a Operation) -> Option<Self> {
        let text = |name: &str| operation.parameters[name].as_str();
        let summary = text("summary").unwrap_or_default();
        Some(Self { detected_at: text("detected_at")?.parse().ok()?, summary })
    }

    /// Returns whether the target may have disclosed the compromise in a form that the binding doesn't know:
    /// it sent the content of the declaration, or mentioned such an incident where a disclosure may be,
    /// whatever the outcome of the call.
    fn is_reported_in(&self, exchange: &Exchange) -> bool {
        const WORDS: [&str; 5] = ["incident", "breach", "intrusion", "security", "exfiltrat"];
        let Some(message) = message_of_target(exchange) else { return false };
        let text = full_text(message);
        let mentions_incident = |text: &str| WORDS.iter().any(|word| text.contains(word));
        let mut events = events(message).map(|event| event.to_string().to_lowercase());
        let is_unknown = exchange.direction == Direction::FromTarget && exchange.route().is_none();
        self.is_described_in(&text)
            || text.contains("compromise")
            || events.any(|event| mentions_incident(&event))
            || is_unknown && mentions_incident(&text)
    }

    /// Returns whether a text contains the time of the detection or the summary.
    fn is_described_in(&self, text: &str) -> bool {
        // To the second: the fraction and the zone may be written in other ways.
        let detected_at = self.detected_at.strftime("%Y-%m-%dt%H:%M:%S").to_string();
        let times = [detected_at.replace('t', " "), detected_at, self.detected_at.as_second().to_string()];
        let summary = self.summary.to_lowercase();
        times.iter().any(|time| text.contains(time)) || !summary.is_empty() && text.contains(&summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    /// Returns the verdict if the compromise is detected at once and alice is notified after this number of
    /// seconds. The trace ends after 25 hours.
    fn notified_after(seconds: Option<i64>, body: &Value) -> Verdict {
        called_after(seconds, (&Route::Heartbeat.path(), 200), body)
    }

    /// Returns the same verdict, for a call of this path that gets this status.
    fn called_after(seconds: Option<i64>, (path, status): (&str, u16), body: &Value) -> Verdict {
        let parameters = json!({"detected_at": "2026-06-01T00:00:00Z", "summary": "A stolen key"});
        let mut builder = TraceBuilder::new()
            .call_from_target(Exchange::from_target("alice").answered(200))
            .operation_with("declared", "compromise.declare", parameters, json!({}))
            .advance(seconds.unwrap_or(0));
        if seconds.is_some() {
            let mut exchange = Exchange::from_target("alice").sending(body.clone()).answered(status);
            exchange.request.method = Some("POST".into());
            exchange.request.path = Some(path.into());
            builder = builder.call_from_target(exchange);
        }
        builder
            .advance(25 * 3600 - seconds.unwrap_or(0))
            .verdict::<CompromiseIsDisclosedInTime>(json!({"declare": "declared", "peers": ["alice"]}))
    }

    #[test]
    fn a_disclosure_after_24_hours_or_none_is_broken() {
        let notice = json!({"events": [{"kind": kind::PEER_COMPROMISED}]});
        assert_eq!(notified_after(Some(86_400), &notice), Kept);
        assert_eq!(notified_after(Some(86_401), &notice), Broken);
        assert_eq!(notified_after(None, &notice), Broken);
        assert_eq!(notified_after(Some(1), &json!({"notes": "Compromise of a key"})), Unproven);
    }

    #[test]
    fn the_notice_of_another_compromise_discloses_nothing() {
        // Both are declared at the start, a day apart in their detection; one notice comes an hour later.
        let verdict = |payload: &Value, before_the_second: bool| {
            let declared = |at: &str| json!({"detected_at": at, "summary": "records were copied"});
            let notice = Exchange::from_target("alice")
                .sending(json!({"events": [{"kind": kind::PEER_COMPROMISED, "payload": payload}]}))
                .answered(200);
            let declare = DeclareCompromise::METHOD.name();
            let mut builder =
                TraceBuilder::new().call_from_target(Exchange::from_target("alice").answered(200));
            if before_the_second {
                builder = builder.call_from_target(notice.clone());
            }
            builder = builder.operation_with("first", declare, declared("2026-05-31T00:00:00Z"), json!({}));
            builder = builder.operation_with("second", declare, declared("2026-06-01T00:00:00Z"), json!({}));
            if !before_the_second {
                builder = builder.advance(3600).call_from_target(notice);
            }
            builder
                .advance(25 * 3600)
                .verdict::<CompromiseIsDisclosedInTime>(json!({"declare": "second", "peers": ["alice"]}))
        };
        let at = |at: &str| json!({ "detected_at": at });
        assert_eq!(verdict(&at("2026-05-31T00:00:00Z"), false), Broken);
        assert_eq!(verdict(&at("2026-06-01T00:00:00.4+00:00"), false), Kept);
        assert_eq!(verdict(&json!({}), false), Kept);
        assert_eq!(verdict(&json!({}), true), Broken);
        assert_eq!(verdict(&at("2026-06-01T00:00:00Z"), true), Kept, "a notice comes before the answer");
    }

    #[test]
    fn a_disclosure_in_words_of_its_own_is_no_silence() {
        let event = |kind: &str, payload: Value| json!({"events": [{"kind": kind, "payload": payload}]});
        for reported in [
            event("platform.security.incident", json!({})),
            event("platform.notice", json!({"what": "a STOLEN key"})),
            event("platform.notice", json!({"since": "2026-06-01 00:00:00 UTC"})),
            event("platform.notice", json!({"since": 1_780_272_000})),
        ] {
            assert_eq!(notified_after(Some(1), &reported), Unproven, "{reported}");
            assert_eq!(notified_after(Some(86_401), &reported), Broken, "{reported}");
        }
        let notices = "/api/v1/system/federation_api/security_notices";
        assert_eq!(called_after(Some(1), (notices, 404), &json!({"key": "revoked"})), Unproven);
        assert_eq!(called_after(Some(1), ("/hooks", 404), &json!("an intrusion")), Unproven);
        assert_eq!(called_after(Some(1), ("/hooks", 404), &json!("all is well")), Broken);
        let default = json!({"capabilities": {"resource_kinds": [{"kind": "security_group"}]}, "events": []});
        assert_eq!(notified_after(Some(1), &default), Broken);
    }

    #[test]
    fn a_peer_that_is_not_enrolled_is_not_notified() {
        let reported = |statuses: [&str; 2]| {
            let mut builder = TraceBuilder::new();
            for (name, status) in ["alice", "bob"].into_iter().zip(statuses) {
                let snapshot = json!({"peer": {"status": status}});
                let id = json!({ "peer_id": name });
                builder = builder.operation(name, "x", id.clone()).operation_with(
                    &format!("{name}-snapshot"),
                    "x",
                    id,
                    snapshot,
                );
            }
            let detected_at = json!({"detected_at": builder.now().to_string()});
            builder
                .operation_with("declared", "x", detected_at, json!({}))
                .call_from_target(notice("alice"))
                .advance(25 * 3600)
                .verdict::<CompromiseIsDisclosedInTime>(json!({
                    "declare": "declared", "peers": ["alice", "bob"],
                    "snapshots": ["alice-snapshot", "bob-snapshot"],
                }))
        };
        assert_eq!(reported(["active", "enrolled"]), Broken);
        assert_eq!(reported(["active", "degraded"]), Broken);
        assert_eq!(reported(["active", "accepted"]), Kept);
        assert_eq!(reported(["accepted", "revoked"]), Unproven);
    }

    /// Returns a disclosure that a peer accepts.
    fn notice(peer: &str) -> Exchange {
        Exchange::from_target(peer)
            .sending(json!({"events": [{"kind": kind::PEER_COMPROMISED}]}))
            .answered(200)
    }
    #[test]
    fn a_peer_of_a_status_that_is_not_known_may_be_a_partner() {
        let verdict = |status: &str, is_notified: [bool; 2]| {
            let declared = json!({"detected_at": "2026-06-01T00:00:00Z", "summary": "a stolen key"});
            let beat = |peer: &str, events: Value| {
                Exchange::from_target(peer).on("POST", "heartbeat").sending(events).answered(200)
            };
            let notice = || json!({"events": [{"kind": kind::PEER_COMPROMISED}]});
            let accept = |peer: &str| {
                let answer = json!({"data": {"peer_id": format!("{peer}'s row")}});
                Exchange::to_target(peer).on("POST", "accept").answered_with(200, answer)
            };
            let shown = |builder: TraceBuilder, peer: &str, status: &str| {
                let asked = json!({"peer_id": format!("{peer}'s row")});
                builder.operation_with(peer, "peer.show", asked, json!({"peer": {"status": status}}))
            };
            let builder = TraceBuilder::new().call("", accept("alice")).call("", accept("bob"));
            let builder =
                builder.call_from_target(beat("alice", json!({}))).call_from_target(beat("bob", json!({})));
            let builder = shown(shown(builder, "alice", status), "bob", "active");
            let mut builder = builder.operation_with("declared", "compromise.declare", declared, json!({}));
            for (peer, _) in
                ["alice", "bob"].into_iter().zip(is_notified).filter(|(_, is_notified)| *is_notified)
            {
                builder = builder.call_from_target(beat(peer, notice()));
            }
            builder.advance(25 * 3600).verdict::<CompromiseIsDisclosedInTime>(json!({
                "declare": "declared", "peers": ["alice", "bob"], "snapshots": ["alice", "bob"],
            }))
        };
        assert_eq!(verdict("connected", [true, true]), Kept);
        assert_eq!(verdict("connected", [false, true]), Unproven);
        assert_eq!(verdict("connected", [false, false]), Broken, "bob is a partner");
        assert_eq!(verdict("active", [false, true]), Broken);
        for none in ["proposed", "suspended", "suspended_pending_review", "revoked"] {
            assert_eq!(verdict(none, [false, true]), Kept, "{none}");
        }
    }
}
