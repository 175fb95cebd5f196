//! Commitment 9: compromise disclosure.

use jiff::{SignedDuration, Timestamp};

use super::common::peer_shown;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::notice::kind;
use crate::wire::path::Route;

/// How soon every partner has to hear.
const DUE: SignedDuration = SignedDuration::from_hours(24);

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "compromise-disclosed",
        about: "every partner hears of a compromise within 24 hours of its detection",
        parameters: &[
            Parameter::required("start", "label of the operator's compromise.declare"),
            Parameter::optional("peers", "the partners' names; all that accepted, where none are given"),
        ],
        decide: compromise_disclosed,
    },
    Judge {
        name: "suspended-until-resumed",
        about: "the peer is suspended, and the operator can resume it",
        parameters: &[
            Parameter::required("before", "label of the operator's look at the peer before"),
            Parameter::required("shown", "label of the look while it is suspended"),
            Parameter::required("after", "label of the look after the operator resumed it"),
        ],
        decide: suspended_until_resumed,
    },
];

fn compromise_disclosed(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("{} delivered to every partner within 24 hours", kind::PEER_COMPROMISED))
    };
    let declared = story.operation(with.text("start")).filter(|(_, operation)| operation.failure.is_none());
    let detected = declared.and_then(|(n, declare)| {
        Some((n, declare.parameters["detected_at"].as_str()?.parse::<Timestamp>().ok()?))
    });
    let Some((declared, detected_at)) = detected else {
        return expect(Judgement::unproven("no compromise was declared", vec![]));
    };
    let due_at = detected_at.checked_add(DUE).unwrap_or(Timestamp::MAX);
    let is_over = story.entries().last().is_some_and(|entry| entry.at > due_at);
    let mut evidence = vec![declared];
    for peer in partners(story, with) {
        let told = story.exchanges_of(peer, Direction::FromTarget).find(|(_, exchange)| discloses(exchange));
        match told {
            Some((entry, _)) if entry.at <= due_at => evidence.push(entry.n),
            Some((entry, _)) => {
                let late = entry.at.duration_since(detected_at);
                let actual = format!("{peer} heard of it {late} after the detection");
                return expect(Judgement::broken(actual, vec![declared, entry.n]));
            }
            None if !is_over => {
                return expect(Judgement::unproven("the 24 hours were not waited for", evidence));
            }
            None => {
                return match disclosed_otherwise(story, peer) {
                    Some(n) => {
                        let actual = format!("{peer} was told of a compromise in another form");
                        expect(Judgement::unproven(actual, vec![declared, n]))
                    }
                    None => expect(Judgement::broken(format!("{peer} did not hear of it"), vec![declared])),
                };
            }
        }
    }
    expect(Judgement::kept(format!("{} partners heard in time", evidence.len() - 1), evidence))
}

fn partners<'a>(story: &'a Story, with: Arguments<'a>) -> Vec<&'a str> {
    let named = with.texts("peers");
    if !named.is_empty() {
        return named;
    }
    let accepts = story.exchanges().filter(|(_, exchange)| exchange.route() == Some(Route::Accept));
    let accepted =
        accepts.filter(|(_, exchange)| exchange.direction == Direction::ToTarget && exchange.succeeded());
    accepted.map(|(_, exchange)| exchange.peer.as_str()).collect()
}

fn discloses(exchange: &Exchange) -> bool {
    let events = exchange.sent().and_then(|body| body["events"].as_array());
    exchange.succeeded() && events.into_iter().flatten().any(|event| event["kind"] == kind::PEER_COMPROMISED)
}

fn disclosed_otherwise(story: &Story, peer: &str) -> Option<u64> {
    let mut told = story.exchanges_of(peer, Direction::FromTarget);
    let found = told.find(|(_, exchange)| {
        let text = exchange.sent().map(|body| body.to_string().to_lowercase()).unwrap_or_default();
        exchange.succeeded() && text.contains("compromise")
    });
    found.map(|(entry, _)| entry.n)
}

fn suspended_until_resumed(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("suspended at once, and not after peer.resume");
    let status = |name: &str| {
        let (n, peer) = peer_shown(story, with.text(name))?;
        Some((n, peer["status"].as_str()?.to_owned()))
    };
    let (Some(before), Some(shown), Some(after)) = (status("before"), status("shown"), status("after"))
    else {
        return expect(Judgement::unproven("the peer was not shown", vec![]));
    };
    let evidence = vec![before.0, shown.0, after.0];
    if before.1 == "suspended" {
        return expect(Judgement::unproven("it was suspended before", evidence));
    }
    if shown.1 != "suspended" {
        return expect(Judgement::broken(format!("it is {}", shown.1), evidence));
    }
    if matches!(after.1.as_str(), "suspended" | "revoked") {
        return expect(Judgement::broken(format!("after peer.resume it is {}", after.1), evidence));
    }
    expect(Judgement::kept(format!("suspended, and {} after peer.resume", after.1), evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Operation, Recorder, What};
    use serde_json::{Value, json};

    /// The compromise is detected at once; alice hears after so many seconds, the story ends after 25 hours.
    fn heard_after(seconds: Option<i64>, body: &Value) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock.clone());
        let operation = |verb: &str| {
            let parameters = json!({"detected_at": "2026-06-01T00:00:00Z"});
            What::Operation(Operation {
                verb: verb.into(),
                parameters,
                result: Some(json!({})),
                failure: None,
            })
        };
        recorder.record(None, Some("declared"), operation("compromise.declare"));
        clock.advance_seconds(seconds.unwrap_or(0));
        if seconds.is_some() {
            let exchange = Exchange {
                peer: "alice".into(),
                direction: Direction::FromTarget,
                request: Message { body: Body::capture(body.to_string().as_bytes()), ..Message::default() },
                response: Some(Message { status: Some(200), ..Message::default() }),
                failure: None,
                tls: None,
                protocol: None,
                injected: vec![],
            };
            recorder.record(None, None, What::Exchange(exchange));
        }
        clock.advance_seconds(25 * 3600 - seconds.unwrap_or(0));
        recorder.record(None, None, operation("clock.now"));
        let with = [("start", "declared"), ("peers", "alice")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        compromise_disclosed(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_disclosure_after_24_hours_or_none_is_broken() {
        let notice = json!({"events": [{"kind": kind::PEER_COMPROMISED}]});
        assert_eq!(heard_after(Some(86_400), &notice), Kept);
        assert_eq!(heard_after(Some(86_401), &notice), Broken);
        assert_eq!(heard_after(None, &notice), Broken);
        assert_eq!(heard_after(Some(1), &json!({"notes": "Compromise of a key"})), Unproven);
    }

    fn reviewed(statuses: [&str; 3]) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for (label, status) in ["before", "shown", "after"].iter().zip(statuses) {
            let result = Some(json!({"peer": {"status": status}}));
            let verb = "peer.show".into();
            let operation = Operation { verb, parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        }
        let with =
            ["before", "shown", "after"].map(|name| (name.to_owned(), json!(name))).into_iter().collect();
        suspended_until_resumed(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_peer_that_is_not_suspended_or_stays_so_after_the_review_is_broken() {
        assert_eq!(reviewed(["active", "suspended", "enrolled"]), Kept);
        assert_eq!(reviewed(["active", "suspended", "accepted"]), Kept);
        assert_eq!(reviewed(["active", "active", "active"]), Broken);
        assert_eq!(reviewed(["active", "suspended", "suspended"]), Broken);
        assert_eq!(reviewed(["suspended", "suspended", "active"]), Unproven);
    }
}
