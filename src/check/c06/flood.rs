//! 6.1: the capabilities channel is not flooded.

use jiff::SignedDuration;

use crate::check::judge::Parameter;
use crate::check::{Arguments, Judge, Judgement, common};
use crate::transcript::{Direction, Entry, Exchange, Story};
use crate::wire::path::Route;

/// Accept and heartbeat calls in any window that are a flood (`binding.md`, "Numbers").
const FLOOD_CALLS: usize = 300;
/// Calls in any window that are never too many.
const FEW_CALLS: usize = 6;
/// The window.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

pub(super) const PACES_ITSELF: Judge = Judge {
    name: "paces-itself",
    about: "the target's own handshakes and heartbeats are no flood, also when the peer answers errors",
    parameters: &[
        Parameter::required("peer", "the peer's name"),
        Parameter::required("start", "label of the operation from which on it is watched"),
    ],
    decide: paces_itself,
};

pub(super) const FLOOD_LIMITED: Judge = Judge {
    name: "flood-limited",
    about: "a flood is limited, a few calls are not, and a quiet peer is served meanwhile",
    parameters: &[
        Parameter::required("call", "label of the flooding calls"),
        Parameter::required("twin", "label of the same calls, few"),
        Parameter::required("probe", "label of a quiet peer's calls, made after the flood"),
    ],
    decide: flood_limited,
};

pub(super) const LIMITS_BY_THE_MINUTE: Judge = Judge {
    name: "limits-by-the-minute",
    about: "up to six calls in any minute are never limited, three hundred are, and a quiet peer is always served",
    parameters: &[
        Parameter::required("peer", "the name of the peer that calls often"),
        Parameter::required("call", "label of its calls"),
        Parameter::required("probe", "label of a quiet peer's calls in between"),
    ],
    decide: limits_by_the_minute,
};

fn limits_by_the_minute(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement
            .expecting(format!("429 never up to {FEW_CALLS} calls in 60 s, and some among {FLOOD_CALLS}"))
    };
    let mut quiet = story.exchanges_labelled(with.text("probe"));
    if let Some((n, exchange)) = quiet.find(|call| is_unserved(story, call)) {
        let actual = format!("a quiet peer was not served: {}", common::outcome(exchange));
        return expect(Judgement::broken(actual, vec![n]));
    }
    let mut calls: Vec<_> = story
        .exchanges_of(with.text("peer"), Direction::ToTarget)
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
        .collect();
    calls.sort_by_key(|(entry, _)| entry.at);
    let mut first = 0;
    // Behind the last call that was not served.
    let mut all_served_since = 0;
    let mut seen = 0;
    for (entry, exchange) in &calls {
        // Calls of one moment are told in the order of their answers: all of them count.
        while let Some((_, other)) = calls.get(seen).filter(|(other, _)| other.at <= entry.at) {
            seen += 1;
            if !other.succeeded() {
                all_served_since = seen;
            }
        }
        while entry.at.duration_since(calls[first].0.at) >= WINDOW {
            first += 1;
        }
        let count = seen - first;
        if exchange.status() == Some(429) && count <= FEW_CALLS {
            return expect(Judgement::broken(format!("limited at {count} calls within 60 s"), vec![entry.n]));
        }
        if count >= FLOOD_CALLS && all_served_since <= first {
            let actual = format!("all of {count} calls within 60 s were served");
            return expect(Judgement::broken(actual, vec![entry.n]));
        }
    }
    match calls.last() {
        Some((entry, _)) => {
            expect(Judgement::kept(format!("{} calls, limited as they should", calls.len()), vec![entry.n]))
        }
        None => expect(Judgement::unproven("there were no calls", vec![])),
    }
}

/// Whether a call was not served that had to be. One of so many calls in a minute may be limited.
fn is_unserved(story: &Story, (n, exchange): &(u64, &Exchange)) -> bool {
    if exchange.status() != Some(429) {
        return !exchange.succeeded();
    }
    let calls = || {
        let calls = story.exchanges_of(&exchange.peer, Direction::ToTarget);
        calls.filter(|(_, call)| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)))
    };
    let at = calls().find(|(entry, _)| entry.n == *n).map(|(entry, _)| entry.at);
    let is_recent =
        |other: &Entry| at.is_some_and(|at| other.at <= at && at.duration_since(other.at) < WINDOW);
    calls().filter(|(entry, _)| is_recent(entry)).count() <= FEW_CALLS
}

