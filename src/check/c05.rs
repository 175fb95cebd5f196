//! Commitment 5: audit transparency.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::common::{outcome, peer_id};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::header::inbound_subject;
use crate::wire::path::Route;

/// How long an excerpt may take.
pub(super) const DUE: SignedDuration = SignedDuration::from_hours(72);
/// A look so soon after the end is one at the end.
const LOOKED_AT_ONCE: SignedDuration = SignedDuration::from_mins(1);

const BEFORE: Parameter =
    Parameter::required("before", "label of the operator's look at the audit before them");
const AFTER: Parameter = Parameter::required("after", "label of the look after them");
const CALL: Parameter = Parameter::required("call", "labels of the calls that a peer made between two looks");

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "every-action-is-logged",
        about: "each call has an audit entry with the peer's id: none missing, none doubled",
        parameters: &[CALL, BEFORE, AFTER, Parameter::required("peer", "the peer's name")],
        decide: every_action_is_logged,
    },
    Judge {
        name: "subjects-are-logged",
        about: "for each call an audit entry says who acted: the grant's remote subject, or the certificate's",
        parameters: &[
            CALL,
            BEFORE,
            AFTER,
            Parameter::required("peer", "the peer's name"),
            Parameter::required("record", "label of the operation that issued the peer's grant"),
        ],
        decide: subjects_are_logged,
    },
    Judge {
        name: "excerpt-in-time",
        about: "an excerpt is given at once, or within the 72 hours for which it may be promised",
        parameters: &[Parameter::required(
            "call",
            "labels of the request and of the looks after it, in order",
        )],
        decide: excerpt_in_time,
    },
    Judge {
        name: "excerpt-is-ones-own",
        about: "an excerpt has the asking peer's interactions, and nothing of another peer's",
        parameters: &[
            Parameter::required("call", "labels of the request and of the looks after it"),
            Parameter::required("peer", "the name of the other peer"),
            Parameter::required("record", "label of the operation that issued the other peer's grant"),
        ],
        decide: excerpt_is_ones_own,
    },
];

fn every_action_is_logged(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("one new entry for each call, with the peer's id");
    let window = match Window::read(story, with) {
        Ok(window) => window,
        Err(open) => return expect(open),
    };
    let about: Vec<_> =
        window.new.iter().filter(|entry| names(entry, "federation_peer_id", &[&window.peer_id])).collect();
    // A call that the target makes while nobody looks may not be written down yet: one of its own is asked for.
    let own = usize::from(window.made > 0);
    let calls = window.calls.len() + own;
    if about.len() < calls {
        let actual = format!("{} entries with the peer's id for {calls} calls", about.len());
        return expect(Judgement::broken(actual, window.evidence));
    }
    let mut by_action: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &about {
        *by_action
            .entry(member(entry, "action").or_else(|| member(entry, "kind")).unwrap_or_default())
            .or_default() += 1;
    }
    // A platform may log more than the call itself; the same thing more often than it happened it may not.
    let most = window.calls.len() + window.made + window.turned_away;
    if let Some((action, count)) = by_action.iter().find(|(_, count)| **count > most) {
        let actual = format!("{count} entries of {action:?} for {calls} calls");
        return expect(Judgement::broken(actual, window.evidence));
    }
    expect(Judgement::kept(format!("{} entries for {calls} calls", about.len()), window.evidence))
}

fn subjects_are_logged(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("remote_subject: the grant's, or the CN of the certificate")
    };
    let window = match Window::read(story, with) {
        Ok(window) => window,
        Err(open) => return expect(open),
    };
    let issued = story.operation(with.text("record")).map(|(_, issue)| &issue.parameters["remote_subject"]);
    let mut lawful = certificate_subjects(story, with.text("peer"), &window.peer_id);
    lawful.extend(issued.and_then(Value::as_str).map(ToOwned::to_owned));
    let lawful: Vec<&str> = lawful.iter().map(String::as_str).collect();
    if window.new.is_empty() {
        return expect(Judgement::unproven("no new entry at all", window.evidence));
    }
    // What the platform did itself, beside the calls, it may log under any name; and that an entry is
    // missing is told of by 5.1.
    let (right, wrong): (Vec<_>, Vec<_>) =
        window.new.iter().partition(|entry| names(entry, "remote_subject", &lawful));
    let calls = window.calls.len();
    if right.len() >= calls || wrong.is_empty() {
        let actual = format!("{} entries say who acted, for {calls} calls", right.len());
        return expect(Judgement::kept(actual, window.evidence));
    }
    if wrong.len() <= window.made {
        let actual = format!(
            "{} entries say who acted, for {calls} calls; the others may be of the target's own calls",
            right.len()
        );
        return expect(Judgement::unproven(actual, window.evidence));
    }
    let said = wrong.first().and_then(|entry| member(entry, "remote_subject")).unwrap_or("nothing");
    let actual =
        format!("{} entries for {calls} calls say one of {lawful:?}; another says {said:?}", right.len());
    expect(Judgement::broken(actual, window.evidence))
}

