//! Commitment 4: notice of revocation.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::common::outcome;
use super::judge::Parameter;
use super::model::records;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Body, Direction, Entry, Exchange, Story};
use crate::wire::notice::kind;
use crate::wire::path::Route;

/// How long what was in flight may still be finished (4.3).
const GRACE: SignedDuration = SignedDuration::from_mins(5);

const PARAMETERS: &[Parameter] = &[
    Parameter::required("peer", "the peer's name"),
    Parameter::required("revoke", "label of the operation that revokes"),
    Parameter::required("call", "label of the peer's calls after it"),
    Parameter::optional(
        "away",
        "true where the peer was away meanwhile: it is told when it is back, torn down or not",
    ),
];

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "event-before-tear-down",
        about: "a platform.peer.revoked event reaches the peer before its first refused call",
        parameters: PARAMETERS,
        decide: event_before_tear_down,
    },
    Judge {
        name: "status-before-tear-down",
        about: "a heartbeat whose status is revoked reaches the peer before its first refused call",
        parameters: PARAMETERS,
        decide: status_before_tear_down,
    },
    Judge {
        name: "grace-is-given",
        about: "every open migration is taken within the grace after a revocation, and refused after it",
        parameters: &[
            Parameter::required("twin", "labels of the calls that opened the migrations"),
            Parameter::required("revoke", "label of the operation that revokes"),
            Parameter::required("call", "label of the commits within the grace"),
            Parameter::required("late", "label of the commits after the grace"),
            Parameter::optional("records", "label of the operator's list after the commits within the grace"),
        ],
        decide: grace_is_given,
    },
];

fn grace_is_given(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("accepted within the grace, refused after it");
    let opened = |label: &&str| {
        story.exchanges_labelled(label).next().is_some_and(|(_, exchange)| exchange.status() == Some(202))
    };
    let (in_time, late) = (commits(story, with.text("call")), commits(story, with.text("late")));
    let Some((_, first)) = in_time.first().filter(|_| !late.is_empty()) else {
        return expect(Judgement::unproven("the open migrations were not committed", vec![]));
    };
    let revoked = story.operation(with.text("revoke")).filter(|_| with.texts("twin").iter().all(opened));
    let Some((revoked, grace)) = revoked.and_then(|(n, _)| Some((n, Grace::of(story, n, &first.peer)?)))
    else {
        return expect(Judgement::unproven("no migration was in flight at a revocation", vec![]));
    };
    // A clock that runs on eats into the margins: what came on the other side of the end proves nothing.
    let in_time: Vec<_> = in_time.into_iter().filter(|(entry, _)| !grace.may_be_over(entry.at)).collect();
    let late: Vec<_> = late.into_iter().filter(|(entry, _)| grace.is_over(entry.at)).collect();
    let evidence =
        [revoked].into_iter().chain(in_time.iter().chain(&late).map(|(entry, _)| entry.n)).collect();
    if let Some((entry, cut)) = in_time.iter().find(|(_, commit)| commit.was_refused()) {
        return expect(Judgement::broken(
            format!("within the grace, {}", outcome(cut)),
            vec![revoked, entry.n],
        ));
    }
    if let Some((entry, taken)) = late.iter().find(|(_, commit)| commit.succeeded()) {
        return expect(Judgement::broken(
            format!("after the grace, {}", outcome(taken)),
            vec![revoked, entry.n],
        ));
    }
    if in_time.is_empty() || late.is_empty() {
        let actual = "the commits did not fall on both sides of the end of the grace";
        return expect(Judgement::unproven(actual, evidence));
    }
    let unclear = in_time.iter().find(|(_, commit)| !commit.succeeded());
    if let Some((_, unclear)) = unclear.or_else(|| late.iter().find(|(_, commit)| !commit.was_refused())) {
        let actual = format!("neither accepted nor refused: {}", outcome(unclear));
        return expect(Judgement::unproven(actual, evidence));
    }
    for (entry, commit) in &in_time {
        if let Some((listed, id)) = committed_in_vain(story, with, commit) {
            let actual = format!("within the grace, {}, and {id} is not there", outcome(commit));
            return expect(Judgement::broken(actual, vec![revoked, entry.n, listed]));
        }
    }
    let actual = format!("{} accepted within the grace, {} refused after it", in_time.len(), late.len());
    expect(Judgement::kept(actual, evidence))
}