fn paces_itself(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("fewer than {FLOOD_CALLS} such calls in any 60 s"))
    };
    let Some((start, _)) = story.operation(with.text("start")) else {
        return expect(Judgement::unproven("the target was not watched", vec![]));
    };
    let mut calls: Vec<_> = story
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
        .collect();
    if calls.is_empty() {
        return expect(Judgement::unproven("the target called nobody", vec![start]));
    }
    calls.sort_by_key(|(entry, _)| entry.at);
    let mut behind = 0;
    let most = (0..calls.len()).map(|first| {
        let start = calls[first].0.at;
        while calls.get(behind).is_some_and(|(entry, _)| entry.at.duration_since(start) < WINDOW) {
            behind += 1;
        }
        (behind - first, first)
    });
    let (most, first) = most.max().unwrap_or_default();
    let evidence = vec![start, calls[first].0.n, calls[first + most - 1].0.n];
    if most >= FLOOD_CALLS {
        return expect(Judgement::broken(format!("{most} calls within 60 s"), evidence));
    }
    expect(Judgement::kept(format!("at most {most} calls within 60 s"), evidence))
}

fn flood_limited(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("some of the flood answered 429, the few calls and the quiet peer's never")
    };
    let few: Vec<_> = story.exchanges_labelled(with.text("twin")).collect();
    let flood: Vec<_> = story.exchanges_labelled(with.text("call")).collect();
    let quiet: Vec<_> = story.exchanges_labelled(with.text("probe")).collect();
    if few.is_empty() || quiet.is_empty() || flood.len() < FLOOD_CALLS {
        return expect(Judgement::unproven("the flood, the few calls or the quiet peer are missing", vec![]));
    }
    let limited = |(_, exchange): &&(u64, &Exchange)| exchange.status() == Some(429);
    if let Some((n, _)) = few.iter().find(limited) {
        return expect(Judgement::broken(format!("one of {} calls was limited", few.len()), vec![*n]));
    }
    if let Some((n, exchange)) = quiet.iter().find(|call| is_unserved(story, call)) {
        let actual = format!("a quiet peer was not served: {}", common::outcome(exchange));
        return expect(Judgement::broken(actual, vec![*n]));
    }
    let ends = vec![flood[0].0, flood[flood.len() - 1].0];
    match flood.iter().find(limited) {
        Some((n, _)) => {
            let count = flood.iter().filter(limited).count();
            expect(Judgement::kept(
                format!("{count} of {} calls were limited", flood.len()),
                vec![ends[0], *n, ends[1]],
            ))
        }
        None if flood.iter().all(|(_, exchange)| exchange.succeeded()) => {
            expect(Judgement::broken(format!("all of {} calls were served", flood.len()), ends))
        }
        // A peer that was suspended for it, or cut off, was limited too.
        None if flood.last().is_some_and(|(_, exchange)| !exchange.succeeded()) => {
            expect(Judgement::kept("the flood was cut off", ends))
        }
        None => {
            let count = flood.iter().filter(|(_, exchange)| exchange.succeeded()).count();
            let actual = format!("{count} of {} calls were served, the last one too", flood.len());
            expect(Judgement::unproven(actual, ends))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::Verdict::Kept;
    use crate::clock::Clock;
    use crate::transcript::{Body, Exchange, Message, Operation, Recorder, What};
    use crate::wire::path::PREFIX;
    use jiff::Timestamp;

    fn heartbeat(direction: Direction) -> What {
        let message = |status| Message {
            method: Some("POST".into()),
            path: Some(format!("{PREFIX}/heartbeat")),
            status,
            body: Body::capture(b"{}"),
            ..Message::default()
        };
        What::Exchange(Exchange {
            peer: "alice".into(),
            direction,
            request: message(None),
            response: Some(message(Some(200))),
            failure: None,
            tls: None,
            protocol: None,
            injected: vec![],
        })
    }

    #[test]
    fn the_windows_at_both_ends_of_time_are_windows_too() {
        for moment in [Timestamp::MIN, Timestamp::MAX] {
            let recorder = Recorder::in_memory("x", Clock::manual(moment));
            let watched =
                Operation { verb: "clock.now".into(), parameters: json!({}), result: None, failure: None };
            recorder.record(None, Some("start"), What::Operation(watched));
            recorder.record(None, None, heartbeat(Direction::FromTarget));
            recorder.record(None, None, heartbeat(Direction::ToTarget));
            let with = ["peer", "start", "call", "probe"].map(|name| (name.to_owned(), json!(name)));
            let mut with: std::collections::BTreeMap<_, _> = with.into();
            with.insert("peer".to_owned(), json!("alice"));
            let story = recorder.story();
            assert_eq!(paces_itself(&story, Arguments::new(&with)).verdict, Kept, "{moment}");
            assert_eq!(limits_by_the_minute(&story, Arguments::new(&with)).verdict, Kept, "{moment}");
        }
    }
}