/// The calls of a peer between two looks at the audit, and what is new in the second.
struct Window {
    /// Calls that reached the peer's account, each an action.
    calls: Vec<u64>,
    /// Those that a router or a limit may have turned away before: whether they are logged is open.
    turned_away: usize,
    /// Calls that the target made to the peer meanwhile, and that the peer answered.
    made: usize,
    new: Vec<Value>,
    peer_id: String,
    evidence: Vec<u64>,
}

impl Window {
    fn read(story: &Story, with: Arguments<'_>) -> Result<Self, Judgement> {
        let (Some((first, before)), Some((last, after))) =
            (entries(story, with.text("before")), entries(story, with.text("after")))
        else {
            return Err(Judgement::unproven("the audit could not be read", vec![]));
        };
        let Some(peer_id) = peer_id(story, with.text("peer")) else {
            return Err(Judgement::unproven("the peer's id is not known", vec![]));
        };
        let labels = with.texts("call");
        let (calls, turned_away): (Vec<_>, Vec<_>) = labels
            .iter()
            .flat_map(|label| story.exchanges_labelled(label))
            .partition(|(_, exchange)| exchange.route().is_some() && exchange.status() != Some(429));
        let calls: Vec<u64> = calls.into_iter().map(|(n, _)| n).collect();
        if calls.is_empty() {
            return Err(Judgement::unproven("no call was made", vec![first, last]));
        }
        let evidence = [first].into_iter().chain(calls.iter().copied()).chain([last]).collect();
        let new = after.into_iter().filter(|entry| !before.contains(entry)).collect();
        let made = story.exchanges_of(with.text("peer"), Direction::FromTarget);
        let is_meanwhile = |n: u64| first < n && calls.last().is_some_and(|last_call| n < *last_call);
        let made = made.filter(|(entry, exchange)| is_meanwhile(entry.n) && exchange.succeeded()).count();
        Ok(Self { calls, turned_away: turned_away.len(), made, new, peer_id, evidence })
    }
}

/// The entries in the result of `audit.list`.
fn entries(story: &Story, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = story.operation(label)?;
    Some((n, operation.result.as_ref()?["entries"].as_array()?.clone()))
}

/// A member of an entry, which may stand in its payload.
fn member<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    [&entry[name], &entry["payload"][name]].into_iter().find_map(Value::as_str)
}

fn names(entry: &Value, name: &str, lawful: &[&str]) -> bool {
    member(entry, name).is_some_and(|value| lawful.contains(&value))
}

/// The CN by which the target knows the peer: the one that it assigned, or that follows from the id.
fn certificate_subjects(story: &Story, peer: &str, peer_id: &str) -> Vec<String> {
    let accepts = story
        .exchanges_of(peer, Direction::ToTarget)
        .filter(|(_, exchange)| exchange.route() == Some(Route::Accept));
    let assigned = accepts.filter_map(|(_, exchange)| {
        let data = exchange.data()?;
        let places = [&data["assigned_inbound_subject"], &data["trust_exchange"]["assigned_inbound_subject"]];
        places.into_iter().find_map(Value::as_str).map(ToOwned::to_owned)
    });
    let mut subjects: Vec<_> = assigned.chain([inbound_subject(peer_id), peer_id.to_owned()]).collect();
    subjects.dedup();
    subjects
}

