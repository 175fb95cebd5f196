//! Commitment 4: notice of revocation.

use jiff::{SignedDuration, Timestamp};

use super::common::outcome;
use super::judge::Parameter;
use super::model::records;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Entry, Exchange, Story};
use crate::wire::notice::kind;

/// How long what was in flight may still be finished (4.3).
const GRACE: SignedDuration = SignedDuration::from_mins(5);

const PARAMETERS: &[Parameter] = &[
    Parameter::required("peer", "the peer's name"),
    Parameter::required("revoke", "label of the operation that revokes"),
    Parameter::required("call", "label of the peer's calls after it"),
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
        about: "an open migration is taken within the grace after a revocation, and refused after it",
        parameters: &[
            Parameter::required("twin", "labels of the calls that opened the migrations"),
            Parameter::required("revoke", "label of the operation that revokes"),
            Parameter::required("call", "label of the commit within the grace"),
            Parameter::required("late", "label of the commit after the grace"),
            Parameter::optional("records", "label of the operator's list after the commit within the grace"),
        ],
        decide: grace_is_given,
    },
];

fn grace_is_given(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("accepted within the grace, refused after it");
    let labels = with.texts("twin");
    let opened = |label: &&str| {
        story.exchanges_labelled(label).next().is_some_and(|(_, exchange)| exchange.status() == Some(202))
    };
    let (Some((in_time_n, in_time)), Some((late_n, late))) = (
        story.exchanges_labelled(with.text("call")).next(),
        story.exchanges_labelled(with.text("late")).next(),
    ) else {
        return expect(Judgement::unproven("the open migrations were not committed", vec![]));
    };
    let Some((revoked, _)) = story.operation(with.text("revoke")).filter(|_| labels.iter().all(opened))
    else {
        return expect(Judgement::unproven("no migration was in flight at a revocation", vec![]));
    };
    let evidence = vec![revoked, in_time_n, late_n];
    // A clock that runs on eats into the margins: what came on the other side of the end proves nothing.
    let told = notice(story).unwrap_or(revoked).max(revoked);
    let is_past = |n: u64, since: u64| {
        let (from, to) = (at(story, since), at(story, n));
        from.zip(to).is_none_or(|(from, to)| to.duration_since(from) >= GRACE)
    };
    let begins_at_the_earliest = revoked.saturating_sub(1);
    if is_past(in_time_n, begins_at_the_earliest) || !is_past(late_n, told) {
        let actual = "the commits did not fall on both sides of the end of the grace";
        return expect(Judgement::unproven(actual, evidence));
    }
    if in_time.was_refused() {
        return expect(Judgement::broken(format!("within the grace, {}", outcome(in_time)), evidence));
    }
    if late.succeeded() {
        return expect(Judgement::broken(format!("after the grace, {}", outcome(late)), evidence));
    }
    if !in_time.succeeded() || !late.was_refused() {
        let actual = format!("{}, then {}", outcome(in_time), outcome(late));
        return expect(Judgement::unproven(actual, evidence));
    }
    if let Some((listed, id)) = committed_in_vain(story, with, in_time) {
        let actual = format!("within the grace, {}, and {id} is not there", outcome(in_time));
        return expect(Judgement::broken(actual, vec![revoked, in_time_n, listed]));
    }
    expect(Judgement::kept("accepted within the grace, refused after it", evidence))
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

/// The call that told the peer of the revocation.
fn notice(story: &Story) -> Option<u64> {
    let mut told = story.exchanges().filter(|(_, exchange)| exchange.direction == Direction::FromTarget);
    told.find(|(_, exchange)| {
        let events = exchange.sent().and_then(|body| body["events"].as_array());
        events.into_iter().flatten().any(|event| event["kind"] == kind::PEER_REVOKED)
    })
    .map(|(entry, _)| entry.n)
}

fn at(story: &Story, n: u64) -> Option<Timestamp> {
    story.entries().iter().find(|entry| entry.n == n).map(|entry| entry.at)
}

fn event_before_tear_down(story: &Story, with: Arguments<'_>) -> Judgement {
    let told = |exchange: &Exchange| {
        let events = exchange.sent().and_then(|body| body.get("events")).and_then(|events| events.as_array());
        events.is_some_and(|events| events.iter().any(|event| event["kind"] == kind::PEER_REVOKED))
    };
    before_tear_down(story, with, "a platform.peer.revoked event", told)
}

fn status_before_tear_down(story: &Story, with: Arguments<'_>) -> Judgement {
    let told = |exchange: &Exchange| exchange.sent().is_some_and(|body| body["status"] == "revoked");
    before_tear_down(story, with, "a heartbeat whose status is revoked", told)
}

fn before_tear_down(
    story: &Story,
    with: Arguments<'_>,
    notice: &str,
    told: impl Fn(&Exchange) -> bool,
) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting(format!("{notice}, before the first refused call"));
    let Some((revoked, _)) = story.operation(with.text("revoke")).filter(|(_, done)| done.failure.is_none())
    else {
        return expect(Judgement::unproven("the target's operator did not revoke", vec![]));
    };
    let calls = story.exchanges_labelled(with.text("call"));
    let Some((refused, refusal)) = calls.into_iter().find(|(_, exchange)| !exchange.succeeded()) else {
        return expect(Judgement::unproven("no call was refused after the revocation", vec![revoked]));
    };
    let mut notices = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    if let Some((entry, _)) = notices.find(|(_, exchange)| told(exchange)) {
        let evidence = vec![revoked, entry.n, refused];
        return if entry.n < refused {
            expect(Judgement::kept(format!("{notice} came first, then {}", outcome(refusal)), evidence))
        } else {
            expect(Judgement::broken(format!("{notice} came after {}", outcome(refusal)), evidence))
        };
    }
    match notice_of_another_form(story, with.text("peer")) {
        Some(entry) => expect(Judgement::unproven(
            format!("the peer was told something of it, but not {notice}"),
            vec![revoked, entry.n, refused],
        )),
        None => expect(Judgement::broken(
            format!("{}, and no notice of any form", outcome(refusal)),
            vec![revoked, refused],
        )),
    }
}