fn commits<'a>(story: &'a Story, label: &'a str) -> Vec<(&'a Entry, &'a Exchange)> {
    story.labelled(label).filter_map(|entry| Some((entry, entry.exchange()?))).collect()
}

/// When the grace begins: where readings differ, at the earliest and at the latest of them.
struct Grace {
    earliest: Timestamp,
    latest: Timestamp,
}

impl Grace {
    /// From the later of the notice and the moment that it names; the revocation itself where there was none.
    fn of(story: &Story, revoked: u64, peer: &str) -> Option<Self> {
        let begun = begun(story, revoked);
        let mut told = story.exchanges_of(peer, Direction::FromTarget).filter(|(entry, _)| entry.n > begun);
        let notice = told.find(|(_, exchange)| has_event(exchange) || has_status(exchange));
        let named = notice.and_then(|(_, exchange)| effective_at(exchange));
        let moments = [Some(at(story, revoked)?), notice.map(|(entry, _)| entry.at), named];
        let earliest = at(story, begun)?;
        let latest = moments.into_iter().flatten().max()?;
        Some(Self { earliest: named.map_or(earliest, |named| named.max(earliest)), latest })
    }

    fn may_be_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.earliest) >= GRACE
    }

    fn is_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.latest) >= GRACE
    }
}

/// From when on the revocation is in force, as its event says.
fn effective_at(exchange: &Exchange) -> Option<Timestamp> {
    let event = events(exchange).find(|event| event["kind"] == kind::PEER_REVOKED)?;
    let said = [&event["payload"]["effective_at"], &event["effective_at"]];
    said.into_iter().find_map(|said| said.as_str()?.parse().ok())
}

/// The record that was said to be applied, and is not in the operator's list.
fn committed_in_vain(story: &Story, with: Arguments<'_>, commit: &Exchange) -> Option<(u64, String)> {
    let (listed, there) = records(story, with.text_if_given("records")?)?;
    let path = commit.request.path.as_deref()?;
    let mut opened = with.texts("twin").into_iter().flat_map(|label| story.exchanges_labelled(label));
    let (_, open) = opened.find(|(_, open)| {
        let id = open.data().and_then(|data| data["migration_id"].as_str().map(ToOwned::to_owned));
        id.is_some_and(|id| path.contains(&id))
    })?;
    let plan = open.sent()?;
    let (kind, id) = (plan["root_resource_kind"].as_str()?, plan["root_resource_id"].as_str()?);
    let is_there = there.contains_key(&(kind.to_owned(), id.to_owned()));
    (!is_there).then_some((*listed.first()?, id.to_owned()))
}

fn at(story: &Story, n: u64) -> Option<Timestamp> {
    story.entries().iter().find(|entry| entry.n == n).map(|entry| entry.at)
}

/// The last entry before an operation began: what the target did meanwhile is told before what came of it.
fn begun(story: &Story, operation: u64) -> u64 {
    let entries = story.entries();
    let step = entries.iter().find(|entry| entry.n == operation).and_then(|entry| entry.step);
    let mut before = entries.iter().rev().filter(|entry| entry.n < operation);
    let last = before.find(|entry| entry.step.is_some() && entry.step != step);
    last.map_or(operation.saturating_sub(1), |entry| entry.n)
}

/// One of the two forms in which the end of a peering is told. Each of them is owed.
struct Form {
    name: &'static str,
    is_in: fn(&Exchange) -> bool,
    /// Whether the other one is.
    twin_is_in: fn(&Exchange) -> bool,
}

fn event_before_tear_down(story: &Story, with: Arguments<'_>) -> Judgement {
    let form = Form { name: "a platform.peer.revoked event", is_in: has_event, twin_is_in: has_status };
    before_tear_down(story, with, &form)
}

