//! Commitment 2: reciprocity of grants.

mod beyond;
mod watched;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::check::CheckResult;
use crate::check::common::{is_turned_down, peer_id, reply_summary};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use crate::check::model::{is_denied, last_put};
use covenant_model::transcript::{Direction, Entry, Exchange, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

const CALL: LegacyParameter = LegacyParameter::required("call", "labels of the requests under the grant");
const RECORD: LegacyParameter =
    LegacyParameter::required("record", "label of the operation that issued the grant");

/// The margin after the end of a grant. A platform may count in whole seconds; in the second in which a grant
/// ends it may either serve or refuse.
const ROUNDED_UP_BY: SignedDuration = SignedDuration::from_secs(2);
/// The margin before the end of a grant: a platform that counts in whole seconds may be ahead by this much.
const ROUNDED_DOWN_BY: SignedDuration = SignedDuration::from_secs(1);

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "granted-requests-are-served",
        about: "each request that a grant allows, by the model of a grant, is served",
        parameters: &[
            CALL,
            RECORD,
            LegacyParameter::optional(
                "until_seconds",
                "how close to the grant's end a request has to have been served",
            ),
        ],
        evaluate: granted_is_served,
    },
    LegacyCheck {
        name: "ended-grant-is-rejected",
        about: "no request is served that a grant would allow, had it not ended",
        parameters: &[
            CALL,
            RECORD,
            LegacyParameter::optional("probe", "label of valid calls that are made when the grant is over"),
        ],
        evaluate: ended_is_refused,
    },
    LegacyCheck {
        name: "grant-revocation-announced",
        about: "the end of a grant is announced to the peer that has it",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that has the grant"),
            LegacyParameter::required("revoke", "label of the operator's grant.revoke"),
        ],
        evaluate: grant_revocation_announced,
    },
    beyond::BEYOND_IS_REFUSED,
    watched::GRANT_LASTS,
    watched::GRANT_ENDS,
];

fn granted_is_served(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("2xx for each request that the grant allows");
    let Some(grant) = Grant::read(trace, with.text("record")) else {
        return expect(CheckResult::unproven("no grant was issued", vec![]));
    };
    let asked = requests(trace, &with.texts("call"));
    let allowed: Vec<_> = asked
        .into_iter()
        .filter(|(entry, call)| grant.covers(trace, call) && !grant.has_ended(trace, entry))
        .filter(|(entry, call)| !is_absent(trace, entry, call))
        .collect();
    if let Some((entry, exchange)) = allowed.iter().find(|(entry, call)| is_denied(trace, entry.n, call)) {
        let actual = format!("{}: it says that the record is not there", reply_summary(exchange));
        return expect(CheckResult::broken(actual, vec![grant.n, entry.n]));
    }
    if let Some((entry, exchange)) = allowed.iter().find(|(_, exchange)| is_turned_down(exchange)) {
        return expect(CheckResult::broken(reply_summary(exchange), vec![grant.n, entry.n]));
    }
    match allowed.iter().find(|(_, exchange)| !exchange.succeeded()) {
        Some((entry, exchange)) => {
            expect(CheckResult::unproven(reply_summary(exchange), vec![grant.n, entry.n]))
        }
        None if allowed.is_empty() => {
            expect(CheckResult::unproven("nothing was asked that is allowed", vec![grant.n]))
        }
        None => expect(served_until(&grant, with, &allowed)),
    }
}

/// Returns the result if all that was allowed was served. If the check asks for it, the last request has to
/// be made within a number of seconds before the end. A clock that runs between moves may pass the end before
/// the last request arrives.
fn served_until(grant: &Grant, with: Arguments<'_>, served: &[(&Entry, &Exchange)]) -> CheckResult {
    let evidence = served.iter().map(|(entry, _)| entry.n).collect();
    let seconds = served.iter().map(|(entry, _)| grant.seconds_left(entry)).min().unwrap_or(i64::MAX);
    if with.number("until_seconds").is_some_and(|until| seconds > until) {
        let actual = format!("the last request that was served came {seconds} s before the grant's end");
        return CheckResult::unproven(actual, evidence);
    }
    let actual =
        format!("{} allowed requests were served, the last {seconds} s before its end", served.len());
    CheckResult::kept(actual, evidence)
}

