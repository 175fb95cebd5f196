//! Commitment 4: notice of revocation.

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Entry, Exchange, Story};
use crate::wire::notice::kind;

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
];

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
