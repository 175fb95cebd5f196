//! Checks of excerpts: they arrive (5.3), and they contain only entries of their peer (5.4).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::entry::member;
use crate::check::CheckResult;
use crate::check::common::{peer_id, reply_summary};
use crate::check::legacy::Arguments;
use covenant_model::transcript::{Body, Direction, Entry, Exchange, Trace};
use covenant_model::wire::header::inbound_subject;
use covenant_model::wire::path::Route;

/// The maximum time for an excerpt.
pub(in crate::check) const DUE: SignedDuration = SignedDuration::from_hours(72);
/// The tolerance around the deadline: a snapshot this soon after it counts as one at the deadline. Two
/// running clocks differ by less.
const A_MOMENT: SignedDuration = SignedDuration::from_mins(1);

/// A request for an excerpt, or a read that shows whether it is there.
struct Look<'a> {
    n: u64,
    at: Timestamp,
    exchange: &'a Exchange,
    /// The entries; `None` if no excerpt was given.
    entries: Option<Vec<Value>>,
}

fn looks<'a>(trace: &'a Trace, labels: &[&str]) -> Vec<Look<'a>> {
    let is_one = |label: Option<&str>| label.is_some_and(|label| labels.contains(&label));
    let asked = trace.exchanges().filter(|(entry, _)| is_one(entry.label.as_deref()));
    asked
        .map(|(entry, exchange)| Look { n: entry.n, at: entry.at, exchange, entries: given(exchange) })
        .collect()
}

/// Returns the entries of all lists in an answer. Another check evaluates their form.
pub(in crate::check) fn given(exchange: &Exchange) -> Option<Vec<Value>> {
    let lists: Vec<Value> = match exchange.data().filter(|_| exchange.status() == Some(200))? {
        list @ Value::Array(_) => vec![list],
        Value::Object(members) => members.into_values().filter(Value::is_array).collect(),
        _ => vec![],
    };
    let entries = lists.iter().filter_map(Value::as_array).flatten().cloned().collect();
    (!lists.is_empty()).then_some(entries)
}

/// Returns whether a promise has an id by which the promised excerpt can be requested.
pub(in crate::check) fn names_a_promise(exchange: &Exchange) -> bool {
    let promise = exchange.data().filter(|_| exchange.status() == Some(202));
    promise.is_some_and(|data| !data["request_id"].is_null() && data["request_id"] != "")
}

pub(super) fn excerpt_in_time(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("200 with the excerpt of what the peer did, within 72 hours of the request")
    };
    let looks = looks(trace, &with.texts("call"));
    let Some(first) = looks.first() else {
        return expect(CheckResult::unproven("no excerpt was asked for", vec![]));
    };
    let evidence: Vec<u64> = looks.iter().map(|look| look.n).collect();
    let answered = reply_summary(first.exchange);
    if looks.iter().all(Look::knows_no_such_route) {
        return expect(CheckResult::unproven(
            format!("it may be given in another way: {answered}"),
            evidence,
        ));
    }
    if first.exchange.was_refused() && !looks.iter().any(Look::is_taken) {
        return expect(CheckResult::broken(format!("the request was not taken: {answered}"), vec![first.n]));
    }
    let allowed = if runs(trace) { DUE + A_MOMENT } else { DUE };
    // After the excerpt is given, or if the request does not name the promise, a promise belongs to another
    // excerpt.
    let mut open = looks.iter().take_while(|look| look.entries.is_none());
    let late = |look: &&Look<'_>| {
        (look.n == first.n || look.asks_for_the_promised()) && look.is_promised_after(first.at, allowed)
    };
    if let Some(late) = open.find(late) {
        return expect(CheckResult::broken("promised for later than 72 hours", vec![first.n, late.n]));
    }
    let with_entries = |look: &&Look<'_>| look.entries.as_ref().is_some_and(|entries| !entries.is_empty());
    if let Some(look) = looks.iter().find(with_entries) {
        return expect(check_given(&looks, look));
    }
    if let Some(look) = looks.iter().rev().find(|look| look.entries.is_some()) {
        let acted = acted_before(trace, look);
        let Some(acted) = acted else {
            return expect(CheckResult::unproven("given, and empty: the peer had only just acted", evidence));
        };
        let actual = "given, and empty, though the peer had acted";
        return expect(CheckResult::broken(actual, vec![acted, first.n, look.n]));
    }
    if looks.iter().any(Look::cannot_be_read) {
        return expect(CheckResult::unproven("something was given that can't be read", evidence));
    }
    if first.is_promised() && !looks.iter().any(Look::names_a_promise) {
        return expect(CheckResult::unproven("promised in another form", evidence));
    }
    if looks.last().is_some_and(|last| last.at.duration_since(first.at) < DUE) {
        return expect(CheckResult::unproven("the 72 hours were not waited for", evidence));
    }
    expect(CheckResult::broken("not given within 72 hours", evidence))
}

