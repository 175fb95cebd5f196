//! Commitment 9: compromise disclosure.

use jiff::{SignedDuration, Timestamp};

use super::CheckResult;
use super::common::{peer_id, peer_shown, said_by_target, whole_text};
use super::enforcement::is_suspended;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Operation, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// The period within which every partner has to be notified.
const DUE: SignedDuration = SignedDuration::from_hours(24);

/// The statuses of partners, which have to be notified. Peers of other statuses made no handshake with an
/// operator, or are partners no more. It is open whether a suspended peer has to be notified.
const IS_PARTNER: [&str; 3] = ["enrolled", "active", "degraded"];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "compromise-is-disclosed-in-time",
        about: "every partner hears of a compromise within 24 hours of its detection",
        parameters: &[
            LegacyParameter::required("start", "label of the operator's compromise.declare"),
            LegacyParameter::optional(
                "peers",
                "the partners' names; all that accepted, where none are given",
            ),
            LegacyParameter::optional(
                "standing",
                "labels of looks at them at the declaration: who is not shown as enrolled is no partner",
            ),
        ],
        evaluate: compromise_disclosed,
    },
    LegacyCheck {
        name: "suspended-until-resumed",
        about: "the peer is suspended, and the operator can resume it",
        parameters: &[
            LegacyParameter::required("before", "label of the operator's look at the peer before"),
            LegacyParameter::required("shown", "label of the look while it is suspended"),
            LegacyParameter::required("resume", "label of the operator's peer.resume"),
            LegacyParameter::required("after", "label of the look after it"),
        ],
        evaluate: suspended_until_resumed,
    },
];

fn compromise_disclosed(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(format!("{} delivered to every partner within 24 hours", kind::PEER_COMPROMISED))
    };
    let declared = trace.operation(with.text("start")).filter(|(_, operation)| operation.failure.is_none());
    let detected = declared.and_then(|(n, declare)| Some((n, Compromise::handed_in(declare)?)));
    let Some((declared, compromise)) = detected else {
        return expect(CheckResult::unproven("no compromise was declared", vec![]));
    };
    let detected_at = compromise.detected_at;
    let due_at = detected_at.checked_add(DUE).unwrap_or(Timestamp::MAX);
    let is_over = trace.entries().last().is_some_and(|entry| entry.at > due_at);
    let mut evidence = vec![declared];
    for peer in partners(trace, with) {
        let reported =
            trace.exchanges_of(peer, Direction::FromTarget).find(|(_, exchange)| discloses(exchange));
        if let Some((entry, _)) = reported.filter(|(entry, _)| entry.at <= due_at) {
            evidence.push(entry.n);
            continue;
        }
        if !is_over {
            return expect(CheckResult::unproven("the 24 hours were not waited for", evidence));
        }
        let reported_so_far = trace
            .exchanges()
            .filter(|(entry, exchange)| exchange.peer == *peer && entry.n > declared && entry.at <= due_at);
        if let Some((entry, _)) =
            { reported_so_far }.find(|(_, exchange)| compromise.is_reported_in(exchange))
        {
            let actual = format!("{peer} was told of something like it, in another form");
            return expect(CheckResult::unproven(actual, vec![declared, entry.n]));
        }
        return expect(match reported {
            Some((entry, _)) => {
                let late = entry.at.duration_since(detected_at);
                let actual = format!("{peer} heard of it {late} after the detection");
                CheckResult::broken(actual, vec![declared, entry.n])
            }
            None => CheckResult::broken(format!("{peer} did not hear of it"), vec![declared]),
        });
    }
    if evidence.len() == 1 {
        return expect(CheckResult::unproven("there was no partner", evidence));
    }
    expect(CheckResult::kept(format!("{} partners heard in time", evidence.len() - 1), evidence))
}

fn partners<'a>(trace: &'a Trace, with: Arguments<'a>) -> Vec<&'a str> {
    let named = with.texts("peers");
    let named = if named.is_empty() { accepted(trace) } else { named };
    let looks: Vec<_> =
        with.texts("standing").into_iter().filter_map(|label| standing(trace, label)).collect();
    let is_partner = |name: &str| {
        let id = peer_id(trace, name);
        looks
            .iter()
            .any(|(looked_at, status)| Some(*looked_at) == id.as_deref() && IS_PARTNER.contains(status))
    };
    named.into_iter().filter(|name| with.texts("standing").is_empty() || is_partner(name)).collect()
}

/// Returns the peer that the operator read, and its status.
fn standing<'a>(trace: &'a Trace, label: &str) -> Option<(&'a str, &'a str)> {
    let (_, look) = trace.operation(label)?;
    Some((look.parameters["peer_id"].as_str()?, look.result.as_ref()?["peer"]["status"].as_str()?))
}