fn excerpt_in_time(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("200 with the excerpt within 72 hours of the request");
    let calls: Vec<_> = excerpts(story, &with.texts("call"));
    let Some((first, first_at, request)) = calls.first() else {
        return expect(Judgement::unproven("no excerpt was asked for", vec![]));
    };
    let evidence: Vec<u64> = calls.iter().map(|(n, ..)| *n).collect();
    if !matches!(request.status(), Some(200 | 202)) {
        return expect(Judgement::broken(
            format!("the request was not taken: {}", outcome(request)),
            vec![*first],
        ));
    }
    let due_at = request.data().and_then(|data| data.get("due_at")?.as_str()?.parse::<Timestamp>().ok());
    if request.status() == Some(202) && due_at.is_some_and(|due_at| due_at.duration_since(*first_at) > DUE) {
        return expect(Judgement::broken("promised for later than 72 hours", vec![*first]));
    }
    match calls.iter().find(|(.., exchange)| is_given(exchange)) {
        Some((n, at, _)) if at.duration_since(*first_at) <= DUE => {
            expect(Judgement::kept(format!("given after {}", at.duration_since(*first_at)), vec![*first, *n]))
        }
        // Nobody looked between the end and this: it may have been there in time.
        Some((n, at, _)) if !was_missed(&calls, *first_at) => {
            let late = at.duration_since(*first_at) - DUE;
            if late > LOOKED_AT_ONCE {
                return expect(Judgement::unproven(
                    "nobody looked when the 72 hours were over",
                    vec![*first, *n],
                ));
            }
            expect(Judgement::kept("given when the 72 hours were over", vec![*first, *n]))
        }
        _ if calls.last().is_some_and(|(_, at, _)| at.duration_since(*first_at) < DUE) => {
            expect(Judgement::unproven("the 72 hours were not waited for", evidence))
        }
        _ => expect(Judgement::broken("not given within 72 hours", evidence)),
    }
}

/// Whether a look after the 72 hours found nothing yet.
fn was_missed(calls: &[(u64, Timestamp, &Exchange)], first_at: Timestamp) -> bool {
    let late = calls.iter().filter(|(_, at, _)| at.duration_since(first_at) > DUE);
    late.clone().any(|(.., exchange)| !is_given(exchange))
}

/// Whether the answer holds a list: of what form its entries are is another question.
pub(super) fn is_given(exchange: &Exchange) -> bool {
    let has_list = |data: Value| match data {
        Value::Array(_) => true,
        Value::Object(members) => members.values().any(Value::is_array),
        _ => false,
    };
    exchange.status() == Some(200) && exchange.data().is_some_and(has_list)
}

fn excerpts<'a>(story: &'a Story, labels: &[&str]) -> Vec<(u64, Timestamp, &'a Exchange)> {
    let mut calls: Vec<_> = story
        .exchanges()
        .filter(|(entry, _)| entry.label.as_deref().is_some_and(|label| labels.contains(&label)))
        .map(|(entry, exchange)| (entry.n, entry.at, exchange))
        .collect();
    calls.sort_by_key(|(n, ..)| *n);
    calls
}

fn excerpt_is_ones_own(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("entries about the asking peer only");
    let calls = excerpts(story, &with.texts("call"));
    let given = calls.iter().rev().find(|(.., exchange)| exchange.status() == Some(200));
    let Some((n, _, exchange)) = given else {
        return expect(Judgement::unproven("no excerpt was given", calls.iter().map(|(n, ..)| *n).collect()));
    };
    let data = exchange.data().unwrap_or_default();
    let own = peer_id(story, &exchange.peer).unwrap_or_default();
    let other = peer_id(story, with.text("peer")).unwrap_or_default();
    let subject =
        story.operation(with.text("record")).map(|(_, issue)| issue.parameters["remote_subject"].clone());
    let Some(entries) = data["events"].as_array().filter(|_| !own.is_empty() && !other.is_empty()) else {
        return expect(Judgement::unproven("the excerpt can't be read", vec![*n]));
    };
    if entries.is_empty() {
        return expect(Judgement::unproven("the excerpt is empty, though the peer acted", vec![*n]));
    }
    let subject = subject.as_ref().and_then(Value::as_str).unwrap_or(&other);
    let foreign = entries.iter().find(|entry| speaks_of(entry, &other) || speaks_of(entry, subject));
    match foreign {
        Some(entry) => {
            let action = member(entry, "action").unwrap_or_default();
            expect(Judgement::broken(format!("an entry about another peer: {action}"), vec![*n]))
        }
        None => {
            expect(Judgement::kept(format!("{} entries, all about the asking peer", entries.len()), vec![*n]))
        }
    }
}