/// Returns whether the answer says that a record is not there, and nobody put it there.
fn is_absent(trace: &Trace, entry: &Entry, exchange: &Exchange) -> bool {
    const NOT_FOUND: u16 = 404;
    let Some(Route::Resource { kind, id }) = exchange.route() else { return false };
    exchange.status() == Some(NOT_FOUND) && last_put(trace, entry.n, &kind, &id).is_none()
}

fn ended_is_refused(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("4xx for each request under a grant that has ended");
    let Some(grant) = Grant::read(trace, with.text("record")) else {
        return expect(CheckResult::unproven("no grant was issued", vec![]));
    };
    let asked = requests(trace, &with.texts("call"));
    let ended: Vec<_> = asked
        .into_iter()
        .filter(|(entry, call)| grant.covers(trace, call) && grant.ended_before(trace, entry))
        .collect();
    if let Some((entry, exchange)) = ended.iter().find(|(_, exchange)| exchange.succeeded()) {
        return expect(CheckResult::broken(reply_summary(exchange), vec![grant.n, entry.n]));
    }
    if ended.is_empty() {
        return expect(CheckResult::unproven("nothing was asked after its end", vec![grant.n]));
    }
    if let Some((entry, exchange)) = ended.iter().find(|(_, exchange)| !exchange.was_refused()) {
        let actual = format!("neither refused nor accepted: {}", reply_summary(exchange));
        return expect(CheckResult::unproven(actual, vec![grant.n, entry.n]));
    }
    let mut probes = with.texts("probe").into_iter().flat_map(|label| trace.exchanges_labelled(label));
    if let Some((n, exchange)) = probes.find(|(_, exchange)| !exchange.succeeded()) {
        let actual = format!("refused, but so was a valid call: {}", reply_summary(exchange));
        return expect(CheckResult::unproven(actual, vec![grant.n, n]));
    }
    let evidence = ended.iter().map(|(entry, _)| entry.n).collect();
    expect(CheckResult::kept(format!("{} late requests were refused", ended.len()), evidence))
}

fn requests<'a>(trace: &'a Trace, labels: &[&str]) -> Vec<(&'a Entry, &'a Exchange)> {
    trace
        .exchanges()
        .filter(|(entry, _)| entry.label.as_deref().is_some_and(|label| labels.contains(&label)))
        .collect()
}

/// The model of a grant: its peer, its scope and its end.
struct Grant {
    n: u64,
    peer_id: String,
    kind: String,
    id: Option<String>,
    scopes: Vec<String>,
    /// The end as it was reported, and the end that follows from the request: the clock of the target may
    /// differ from that of the suite.
    ends: [Timestamp; 2],
    own_id: String,
}

impl Grant {
    fn read(trace: &Trace, label: &str) -> Option<Self> {
        let (n, issue) = trace.operation(label)?;
        let (asked, given) = (&issue.parameters, issue.result.as_ref()?);
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let recorded: Timestamp = given["expires_at"].as_str()?.parse().ok()?;
        let issued_at = trace.entries().iter().find(|entry| entry.n == n)?.at;
        let days = asked["ttl_days"].as_i64().map(|days| SignedDuration::from_hours(24 * days));
        let asked_for = days.and_then(|days| issued_at.checked_add(days).ok());
        Some(Self {
            n,
            peer_id: text(&asked["peer_id"])?,
            kind: text(&asked["resource_kind"])?,
            id: text(&asked["resource_id"]),
            scopes: asked["permission_scopes"].as_array()?.iter().filter_map(text).collect(),
            ends: [recorded, asked_for.unwrap_or(recorded)],
            own_id: text(&given["grant_id"])?,
        })
    }

    /// Returns whether the grant allows this call, regardless of the time.
    fn covers(&self, trace: &Trace, call: &Exchange) -> bool {
        let (kind, id, scope) = match call.route() {
            Some(Route::Resource { kind, id }) => (kind, id, "read"),
            Some(Route::Migrations) => {
                let text = |name: &str| {
                    call.sent().and_then(|plan| plan[name].as_str()).unwrap_or_default().to_owned()
                };
                (text("root_resource_kind"), text("root_resource_id"), "migrate")
            }
            _ => return false,
        };
        peer_id(trace, &call.peer).as_ref() == Some(&self.peer_id)
            && kind == self.kind
            && self.id.as_ref().is_none_or(|own| *own == id)
            && self.scopes.iter().any(|own| own == scope)
    }