/// Evaluates the time at which an excerpt was given.
fn check_given(looks: &[Look<'_>], given: &Look<'_>) -> CheckResult {
    let first = &looks[0];
    let evidence = vec![first.n, given.n];
    let after = |look: &Look<'_>| look.at.duration_since(first.at);
    if after(given) <= DUE {
        return CheckResult::kept(format!("given after {}", after(given)), evidence);
    }
    if looks.iter().any(|look| after(look) > DUE && look.n < given.n) {
        return CheckResult::broken("not given within 72 hours", evidence);
    }
    // There was no read between the deadline and this one: the excerpt may have been there in time.
    if after(given) - DUE > A_MOMENT {
        return CheckResult::unproven("nobody looked when the 72 hours were over", evidence);
    }
    CheckResult::kept("given when the 72 hours were over", evidence)
}

impl Look<'_> {
    fn is_taken(&self) -> bool {
        matches!(self.exchange.status(), Some(200 | 202))
    }

    /// Returns whether the target does not know the route. The contract asks for an excerpt, and not for this
    /// route.
    fn knows_no_such_route(&self) -> bool {
        matches!(self.exchange.status(), Some(404 | 405 | 501))
    }

    fn is_promised(&self) -> bool {
        self.exchange.status() == Some(202)
    }

    fn names_a_promise(&self) -> bool {
        names_a_promise(self.exchange)
    }

    fn asks_for_the_promised(&self) -> bool {
        self.exchange.request.path.as_deref().is_some_and(|path| path.contains("request_id="))
    }

    fn is_promised_after(&self, first: Timestamp, allowed: SignedDuration) -> bool {
        let due_at =
            self.exchange.data().and_then(|data| data.get("due_at")?.as_str()?.parse::<Timestamp>().ok());
        self.is_promised() && due_at.is_some_and(|due_at| due_at.duration_since(first) > allowed)
    }

    /// Returns whether the answer is not JSON, or is too long to be kept.
    fn cannot_be_read(&self) -> bool {
        let body = self.exchange.response.as_ref().map(|response| &response.body);
        self.exchange.status() == Some(200) && matches!(body, Some(Body::Text(_) | Body::Cut { .. }))
    }
}

/// Returns an admitted call of the peer that asks, early enough to be in the audit.
fn acted_before(trace: &Trace, look: &Look<'_>) -> Option<u64> {
    let acts = trace.exchanges_of(&look.exchange.peer, Direction::ToTarget);
    let mut acts = acts.filter(|(entry, act)| entry.n < look.n && act.succeeded());
    acts.find(|(entry, _)| look.at.duration_since(entry.at) >= A_MOMENT).map(|(entry, _)| entry.n)
}

/// Returns whether the clock runs by itself. If it does, the target's clock may differ a little from the
/// suite's.
fn runs(trace: &Trace) -> bool {
    let moves =
        |entry: &Entry| entry.operation().is_some_and(|operation| operation.method == "clock.advance");
    // An exchange that the target began may have arrived while the clock was moved.
    let stepped: Vec<&Entry> = trace.entries().iter().filter(|entry| entry.step.is_some()).collect();
    stepped.windows(2).any(|pair| pair[0].at != pair[1].at && !pair.iter().any(|entry| moves(entry)))
}