/// Silence is judged by the contract, not by our binding: a notice of a form that it does not know
/// is no silence. A notice of the other known form is: each of the two is owed.
fn notice_of_another_form<'a>(story: &'a Story, peer: &'a str) -> Option<&'a Entry> {
    let mut told = story.exchanges_of(peer, Direction::FromTarget);
    let found = told.find(|(_, exchange)| {
        let Some(body) = exchange.sent() else { return false };
        let text = body.to_string().to_lowercase();
        let known_form = text.contains(kind::PEER_REVOKED) || body["status"] == "revoked";
        !known_form && (text.contains("revok") || text.contains("terminat"))
    });
    found.map(|(entry, _)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Message, Operation, Recorder, What};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn grace(opened: u16, in_time: u16, late: u16) -> Verdict {
        grace_after(opened, (299, in_time), (301, late))
    }

    /// What the commits are answered, so many seconds after the revocation.
    fn grace_after(opened: u16, in_time: (i64, u16), late: (i64, u16)) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock.clone());
        let call = |label: &str, status: u16| {
            let exchange = Exchange {
                peer: "alice".into(),
                direction: Direction::ToTarget,
                request: Message::default(),
                response: Some(Message { status: Some(status), ..Message::default() }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            recorder.record(None, Some(label), What::Exchange(exchange));
        };
        call("twin", opened);
        let revoked =
            Operation { verb: "peer.revoke".into(), parameters: json!({}), result: None, failure: None };
        recorder.record(None, Some("revoke"), What::Operation(revoked));
        let advance = |seconds: i64| {
            clock.advance_seconds(seconds);
            let moved = Operation {
                verb: "clock.advance".into(),
                parameters: json!({}),
                result: None,
                failure: None,
            };
            recorder.record(None, None, What::Operation(moved));
        };
        advance(in_time.0);
        call("call", in_time.1);
        advance(late.0 - in_time.0);
        call("late", late.1);
        let with: BTreeMap<String, Value> =
            ["twin", "revoke", "call", "late"].iter().map(|name| ((*name).to_owned(), json!(name))).collect();
        grace_is_given(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_grace_that_is_too_short_or_too_long_is_broken() {
        assert_eq!(grace(202, 201, 401), Kept);
        assert_eq!(grace(202, 401, 401), Broken);
        assert_eq!(grace(202, 201, 201), Broken);
        assert_eq!(grace(422, 401, 401), Unproven);
        assert_eq!(grace(202, 500, 401), Unproven);
        assert_eq!(grace_after(202, (302, 401), (310, 401)), Unproven, "the clock ran on");
        assert_eq!(grace_after(202, (290, 201), (299, 201)), Unproven);
    }
}