    /// Returns whether the grant has ended. Within the rounding of a clock around its end, either answer is
    /// right.
    fn has_ended(&self, trace: &Trace, entry: &Entry) -> bool {
        let late = entry.at.saturating_add(ROUNDED_DOWN_BY).unwrap_or(Timestamp::MAX);
        self.ends.iter().any(|end| late >= *end) || self.was_revoked(trace, entry)
    }

    /// Returns the seconds until the earlier of its ends.
    fn seconds_left(&self, entry: &Entry) -> i64 {
        self.ends.iter().map(|end| end.duration_since(entry.at).as_secs()).min().unwrap_or_default()
    }

    fn ended_before(&self, trace: &Trace, entry: &Entry) -> bool {
        let early = entry.at.saturating_sub(ROUNDED_UP_BY).unwrap_or(Timestamp::MIN);
        self.ends.iter().all(|end| early >= *end) || self.was_revoked(trace, entry)
    }

    fn was_revoked(&self, trace: &Trace, entry: &Entry) -> bool {
        let mut before = trace
            .entries()
            .iter()
            .take_while(|other| other.n < entry.n)
            .filter_map(|other| other.operation());
        before.any(|op| {
            op.method == "grant.revoke" && op.failure.is_none() && op.parameters["grant_id"] == *self.own_id
        })
    }
}

/// Evaluates whether a revoked grant is announced. The order of the notice and the first refusal is open: the
/// contract asks for a notice beside the revocation, and a notice takes time.
fn grant_revocation_announced(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting(format!("{} with the grant's id", kind::GRANT_REVOKED));
    let revoked = trace.operation(with.text("revoke"));
    let Some((revoked, grant)) = revoked.and_then(|(n, op)| Some((n, op.parameters["grant_id"].as_str()?)))
    else {
        return expect(CheckResult::unproven("no grant was revoked", vec![]));
    };
    let mut recorded = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    if let Some((entry, _)) = recorded.find(|(_, exchange)| announces(exchange, Some(grant))) {
        return expect(CheckResult::kept("it was announced", vec![revoked, entry.n]));
    }
    match notice_of_another_form(trace, with.text("peer")) {
        Some(n) => expect(CheckResult::unproven(
            "the peer was told of a revocation in another form",
            vec![revoked, n],
        )),
        None => expect(CheckResult::broken("no notice of any form", vec![revoked])),
    }
}

/// Returns whether the target reports the end of this grant, or of any grant if the id is unknown.
fn announces(exchange: &Exchange, grant: Option<&str>) -> bool {
    let events = exchange.sent().and_then(|body| body["events"].as_array());
    events
        .into_iter()
        .flatten()
        .filter(|event| event["kind"] == kind::GRANT_REVOKED)
        .any(|event| grant.is_none_or(|grant| event["payload"]["grant_id"] == grant))
}