fn status_before_tear_down(story: &Story, with: Arguments<'_>) -> Judgement {
    let form = Form { name: "a heartbeat whose status is revoked", is_in: has_status, twin_is_in: has_event };
    before_tear_down(story, with, &form)
}

fn has_event(exchange: &Exchange) -> bool {
    events(exchange).any(|event| event["kind"] == kind::PEER_REVOKED)
}

fn has_status(exchange: &Exchange) -> bool {
    exchange.route() == Some(Route::Heartbeat)
        && exchange.sent().is_some_and(|body| body["status"] == "revoked")
}

fn events(exchange: &Exchange) -> impl Iterator<Item = &Value> {
    exchange.sent().and_then(|body| body["events"].as_array()).into_iter().flatten()
}

fn before_tear_down(story: &Story, with: Arguments<'_>, form: &Form) -> Judgement {
    let Form { name, .. } = form;
    let is_away = with.value("away").is_some_and(|away| away == true);
    let expect = |judgement: Judgement| {
        let when = if is_away { "as soon as the peer is back" } else { "before the first refused call" };
        judgement.expecting(format!("{name}, {when}"))
    };
    let peer = with.text("peer");
    let Some((revoked, _)) = story.operation(with.text("revoke")).filter(|(_, done)| done.failure.is_none())
    else {
        return expect(Judgement::unproven("the target's operator did not revoke", vec![]));
    };
    let begun = begun(story, revoked);
    let told = |is_it: fn(&Exchange) -> bool| {
        let mut heard = story.exchanges_of(peer, Direction::FromTarget).filter(|(entry, _)| entry.n > begun);
        heard.find(|(_, exchange)| is_it(exchange)).map(|(entry, _)| entry.n)
    };
    let notice = told(form.is_in);
    if let Some(notice) = notice.filter(|_| is_away) {
        return expect(Judgement::kept(format!("{name} came when the peer was back"), vec![revoked, notice]));
    }
    let mut calls = story.exchanges_labelled(with.text("call"));
    let Some((refused, refusal)) = calls.find(|(_, call)| is_torn_down(call)) else {
        return expect(Judgement::unproven("no call was refused after the revocation", vec![revoked]));
    };
    let refusal = outcome(refusal);
    if let Some(notice) = notice.filter(|notice| *notice < refused) {
        let actual = format!("{name} came first, then {refusal}");
        return expect(Judgement::kept(actual, vec![revoked, notice, refused]));
    }
    // The two forms of one notice need not come in one message; but how far apart, nothing says.
    let twin = told(form.twin_is_in).filter(|twin| *twin < refused);
    if let (Some(notice), Some(twin)) = (notice, twin) {
        let actual = format!("the peer had been told when {refusal}; {name} only followed");
        return expect(Judgement::unproven(actual, vec![revoked, twin, refused, notice]));
    }
    let unknown = notice_of_another_form(story, peer, begun);
    if let Some(unknown) = unknown.filter(|unknown| notice.is_none() || *unknown < refused) {
        let actual = format!("the peer was told something of it, but not {name}");
        return expect(Judgement::unproven(actual, vec![revoked, unknown, refused]));
    }
    match notice {
        Some(notice) => {
            expect(Judgement::broken(format!("{name} came after {refusal}"), vec![revoked, refused, notice]))
        }
        None => {
            expect(Judgement::broken(format!("{refusal}, and no notice of any form"), vec![revoked, refused]))
        }
    }
}

/// Whether a call shows that the peering is no more: a limit, or a fault of the target's, says nothing of it.
fn is_torn_down(call: &Exchange) -> bool {
    const TOO_MANY: u16 = 429;
    !call.succeeded() && call.status() != Some(TOO_MANY) && call.status().is_none_or(|status| status < 500)
}