pub(super) fn excerpt_is_ones_own(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("entries about the asking peer only");
    let looks = looks(trace, &with.texts("call"));
    let answered: Vec<_> = looks.iter().filter(|look| look.exchange.status() == Some(200)).collect();
    let evidence: Vec<u64> = answered.iter().map(|look| look.n).collect();
    let Some(last) = answered.last() else {
        let asked = looks.iter().map(|look| look.n).collect();
        return expect(CheckResult::unproven("no excerpt was given", asked));
    };
    let asking = last.exchange.peer.as_str();
    if with.texts("peer").into_iter().chain([asking]).any(|peer| peer_id(trace, peer).is_none()) {
        return expect(CheckResult::unproven("the peers' ids are not known", evidence));
    }
    let names = names_of_others(trace, with);
    let given = |look: &&Look<'_>| look.entries.clone().unwrap_or_default();
    let foreign = answered.iter().find_map(|look| {
        let entry =
            given(look).into_iter().find(|entry| names.iter().any(|name| speaks_of("", entry, name)))?;
        Some((look.n, entry))
    });
    if let Some((n, entry)) = foreign {
        let action = member(&entry, "action").unwrap_or_default();
        return expect(CheckResult::broken(format!("an entry about another peer: {action}"), vec![n]));
    }
    match (&last.entries, answered.iter().map(|look| given(look).len()).max()) {
        (None, _) => expect(CheckResult::unproven("the excerpt can't be read", evidence)),
        (Some(_), None | Some(0)) => {
            expect(CheckResult::unproven("the excerpt is empty, though the peer acted", evidence))
        }
        (Some(_), Some(count)) => {
            expect(CheckResult::kept(format!("{count} entries, all about the asking peer"), evidence))
        }
    }
}

/// Returns the names of other peers: their ids, the subjects of their grants, the grants themselves, and the
/// ids of their migrations.
fn names_of_others(trace: &Trace, with: Arguments<'_>) -> Vec<String> {
    let others = with.texts("peer");
    let ids = others.iter().filter_map(|peer| peer_id(trace, peer));
    let acts = others.iter().flat_map(|peer| trace.exchanges_of(peer, Direction::ToTarget));
    let migrated = acts.filter_map(|(_, act)| Some(act.data()?["migration_id"].as_str()?.to_owned()));
    let issued: Vec<_> =
        with.texts("record").into_iter().filter_map(|label| Some(trace.operation(label)?.1)).collect();
    let subjects = issued.iter().filter_map(|issue| issue.parameters["remote_subject"].as_str());
    let grants = issued.iter().filter_map(|issue| issue.result.as_ref()?["grant_id"].as_str());
    let acts = migrated.chain(grants.map(ToOwned::to_owned)).filter(|name| is_unmistakable(name));
    acts.chain(subjects.map(ToOwned::to_owned)).chain(ids).collect()
}

/// Evaluates whether foreign entries are filed. The excerpt of a peer describes events on that peer's
/// platform, whoever it names: it is no record of events on the target. A row that the target keeps under the
/// name of the peer that gave the excerpt says no more than that.
pub(super) fn nothing_foreign_is_filed(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("nothing of the foreign entries in the audit, nor in another peer's excerpt")
    };
    let peer = with.text("peer");
    let Some((came, foreign)) = foreign_entries(trace, peer) else {
        return expect(CheckResult::unproven("the target took no excerpt with foreign entries", vec![]));
    };
    let looked = trace.labelled(with.text("shown")).filter_map(|entry| {
        Some((entry.n, entry.operation()?.result.as_ref()?["entries"].as_array()?.clone()))
    });
    let looked: Vec<_> = looked.collect();
    let evidence: Vec<u64> = [came].into_iter().chain(looked.iter().map(|(n, _)| *n)).collect();
    if looked.iter().all(|(_, entries)| entries.is_empty()) {
        return expect(CheckResult::unproven("the audit could not be read, or nothing is in it", evidence));
    }
    let given =
        looks(trace, &with.texts("call")).into_iter().filter_map(|look| Some((look.n, look.entries?)));
    let names: Vec<&str> = foreign.iter().map(String::as_str).collect();
    let entries = looked.into_iter().chain(given);
    let entries = entries.flat_map(|(n, entries)| entries.into_iter().map(move |entry| (n, entry)));
    let filed: Vec<_> = entries.filter(|(_, entry)| is_of(entry, &names)).collect();
    let giver = peer_id(trace, peer);
    let is_reported_as_its = |entry: &Value| giver.as_ref().is_some_and(|giver| speaks_of("", entry, giver));
    match filed.iter().find(|(_, entry)| !is_reported_as_its(entry)) {
        Some((n, _)) => expect(CheckResult::broken("a foreign entry stands among its own", vec![came, *n])),
        None if filed.is_empty() => expect(CheckResult::kept("nothing of them is there", evidence)),
        None => expect(CheckResult::unproven("they are there, as what that peer said", evidence)),
    }
}