/// Returns the entry of a notice whose form the binding does not know. Silence is evaluated by the contract,
/// so such a notice does not make the clause broken.
fn notice_of_another_form(trace: &Trace, peer: &str) -> Option<u64> {
    let mut recorded = trace.exchanges_of(peer, Direction::FromTarget);
    recorded
        .find(|(_, exchange)| {
            let text = exchange.sent().map(|body| body.to_string().to_lowercase()).unwrap_or_default();
            text.contains("grant") && ["revok", "withdraw", "terminat"].iter().any(|word| text.contains(word))
        })
        .map(|(entry, _)| entry.n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Message, Operation, Recorder, What};
    use serde_json::json;

    fn exchange(direction: Direction, body: &Value, status: u16) -> What {
        What::Exchange(Exchange::made("alice", direction).sending(body.clone()).answered(status))
    }

    /// Returns the verdict on a target that sends this after the revocation.
    fn verdict(recorded: Option<Value>) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let revoke = Operation {
            method: "grant.revoke".into(),
            parameters: json!({"grant_id": "g"}),
            result: Some(json!({})),
            failure: None,
        };
        recorder.record(None, Some("revoked"), What::Operation(revoke));
        recorder.record(None, None, exchange(Direction::ToTarget, &json!({}), 401));
        if let Some(body) = recorded {
            recorder.record(None, None, exchange(Direction::FromTarget, &body, 200));
        }
        let with = [("peer", "alice"), ("revoke", "revoked")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        grant_revocation_announced(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_notice_that_is_never_sent_is_broken() {
        let notice =
            |id: &str| json!({"events": [{"kind": kind::GRANT_REVOKED, "payload": {"grant_id": id}}]});
        assert_eq!(verdict(Some(notice("g"))), Kept);
        assert_eq!(verdict(None), Broken);
        assert_eq!(verdict(Some(json!({"status": "active"}))), Broken);
        assert_eq!(verdict(Some(json!({"note": "your grant g was revoked"}))), Unproven);
    }

    /// Builds a trace with a grant of seven days, whose reported end is this many seconds later than
    /// requested. Record `id` is read under it this many seconds before the requested end, with this answer.
    fn trace(reported_later: i64, id: &str, before: i64, status: u16) -> Trace {
        const WEEK: i64 = 7 * 24 * 3600;
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let clock = Clock::manual(start);
        let recorder = Recorder::in_memory("x", clock.clone());
        let operation = |label: Option<&str>, method: &str, parameters: Value, result: Value| {
            let operation =
                Operation { method: method.into(), parameters, result: Some(result), failure: None };
            recorder.record(None, label, What::Operation(operation));
        };
        operation(Some("alice"), "peer.join", json!({}), json!({"peer_id": "row"}));
        let put = json!({"kind": "skill", "id": "there", "record": {"name": "a"}});
        operation(None, "resource.put", put, json!({}));
        let asked =
            json!({"peer_id": "row", "resource_kind": "skill", "permission_scopes": ["read"], "ttl_days": 7});
        let ends = start + SignedDuration::from_secs(WEEK + reported_later);
        let given = json!({"grant_id": "g", "expires_at": ends.to_string()});
        operation(Some("grant"), "grant.issue", asked, given);
        clock.advance_seconds(WEEK - before);
        let mut asked = exchange(Direction::ToTarget, &json!({}), status);
        if let What::Exchange(call) = &mut asked {
            let path = Route::Resource { kind: "skill".into(), id: id.into() }.path();
            call.request = Message { method: Some("GET".into()), path: Some(path), ..Message::default() };
        }
        recorder.record(None, Some("asked"), asked);
        recorder.trace()
    }

    /// Returns the verdicts of both checks on that trace.
    fn verdicts(reported_later: i64, id: &str, before: i64, status: u16) -> [Verdict; 2] {
        let trace = trace(reported_later, id, before, status);
        let with = [("call", "asked"), ("record", "grant")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        [granted_is_served, ended_is_refused].map(|check| check(&trace, Arguments::new(&with)).verdict)
    }

    #[test]
    fn what_was_served_long_before_the_end_says_nothing_of_the_end() {
        let verdict = |reported_later: i64, before: i64| {
            let with = [("call", json!("asked")), ("record", json!("grant")), ("until_seconds", json!(60))]
                .map(|(name, value)| (name.to_owned(), value))
                .into();
            granted_is_served(&trace(reported_later, "there", before, 200), Arguments::new(&with)).verdict
        };
        assert_eq!([verdict(0, 2), verdict(0, 60)], [Kept, Kept]);
        assert_eq!([verdict(0, 61), verdict(0, 3 * 24 * 3600)], [Unproven, Unproven]);
        assert_eq!(verdict(3600, 30), Kept, "its end as it was asked for is near");
    }

    #[test]
    fn a_grant_ends_when_it_was_reported_to() {
        assert_eq!(verdicts(0, "there", 2, 200), [Kept, Unproven]);
        assert_eq!(verdicts(0, "there", 2, 401), [Broken, Unproven]);
        assert_eq!(verdicts(0, "there", -1, 200), [Unproven, Unproven]);
        assert_eq!(verdicts(0, "there", -2, 200), [Unproven, Broken]);
        assert_eq!(verdicts(0, "there", -2, 401), [Unproven, Kept]);
        assert_eq!(verdicts(3600, "there", -600, 200), [Unproven, Unproven], "told to end an hour later");
        assert_eq!(verdicts(-3600, "there", 600, 401), [Unproven, Unproven], "its clock is an hour behind");
    }

    #[test]
    fn what_is_not_there_and_what_comes_later_is_no_grant_refused() {
        assert_eq!(verdicts(0, "absent", 2, 404)[0], Unproven);
        assert_eq!(verdicts(0, "there", 2, 404)[0], Broken);
        assert_eq!(verdicts(0, "there", 2, 429)[0], Unproven);
    }
}