fn accepted(trace: &Trace) -> Vec<&str> {
    let accepts = trace.exchanges().filter(|(_, exchange)| exchange.route() == Some(Route::Accept));
    let accepted =
        accepts.filter(|(_, exchange)| exchange.direction == Direction::ToTarget && exchange.succeeded());
    accepted.map(|(_, exchange)| exchange.peer.as_str()).collect()
}

fn discloses(exchange: &Exchange) -> bool {
    let events = exchange.sent().and_then(|body| body["events"].as_array());
    exchange.succeeded() && events.into_iter().flatten().any(|event| event["kind"] == kind::PEER_COMPROMISED)
}

/// A compromise, as the operator declared it.
struct Compromise<'a> {
    detected_at: Timestamp,
    summary: &'a str,
}

impl<'a> Compromise<'a> {
    fn handed_in(declare: &'a Operation) -> Option<Self> {
        let text = |name: &str| declare.parameters[name].as_str();
        let summary = text("summary").unwrap_or_default();
        Some(Self { detected_at: text("detected_at")?.parse().ok()?, summary })
    }

    /// Returns whether the target may have disclosed the compromise in a form that the binding doesn't know:
    /// it sent the content of the declaration, or mentioned such an incident where a disclosure may be,
    /// whatever the outcome of the call.
    fn is_reported_in(&self, exchange: &Exchange) -> bool {
        const WORDS: [&str; 5] = ["incident", "breach", "intrusion", "security", "exfiltrat"];
        let Some(said) = said_by_target(exchange) else { return false };
        let text = whole_text(said);
        let speaks = |text: &str| WORDS.iter().any(|word| text.contains(word));
        let events = said.body.json().and_then(|body| body["events"].as_array());
        let mut events = events.into_iter().flatten().map(|event| event.to_string().to_lowercase());
        let is_unknown = exchange.direction == Direction::FromTarget && exchange.route().is_none();
        self.stands_in(&text)
            || text.contains("compromise")
            || events.any(|event| speaks(&event))
            || is_unknown && speaks(&text)
    }

    fn stands_in(&self, text: &str) -> bool {
        // To the second: the fraction and the zone may be written in other ways.
        let detected_at = self.detected_at.strftime("%Y-%m-%dt%H:%M:%S").to_string();
        let moments = [detected_at.replace('t', " "), detected_at, self.detected_at.as_second().to_string()];
        let summary = self.summary.to_lowercase();
        moments.iter().any(|moment| text.contains(moment)) || !summary.is_empty() && text.contains(&summary)
    }
}