/// Silence is judged by the contract, not by our binding: a notice of a form that it does not know
/// is no silence. It may stand in what the target sends, on whatever path, or in what it answers.
fn notice_of_another_form(story: &Story, peer: &str, begun: u64) -> Option<u64> {
    let (before, after): (Vec<_>, Vec<_>) = story
        .exchanges()
        .filter(|(_, exchange)| exchange.peer == peer)
        .partition(|(entry, _)| entry.n <= begun);
    let is_new = |exchange: &Exchange| {
        let is_there = |known: &Exchange| known.request.path == exchange.request.path;
        exchange.route().is_none() && !before.iter().any(|(_, known)| is_there(known))
    };
    let found = after.iter().find(|(_, exchange)| match exchange.direction {
        Direction::FromTarget => is_new(exchange) || tells_the_end(exchange),
        Direction::ToTarget => answers_with_the_end(exchange),
    });
    found.map(|(entry, _)| entry.n)
}

/// Whether a call of the target's speaks of the end, beside what is of a known form.
fn tells_the_end(exchange: &Exchange) -> bool {
    let in_path = exchange.request.path.as_deref().is_some_and(means_the_end);
    in_path
        || match &exchange.request.body {
            Body::Json(body) => speaks_of_the_end(&without_known_forms(exchange, body)),
            Body::Text(text) | Body::Cut { beginning: text, .. } => means_the_end(text),
            Body::Empty => false,
        }
}

/// Whether the answer to a call of the peer's is a notice: a plain refusal is none.
fn answers_with_the_end(exchange: &Exchange) -> bool {
    let Some(body) = exchange.response.as_ref().and_then(|answer| answer.body.json()) else { return false };
    if exchange.succeeded() { speaks_of_the_end(body) } else { body.to_string().contains(kind::PEER_REVOKED) }
}

fn without_known_forms(exchange: &Exchange, body: &Value) -> Value {
    let mut rest = body.clone();
    if let Some(events) = rest.get_mut("events").and_then(Value::as_array_mut) {
        events.retain(|event| event["kind"] != kind::PEER_REVOKED && event["kind"] != kind::GRANT_REVOKED);
    }
    if let Some(members) = rest.as_object_mut().filter(|_| has_status(exchange)) {
        members.remove("status");
    }
    rest
}

/// Whether a text means the end somewhere in it, or the name of a member that says more than no.
fn speaks_of_the_end(value: &Value) -> bool {
    match value {
        Value::String(text) => means_the_end(text),
        Value::Array(items) => items.iter().any(speaks_of_the_end),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let says_no = [json!(null), json!(false), json!(0), json!([]), json!({}), json!("")];
            speaks_of_the_end(member) || (means_the_end(name) && !says_no.contains(member))
        }),
        _ => false,
    }
}