/// Returns the parties other than the target that a peer's excerpt to the target names, and the ids of the
/// entries about them.
fn foreign_entries(trace: &Trace, peer: &str) -> Option<(u64, BTreeSet<String>)> {
    let excerpts = trace.exchanges_of(peer, Direction::FromTarget);
    let mut excerpts = excerpts.filter(|(_, call)| call.route() == Some(Route::AuditExcerpts));
    excerpts.find_map(|(entry, call)| {
        let (target, events) = (call.data()?["peer_id"].clone(), given(call)?);
        let foreign = events.iter().filter(|event| {
            let about = &event["payload"]["federation_peer_id"];
            about.is_string() && *about != target
        });
        let names = foreign.flat_map(|event| {
            let payload = &event["payload"];
            [&event["id"], &payload["federation_peer_id"], &payload["remote_subject"]]
        });
        let names: BTreeSet<_> = names.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        (!names.is_empty()).then_some((entry.n, names))
    })
}

/// Returns whether an entry itself belongs to one of these names, and does not only mention them.
fn is_of(entry: &Value, foreign: &[&str]) -> bool {
    let who = ["id", "federation_peer_id", "remote_subject"].map(|name| member(entry, name));
    who.into_iter().flatten().any(|said| foreign.contains(&said))
}

/// Returns whether a name occurs in an entry: anywhere in a text, or, if it may be a word or the number of
/// something else, as the entire value of a member about a peer or a subject.
fn speaks_of(member: &str, value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) if is_unmistakable(name) => stands_in(text, name),
        Value::String(text) => names_someone(member) && (text == name || *text == inbound_subject(name)),
        Value::Number(number) => names_someone(member) && number.to_string() == name,
        Value::Array(items) => items.iter().any(|item| speaks_of(member, item, name)),
        Value::Object(members) => members.iter().any(|(member, value)| speaks_of(member, value, name)),
        _ => false,
    }
}

fn is_unmistakable(name: &str) -> bool {
    const LENGTH_MIN: usize = 8;
    name.len() >= LENGTH_MIN && name.contains(|c: char| c.is_ascii_digit() || c == '-')
}

/// Returns whether a name occurs in a text, and not as a part of a longer one.
fn stands_in(text: &str, name: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    text.match_indices(name).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        let is_within_a_word = before.chars().next_back().is_some_and(char::is_alphanumeric);
        !is_within_a_word && !goes_on(after.chars().next())
    })
}