fn suspended_until_resumed(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("suspended at once, and not after peer.resume");
    let status = |name: &str| {
        let (n, peer) = peer_shown(trace, with.text(name))?;
        Some((n, is_suspended(peer), peer["status"].as_str()?))
    };
    let (Some(before), Some(shown), Some(after)) = (status("before"), status("shown"), status("after"))
    else {
        return expect(CheckResult::unproven("the peer was not shown", vec![]));
    };
    let evidence = vec![before.0, shown.0, after.0];
    if before.1 != Some(false) {
        return expect(CheckResult::unproven(format!("it was {} before", before.2), evidence));
    }
    match shown.1 {
        Some(true) => {}
        Some(false) => return expect(CheckResult::broken(format!("it is {}", shown.2), evidence)),
        None => return expect(CheckResult::unproven(format!("what status is {}?", shown.2), evidence)),
    }
    let resumed = trace.operation(with.text("resume"));
    let refused = resumed.filter(|(_, resume)| resume.failure.is_some());
    match (after.1, refused) {
        // A review may require more than one method of the operator.
        (Some(true), Some((n, _))) => {
            expect(CheckResult::unproven("suspended; peer.resume was refused", vec![shown.0, n]))
        }
        _ if after.1 == Some(true) || after.2 == "revoked" => {
            expect(CheckResult::broken(format!("after peer.resume it is {}", after.2), evidence))
        }
        _ => expect(CheckResult::kept(format!("suspended, and {} after peer.resume", after.2), evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, OperationFailure, Recorder, What};
    use serde_json::{Value, json};

    /// Returns the verdict if the compromise is detected at once and alice is notified after this many
    /// seconds. The trace ends after 25 hours.
    fn heard_after(seconds: Option<i64>, body: &Value) -> Verdict {
        called_after(seconds, (&Route::Heartbeat.path(), 200), body)
    }

    /// Returns the same verdict, for a call of this path that gets this status.
    fn called_after(seconds: Option<i64>, (path, status): (&str, u16), body: &Value) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock.clone());
        let operation = |method: &str| {
            let parameters = json!({"detected_at": "2026-06-01T00:00:00Z", "summary": "A stolen key"});
            What::Operation(Operation {
                method: method.into(),
                parameters,
                result: Some(json!({})),
                failure: None,
            })
        };
        recorder.record(None, Some("declared"), operation("compromise.declare"));
        clock.advance_seconds(seconds.unwrap_or(0));
        if seconds.is_some() {
            let mut exchange = Exchange::from_target("alice").sending(body.clone()).answered(status);
            exchange.request.method = Some("POST".into());
            exchange.request.path = Some(path.into());
            recorder.record(None, None, What::Exchange(exchange));
        }
        clock.advance_seconds(25 * 3600 - seconds.unwrap_or(0));
        recorder.record(None, None, operation("clock.now"));
        let with = [("start", "declared"), ("peers", "alice")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        compromise_disclosed(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_disclosure_after_24_hours_or_none_is_broken() {
        let notice = json!({"events": [{"kind": kind::PEER_COMPROMISED}]});
        assert_eq!(heard_after(Some(86_400), &notice), Kept);
        assert_eq!(heard_after(Some(86_401), &notice), Broken);
        assert_eq!(heard_after(None, &notice), Broken);
        assert_eq!(heard_after(Some(1), &json!({"notes": "Compromise of a key"})), Unproven);
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
            assert_eq!(heard_after(Some(1), &reported), Unproven, "{reported}");
            assert_eq!(heard_after(Some(86_401), &reported), Broken, "{reported}");
        }
        let notices = "/api/v1/system/federation_api/security_notices";
        assert_eq!(called_after(Some(1), (notices, 404), &json!({"key": "revoked"})), Unproven);
        assert_eq!(called_after(Some(1), ("/hooks", 404), &json!("an intrusion")), Unproven);
        assert_eq!(called_after(Some(1), ("/hooks", 404), &json!("all is well")), Broken);
        let default = json!({"capabilities": {"resource_kinds": [{"kind": "security_group"}]}, "events": []});
        assert_eq!(heard_after(Some(1), &default), Broken);
    }

    #[test]
    fn who_is_short_of_enrolled_is_owed_nothing() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let reported = |statuses: [&str; 2]| {
            let recorder = Recorder::in_memory("x", clock.clone());
            let operation = |label: &str, parameters: Value, result: Value| {
                let result = Some(result);
                let operation = Operation { method: "x".into(), parameters, result, failure: None };
                recorder.record(None, Some(label), What::Operation(operation));
            };
            let at = clock.now();
            for (name, status) in ["alice", "bob"].into_iter().zip(statuses) {
                operation(name, json!({}), json!({"peer_id": name}));
                let look = json!({"peer": {"status": status}});
                operation(&format!("{name}-stands"), json!({"peer_id": name}), look);
            }
            operation("start", json!({"detected_at": at.to_string()}), json!({}));
            recorder.record(None, None, What::Exchange(notice("alice")));
            clock.advance_seconds(25 * 3600);
            operation("end", json!({}), json!({}));
            let with = json!({
                "start": "start", "peers": ["alice", "bob"], "standing": ["alice-stands", "bob-stands"],
            });
            let with = serde_json::from_value(with).expect("arguments");
            compromise_disclosed(&recorder.trace(), Arguments::new(&with)).verdict
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

    fn reviewed(statuses: [&str; 3]) -> Verdict {
        reviewed_where(statuses, None)
    }

    /// Returns the same verdict if the operator's method is refused with this message.
    fn reviewed_where(statuses: [&str; 3], refusal: Option<&str>) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for (label, status) in ["before", "shown", "after"].iter().zip(statuses) {
            let result = Some(json!({"peer": {"status": status}}));
            let method = "peer.show".into();
            let operation = Operation { method, parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        }
        let failure =
            refusal.map(|message| OperationFailure::Refused { code: -32009, message: message.into() });
        let method = "peer.resume".into();
        let resume = Operation { method, parameters: json!({}), result: None, failure };
        recorder.record(None, Some("resume"), What::Operation(resume));
        let with = ["before", "shown", "resume", "after"].map(|name| (name.to_owned(), json!(name)));
        let with = with.into_iter().collect();
        suspended_until_resumed(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_peer_that_is_not_suspended_or_stays_so_after_the_review_is_broken() {
        assert_eq!(reviewed(["active", "suspended", "enrolled"]), Kept);
        assert_eq!(reviewed(["active", "suspended", "accepted"]), Kept);
        assert_eq!(reviewed(["active", "active", "active"]), Broken);
        assert_eq!(reviewed(["active", "suspended", "suspended"]), Broken);
        assert_eq!(reviewed(["suspended", "suspended", "active"]), Unproven);
        let pending = Some("a second operator has to agree");
        assert_eq!(reviewed_where(["active", "suspended", "suspended"], pending), Unproven);
        assert_eq!(reviewed_where(["active", "suspended", "revoked"], pending), Broken);
    }
}