/// Whether a name stands in an entry: anywhere in a text, or as the whole of one where the name is so
/// short that it may stand in any.
fn speaks_of(entry: &Value, name: &str) -> bool {
    const UNMISTAKABLE: usize = 8;
    match entry {
        Value::String(text) if name.len() >= UNMISTAKABLE => text.contains(name),
        Value::String(text) => text == name || *text == inbound_subject(name),
        Value::Array(items) => items.iter().any(|item| speaks_of(item, name)),
        Value::Object(members) => members.values().any(|member| speaks_of(member, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Operation, Recorder, What};
    use crate::wire::path::PREFIX;
    use serde_json::json;

    fn answer(path: &str, status: u16, body: &Value) -> What {
        What::Exchange(Exchange {
            peer: "alice".into(),
            direction: Direction::ToTarget,
            request: Message {
                method: Some(if path == "accept" { "POST" } else { "GET" }.into()),
                path: Some(format!("{PREFIX}/{path}")),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(status),
                body: Body::capture(body.to_string().as_bytes()),
                ..Message::default()
            }),
            failure: None,
            tls: None,
            protocol: None,
            injected: vec![],
        })
    }

    fn recorder() -> (Recorder, Clock) {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        (Recorder::in_memory("x", clock.clone()), clock)
    }

    /// The request is promised, and the excerpt is there after so many seconds.
    fn given_after(seconds: i64) -> Verdict {
        let (recorder, clock) = recorder();
        let promise = json!({"success": true, "data": {"request_id": "r", "due_at": "2026-06-04T00:00:00Z"}});
        recorder.record(None, Some("asked"), answer("audit_excerpts", 202, &promise));
        for step in [259_199, 2] {
            clock.advance_seconds(step);
            let elapsed = clock.now().duration_since("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
            let status = if elapsed.as_secs() >= seconds { 200 } else { 202 };
            let excerpt = json!({"success": true, "data": {"events": []}});
            let body = if status == 200 { &excerpt } else { &promise };
            recorder.record(None, Some("asked"), answer("audit_excerpts", status, body));
        }
        let with = [("call".to_owned(), json!(["asked"]))].into();
        excerpt_in_time(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn an_excerpt_after_more_than_72_hours_is_broken() {
        assert_eq!(given_after(0), Kept);
        assert_eq!(given_after(259_199), Kept);
        assert_eq!(given_after(259_200), Kept);
        assert_eq!(given_after(259_300), Broken);
    }

    #[test]
    fn an_answer_without_an_excerpt_is_none() {
        let (recorder, clock) = recorder();
        for _ in 0..2 {
            let pending = json!({"success": true, "data": {"status": "pending"}});
            recorder.record(None, Some("asked"), answer("audit_excerpts", 200, &pending));
            clock.advance_seconds(259_201);
        }
        let with = [("call".to_owned(), json!(["asked"]))].into();
        assert_eq!(excerpt_in_time(&recorder.story(), Arguments::new(&with)).verdict, Broken);
    }

    /// Two calls, and the new entries of the audit: each with the peer's id and its action.
    fn logged(new: &[(&str, &str)]) -> Verdict {
        let entries = new.iter().map(|(peer, action)| json!({"federation_peer_id": peer, "action": action}));
        judged(every_action_is_logged, entries.collect())
    }

    /// The same, each entry with its subject.
    fn acted(new: &[&str]) -> Verdict {
        judged(
            subjects_are_logged,
            new.iter().map(|who| json!({"payload": {"remote_subject": who}})).collect(),
        )
    }

    fn judged(decide: fn(&Story, Arguments<'_>) -> Judgement, mut entries: Vec<Value>) -> Verdict {
        let (recorder, _) = recorder();
        let accepted = json!({"success": true, "data": {"peer_id": "p"}});
        recorder.record(None, None, answer("accept", 200, &accepted));
        let look = |label: &str, entries: Value| {
            let result = Some(json!({ "entries": entries }));
            let list = Operation { verb: "audit.list".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(list));
        };
        look("before", json!([]));
        for _ in 0..2 {
            recorder.record(None, Some("call"), answer("resources/skill/a", 200, &json!({})));
        }
        for (n, entry) in (0..).zip(&mut entries) {
            entry["id"] = json!(n);
        }
        look("after", json!(entries));
        let with = [("call", "call"), ("before", "before"), ("after", "after"), ("peer", "alice")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        decide(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_missing_a_nameless_and_a_doubled_entry_are_broken() {
        assert_eq!(logged(&[("p", "read"), ("p", "read")]), Kept);
        assert_eq!(logged(&[("p", "read"), ("p", "read"), ("p", "grant.used")]), Kept);
        assert_eq!(logged(&[("p", "read")]), Broken);
        assert_eq!(logged(&[("p", "read"), ("", "read")]), Broken);
        assert_eq!(logged(&[("p", "read"), ("p", "read"), ("p", "read")]), Broken);
        assert_ne!(logged(&[]), Unproven);
    }

    #[test]
    fn a_call_that_no_one_is_named_for_is_broken() {
        assert_eq!(acted(&["fed:p", "p"]), Kept);
        // What the platform did itself stands beside it.
        assert_eq!(acted(&["fed:p", "", "fed:target", "fed:p"]), Kept);
        assert_eq!(acted(&["fed:p"]), Kept);
        assert_eq!(acted(&["fed:p", "fed:target"]), Broken);
        assert_eq!(acted(&["fed:p", ""]), Broken);
        assert_eq!(acted(&[]), Unproven);
    }
}