fn names_someone(member: &str) -> bool {
    const NAMES: [&str; 5] = ["subject", "caller", "actor", "grantee", "common_name"];
    let member = member.to_lowercase();
    let is_peers = member.contains("peer") && !member.ends_with("count");
    is_peers || NAMES.iter().any(|name| member.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Message, Operation, Recorder, What};
    use serde_json::json;

    fn recorder() -> (Recorder, Clock) {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        (Recorder::in_memory("x", clock.clone()), clock)
    }

    fn answer(peer: &str, path: &str, status: u16, body: Body) -> What {
        What::Exchange(Exchange {
            response: Some(Message { status: Some(status), body, ..Message::default() }),
            ..Exchange::to_target(peer).on(if path == "accept" { "POST" } else { "GET" }, path)
        })
    }

    fn enveloped(data: &Value) -> Body {
        Body::Json(json!({"success": true, "data": data}))
    }

    fn advance(recorder: &Recorder, clock: &Clock, seconds: i64) {
        let moved =
            Operation { method: "clock.advance".into(), parameters: json!({}), result: None, failure: None };
        recorder.record(Some(1), None, What::Operation(moved));
        clock.advance_seconds(seconds);
    }

    /// Returns the verdict if the peer acts, asks, and reads twice more: a second before the end of the 72
    /// hours and a second after it.
    fn looked(answers: [(u16, Body); 3]) -> Verdict {
        let (recorder, clock) = recorder();
        recorder.record(Some(1), None, answer("alice", "accept", 200, enveloped(&json!({"peer_id": "p"}))));
        for (wait, (status, body)) in [0, 259_199, 2].into_iter().zip(answers) {
            advance(&recorder, &clock, wait);
            recorder.record(Some(1), Some("asked"), answer("alice", "audit_excerpts", status, body));
        }
        let with = [("call".to_owned(), json!(["asked"]))].into();
        excerpt_in_time(&recorder.trace(), Arguments::new(&with)).verdict
    }

    fn promise() -> (u16, Body) {
        (202, enveloped(&json!({"request_id": "r", "due_at": "2026-06-04T00:00:00Z"})))
    }

    fn excerpt() -> (u16, Body) {
        (200, enveloped(&json!({"events": [{"id": "1"}], "shipments": []})))
    }

    fn empty() -> (u16, Body) {
        (200, enveloped(&json!({"events": [], "shipments": [], "count": 0})))
    }

    fn error(status: u16) -> (u16, Body) {
        (status, Body::Json(json!({"error": "no"})))
    }

    #[test]
    fn an_excerpt_after_more_than_72_hours_is_broken() {
        assert_eq!(looked([excerpt(), excerpt(), excerpt()]), Kept);
        assert_eq!(looked([promise(), excerpt(), excerpt()]), Kept);
        assert_eq!(looked([promise(), promise(), excerpt()]), Kept);
        assert_eq!(looked([promise(), promise(), promise()]), Broken);
        let late = || (202, enveloped(&json!({"due_at": "2026-06-04T00:00:01Z"})));
        assert_eq!(looked([late(), excerpt(), excerpt()]), Broken);
        // A second request is for another excerpt, with a deadline of its own.
        assert_eq!(looked([promise(), excerpt(), late()]), Kept);
    }

    #[test]
    fn an_answer_without_an_excerpt_is_none() {
        let pending = || (200, enveloped(&json!({"status": "pending"})));
        assert_eq!(looked([pending(), pending(), pending()]), Broken);
        assert_eq!(looked([pending(), excerpt(), excerpt()]), Kept);
        assert_eq!(looked([error(403), error(403), error(403)]), Broken);
        assert_eq!(looked([error(503), excerpt(), excerpt()]), Kept);
        assert_eq!(looked([error(503), error(503), error(503)]), Broken);
    }

    #[test]
    fn an_empty_excerpt_of_a_peer_that_acted_is_broken() {
        assert_eq!(looked([empty(), empty(), empty()]), Broken);
        assert_eq!(looked([promise(), empty(), empty()]), Broken);
        // The peer has only just acted.
        assert_eq!(looked([empty(), excerpt(), excerpt()]), Kept);
        assert_eq!(looked([empty(), error(422), error(422)]), Unproven);
    }

    #[test]
    fn an_excerpt_that_may_come_in_another_way_is_unproven() {
        assert_eq!(looked([error(404), error(404), error(404)]), Unproven);
        let text = || (200, Body::Text("2026-06-01,accept".to_owned()));
        assert_eq!(looked([text(), text(), text()]), Unproven);
    }

    #[test]
    fn a_promise_without_a_name_is_not_to_be_followed() {
        let promise = |data: Value| (202, enveloped(&data));
        for form in [json!({"id": "r"}), json!({"request_id": ""}), json!({"due_at": "2026-06-04T00:00:00Z"})]
        {
            let nameless = || promise(form.clone());
            assert_eq!(looked([nameless(), nameless(), nameless()]), Unproven, "{form}");
            assert_eq!(looked([nameless(), nameless(), excerpt()]), Kept, "{form}");
            assert_eq!(looked([nameless(), error(409), error(409)]), Unproven, "{form}");
        }
        let late = || promise(json!({"due_at": "2026-06-04T00:00:01Z"}));
        assert_eq!(looked([late(), late(), late()]), Broken);
        let numbered = || promise(json!({"request_id": 7}));
        assert_eq!(looked([numbered(), numbered(), numbered()]), Broken);
    }

    #[test]
    fn two_clocks_that_run_may_differ_a_little() {
        for due_at in ["2026-06-04T00:00:03Z", "2026-06-04T00:02:00Z"] {
            let (recorder, clock) = recorder();
            let promise = enveloped(&json!({ "due_at": due_at }));
            recorder.record(Some(1), Some("asked"), answer("alice", "audit_excerpts", 202, promise));
            clock.advance_seconds(1);
            let excerpt = enveloped(&json!({"events": [{}]}));
            recorder.record(Some(1), Some("asked"), answer("alice", "audit_excerpts", 200, excerpt));
            let with = [("call".to_owned(), json!(["asked"]))].into();
            let verdict = excerpt_in_time(&recorder.trace(), Arguments::new(&with)).verdict;
            assert_eq!(verdict, if due_at.contains(":03Z") { Kept } else { Broken }, "{due_at}");
        }
    }

    /// Returns the verdict on an excerpt for alice, whose id is `own`. The other peer is bob, who has a grant
    /// of this subject.
    fn shown(other: &str, subject: &str, entries: &Value) -> Verdict {
        let (recorder, _) = recorder();
        for (peer, id) in [("alice", "own"), ("bob", other)] {
            recorder.record(Some(1), None, answer(peer, "accept", 200, enveloped(&json!({"peer_id": id}))));
        }
        let issue = Operation {
            method: "grant.issue".into(),
            parameters: json!({"remote_subject": subject}),
            result: Some(json!({"grant_id": "grant-0042"})),
            failure: None,
        };
        recorder.record(Some(1), Some("foreign"), What::Operation(issue));
        let excerpt = enveloped(&json!({ "events": entries }));
        recorder.record(Some(1), Some("asked"), answer("alice", "audit_excerpts", 200, excerpt));
        let with = [("call", "asked"), ("peer", "bob"), ("record", "foreign")];
        let with = with.map(|(name, value)| (name.to_owned(), json!(value))).into();
        excerpt_is_ones_own(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn an_entry_about_another_is_broken_wherever_it_names_it() {
        let id = "0190a6d4-0000-7000-8000-000000000001";
        let about = |entry: Value| shown(id, "bob-foreign", &json!([{"id": "1"}, entry]));
        assert_eq!(about(json!({"payload": {"federation_peer_id": "own"}})), Kept);
        assert_eq!(about(json!({"payload": {"federation_peer_id": id}})), Broken);
        assert_eq!(about(json!({"text": format!("fed:{id} read")})), Broken);
        assert_eq!(about(json!({"text": "bob-foreign read"})), Broken);
        assert_eq!(about(json!({"payload": {"grant_id": "grant-0042"}})), Broken);
        assert_eq!(about(json!({"payload": {"grant_id": "grant-00421"}})), Kept);
        assert_eq!(about(json!({"remote_subject": format!("federation-peer-{id}")})), Broken);
        assert_eq!(about(json!({"credential": "fg-grant-0042"})), Broken);
        assert_eq!(shown(id, "bob-foreign", &json!([])), Unproven);
    }

    /// Returns the verdict on this entry in the audit, after mallory gave an excerpt that is about carol.
    fn filed(entry: &Value) -> Verdict {
        filed_as(&json!([entry]))
    }

    fn filed_as(audit: &Value) -> Verdict {
        let (recorder, _) = recorder();
        recorder.record(
            None,
            None,
            answer("mallory", "accept", 200, enveloped(&json!({"peer_id": "mallory-row-1"}))),
        );
        let about = |id: &str, peer: &str| json!({"id": id, "payload": {"federation_peer_id": peer, "remote_subject": format!("fed:{peer}")}});
        let padded = json!({"peer_id": "us", "events": [about("e-1", "us"), about("e-2", "carol")]});
        let mut given = answer("mallory", "audit_excerpts", 200, enveloped(&padded));
        if let What::Exchange(exchange) = &mut given {
            exchange.direction = Direction::FromTarget;
        }
        recorder.record(None, None, given);
        let result = Some(json!({"entries": audit}));
        let look = Operation { method: "audit.list".into(), parameters: json!({}), result, failure: None };
        recorder.record(None, Some("filed"), What::Operation(look));
        let with = [("peer", "mallory"), ("shown", "filed")];
        let with = with.map(|(name, value)| (name.to_owned(), json!(value))).into();
        nothing_foreign_is_filed(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn what_a_peer_reported_of_others_is_no_entry_of_ones_own() {
        assert_eq!(
            filed(&json!({"id": "1", "federation_peer_id": "mallory-row-1", "action": "excerpt.sent"})),
            Kept
        );
        assert_eq!(filed(&json!({"id": "1", "federation_peer_id": "carol"})), Broken);
        assert_eq!(filed(&json!({"id": "1", "remote_subject": "fed:carol"})), Broken);
        assert_eq!(filed(&json!({"id": "e-2"})), Broken);
        let kept = json!({"id": "1", "federation_peer_id": "carol", "told_by": "mallory-row-1"});
        assert_eq!(filed(&kept), Unproven);
        let whole = json!({"id": "1", "federation_peer_id": "mallory-row-1", "events": [{"federation_peer_id": "carol"}]});
        assert_eq!(filed(&whole), Kept);
        assert_eq!(filed_as(&json!([])), Unproven, "an audit with nothing in it says nothing");
    }

    #[test]
    fn an_excerpt_is_no_other_peers_of_several() {
        let (recorder, _) = recorder();
        for peer in ["alice", "bob", "carol"] {
            let id = enveloped(&json!({"peer_id": format!("{peer}-row-1")}));
            recorder.record(None, None, answer(peer, "accept", 200, id));
        }
        let excerpt = enveloped(&json!({"events": [{"federation_peer_id": "carol-row-1"}]}));
        recorder.record(None, Some("asked"), answer("alice", "audit_excerpts", 200, excerpt));
        let verdict = |others: &[&str]| {
            let with = [("call", json!("asked")), ("peer", json!(others)), ("record", json!("none"))];
            let with = with.map(|(name, value)| (name.to_owned(), value)).into();
            excerpt_is_ones_own(&recorder.trace(), Arguments::new(&with)).verdict
        };
        assert_eq!([verdict(&["bob"]), verdict(&["bob", "carol"])], [Kept, Broken]);
        assert_eq!(verdict(&["bob", "dave"]), Unproven);
    }

    #[test]
    fn a_short_or_common_id_counts_only_where_a_peer_is_named() {
        let about = |id: &str, entry: Value| shown(id, "bob", &json!([entry]));
        assert_eq!(about("2", json!({"grant_id": "2", "status": 2, "peer_count": 2})), Kept);
        assert_eq!(about("2", json!({"federation_peer_id": "2"})), Broken);
        assert_eq!(about("2", json!({"federation_peer_id": 2})), Broken);
        assert_eq!(about("2", json!({"payload": {"remote_subject": "fed:2"}})), Broken);
        assert_eq!(about("platform", json!({"kind": "platform.peer.accepted", "source": "platform"})), Kept);
        assert_eq!(about("platform", json!({"peer_id": "platform"})), Broken);
        assert_eq!(about("2", json!({"text": "bobsled"})), Kept);
    }
}