fn means_the_end(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["revok", "revoc", "terminat", "unbind", "dissol", "goodbye", "leaving", "disconnect", "defederat"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Operation, Recorder, What};

    /// A story that is told step by step.
    struct Tale {
        recorder: Recorder,
        clock: Clock,
        steps: u32,
    }

    impl Tale {
        fn new() -> Self {
            let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
            Self { recorder: Recorder::in_memory("x", clock.clone()), clock, steps: 0 }
        }

        fn step(&mut self, label: &str, what: What) {
            self.steps += 1;
            self.recorder.record(Some(self.steps), Some(label), what);
        }

        fn call(&mut self, label: &str, status: u16, body: &Value) {
            let exchange = exchange(Direction::ToTarget, "heartbeat", &json!({}), status, body);
            self.step(label, What::Exchange(exchange));
        }

        /// What the target sends by itself.
        fn hear(&self, path: &str, body: &Value) {
            let exchange = exchange(Direction::FromTarget, path, body, 200, &json!({}));
            self.recorder.record(None, None, What::Exchange(exchange));
        }

        fn operate(&mut self, label: &str, verb: &str) {
            let (parameters, result) = (json!({}), Some(json!({})));
            let operation = Operation { verb: verb.to_owned(), parameters, result, failure: None };
            self.step(label, What::Operation(operation));
        }

        fn advance(&mut self, seconds: i64) {
            self.clock.advance_seconds(seconds);
            self.operate("", "clock.advance");
        }

        fn judged(&self, decide: fn(&Story, Arguments<'_>) -> Judgement, with: &[(&str, Value)]) -> Verdict {
            let with = with.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            decide(&self.recorder.story(), Arguments::new(&with)).verdict
        }
    }

    fn exchange(direction: Direction, path: &str, sent: &Value, status: u16, answer: &Value) -> Exchange {
        Exchange::made("alice", direction)
            .on("POST", path)
            .sending(sent.clone())
            .answered_with(status, answer.clone())
    }

    /// What the commits are answered, each so many seconds after the revocation; the notice comes with it
    /// and names a moment so much later.
    fn grace_of(named: Option<i64>, in_time: &[(i64, u16)], late: &[(i64, u16)]) -> Verdict {
        let mut tale = Tale::new();
        tale.call("twin", 202, &json!({}));
        if let Some(seconds) = named {
            let effective_at = tale.clock.now() + SignedDuration::from_secs(seconds);
            tale.hear(
                "heartbeat",
                &json!({"events": [
                    {"kind": "platform.peer.revoked", "payload": {"effective_at": effective_at.to_string()}},
                ]}),
            );
        }
        tale.operate("revoke", "peer.revoke");
        let mut now = 0;
        for (label, commits) in [("call", in_time), ("late", late)] {
            for (seconds, status) in commits {
                tale.advance(seconds - now);
                now = *seconds;
                tale.call(label, *status, &json!({}));
            }
        }
        let with = ["twin", "revoke", "call", "late"].map(|name| (name, json!(name)));
        tale.judged(grace_is_given, &with)
    }

    #[test]
    fn a_grace_that_is_too_short_or_too_long_is_broken() {
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(None, &[(299, 401)], &[(301, 401)]), Broken);
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 201)]), Broken);
        assert_eq!(grace_of(None, &[(299, 500)], &[(301, 401)]), Unproven);
        assert_eq!(grace_of(None, &[(302, 401)], &[(310, 401)]), Unproven, "the clock ran on");
        assert_eq!(grace_of(None, &[(290, 201)], &[(299, 201)]), Unproven);
    }

    #[test]
    fn every_commit_has_the_grace() {
        assert_eq!(grace_of(None, &[(1, 201), (299, 201)], &[(301, 401), (400, 401)]), Kept);
        assert_eq!(grace_of(None, &[(1, 201), (299, 401)], &[(301, 401)]), Broken);
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401), (400, 201)]), Broken);
        // The clock ran on before the second: it says nothing, and the first is enough.
        assert_eq!(grace_of(None, &[(299, 201), (300, 401)], &[(301, 401)]), Kept);
    }

    #[test]
    fn the_grace_is_measured_from_the_moment_that_the_notice_names() {
        assert_eq!(grace_of(Some(0), &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(Some(60), &[(299, 201)], &[(301, 201)]), Unproven, "it ends at 360");
        assert_eq!(grace_of(Some(60), &[(359, 201)], &[(361, 401)]), Kept);
        assert_eq!(grace_of(Some(60), &[(359, 401)], &[(361, 401)]), Broken);
        assert_eq!(grace_of(Some(-60), &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(Some(-60), &[(299, 401)], &[(301, 401)]), Broken);
    }

    const EVENT: &str = "platform.peer.revoked";

    fn no() -> Value {
        json!({"error": "Certificate is revoked"})
    }

    fn event() -> Value {
        json!({"status": "active", "events": [{"kind": EVENT}]})
    }

    fn status() -> Value {
        json!({"status": "revoked"})
    }

    /// What is said of the event and of the status.
    fn told(tell: impl Fn(&mut Tale)) -> [Verdict; 2] {
        let mut tale = Tale::new();
        tale.hear("heartbeat", &json!({"status": "active"}));
        tale.call("before", 200, &json!({}));
        tell(&mut tale);
        let with = [("peer", json!("alice")), ("revoke", json!("revoke")), ("call", json!("call"))];
        [event_before_tear_down, status_before_tear_down].map(|decide| tale.judged(decide, &with))
    }

    /// The target says this while it revokes, and then refuses.
    fn said(path: &str, body: &Value) -> [Verdict; 2] {
        told(|tale| {
            tale.hear(path, body);
            tale.operate("revoke", "peer.revoke");
            tale.call("call", 401, &no());
        })
    }

    #[test]
    fn each_form_of_the_notice_is_owed() {
        assert_eq!(
            said("heartbeat", &json!({"status": "revoked", "events": [{"kind": EVENT}]})),
            [Kept, Kept]
        );
        assert_eq!(said("heartbeat", &event()), [Kept, Broken]);
        assert_eq!(said("heartbeat", &status()), [Broken, Kept]);
        assert_eq!(said("heartbeat", &json!({"status": "active"})), [Broken, Broken]);
        let other_news = json!({"events": [{"kind": "platform.grant.revoked"}]});
        assert_eq!(said("heartbeat", &other_news), [Broken, Broken]);
        assert_eq!(said("heartbeat", &json!(["status"])), [Broken, Broken]);
    }

    #[test]
    fn a_notice_of_another_form_is_no_silence() {
        let other_kind = json!({"status": "active", "events": [{"kind": "federation.revocation"}]});
        assert_eq!(said("heartbeat", &other_kind), [Unproven, Unproven]);
        assert_eq!(said("heartbeat", &json!({"peer_status": "revoked"})), [Unproven, Unproven]);
        assert_eq!(said("heartbeat", &json!({"revoked_at": "2026-06-01T00:00:00Z"})), [Unproven, Unproven]);
        assert_eq!(said("heartbeat", &json!({"revoked_at": null})), [Broken, Broken]);
        assert_eq!(said("events", &json!({"kind": EVENT})), [Unproven, Unproven]);
        assert_eq!(said("farewell", &json!({})), [Unproven, Unproven]);
        assert_eq!(
            told(|tale| {
                tale.operate("revoke", "peer.revoke");
                tale.call("call", 200, &json!({"data": {"status": "revoked"}}));
                tale.call("call", 401, &no());
            }),
            [Unproven, Unproven]
        );
        let gone = json!({"error": "gone", "events": [{"kind": EVENT}]});
        assert_eq!(
            told(|tale| {
                tale.operate("revoke", "peer.revoke");
                tale.call("call", 410, &gone);
            }),
            [Unproven, Unproven]
        );
    }

    #[test]
    fn the_two_forms_may_come_one_after_the_other_and_not_both_after_a_refusal() {
        let forms = |before: Option<Value>, after: &[Value]| {
            told(|tale| {
                if let Some(before) = &before {
                    tale.hear("heartbeat", before);
                }
                tale.operate("revoke", "peer.revoke");
                tale.call("call", 401, &no());
                for body in after {
                    tale.hear("heartbeat", body);
                }
            })
        };
        assert_eq!(forms(Some(event()), &[status()]), [Kept, Unproven]);
        assert_eq!(forms(Some(status()), &[event()]), [Unproven, Kept]);
        assert_eq!(forms(None, &[event(), status()]), [Broken, Broken]);
    }

    #[test]
    fn a_limit_is_no_tear_down() {
        for status_code in [429, 503] {
            let verdicts = told(|tale| {
                tale.operate("revoke", "peer.revoke");
                tale.call("call", status_code, &json!({}));
                tale.hear("heartbeat", &event());
                tale.hear("heartbeat", &status());
                tale.call("call", 401, &no());
            });
            assert_eq!(verdicts, [Kept, Kept], "{status_code}");
        }
    }

    #[test]
    fn a_peer_that_was_away_is_told_when_it_is_back() {
        let back = |told: Option<Value>| {
            let mut tale = Tale::new();
            tale.call("before", 200, &json!({}));
            tale.operate("revoke", "peer.revoke");
            tale.call("call", 401, &no());
            if let Some(told) = told {
                tale.hear("heartbeat", &told);
            }
            let names = [("peer", "alice"), ("revoke", "revoke"), ("call", "call")];
            let mut with: Vec<_> = names.into_iter().map(|(name, value)| (name, json!(value))).collect();
            with.push(("away", json!(true)));
            tale.judged(event_before_tear_down, &with)
        };
        assert_eq!(back(Some(event())), Kept);
        assert_eq!(back(None), Broken);
        assert_eq!(back(Some(json!({"events": [{"kind": "peering.terminated"}]}))), Unproven);
    }
}
