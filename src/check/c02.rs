//! Commitment 2: reciprocity of grants.

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::notice::kind;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[Judge {
    name: "grant-revocation-announced",
    about: "the end of a grant is announced to the peer that has it, before the first call that is refused for it",
    parameters: &[
        Parameter::required("peer", "the name of the peer that has the grant"),
        Parameter::required("revoke", "label of the operator's grant.revoke"),
        Parameter::optional(
            "call",
            "label of calls under the grant after that, where the peer could be reached",
        ),
    ],
    decide: grant_revocation_announced,
}];

fn grant_revocation_announced(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("{} with the grant's id, before a call is refused", kind::GRANT_REVOKED))
    };
    let revoked = story.operation(with.text("revoke"));
    let Some((revoked, grant)) = revoked.and_then(|(n, op)| Some((n, op.parameters["grant_id"].as_str()?)))
    else {
        return expect(Judgement::unproven("no grant was revoked", vec![]));
    };
    let calls = with.text_if_given("call").into_iter().flat_map(|label| story.exchanges_labelled(label));
    let refused = calls.into_iter().find(|(_, exchange)| exchange.was_refused());
    let mut told = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    let notice =
        told.find(|(entry, exchange)| announces(exchange, grant) && entry.n > 0).map(|(entry, _)| entry.n);
    match (notice, refused) {
        (Some(notice), Some((n, exchange))) if n < notice => expect(Judgement::broken(
            format!("the notice came after {}", outcome(exchange)),
            vec![revoked, n, notice],
        )),
        (Some(notice), _) => expect(Judgement::kept("the notice came first", vec![revoked, notice])),
        (None, _) => match notice_of_another_form(story, with.text("peer")) {
            Some(n) => expect(Judgement::unproven(
                "the peer was told of a revocation in another form",
                vec![revoked, n],
            )),
            None => expect(Judgement::broken("no notice of any form", vec![revoked])),
        },
    }
}

fn announces(exchange: &Exchange, grant: &str) -> bool {
    let events = exchange.sent().and_then(|body| body["events"].as_array());
    events
        .into_iter()
        .flatten()
        .any(|event| event["kind"] == kind::GRANT_REVOKED && event["payload"]["grant_id"] == grant)
}

/// Silence is judged by the contract: a notice in a form that the binding does not know is none.
fn notice_of_another_form(story: &Story, peer: &str) -> Option<u64> {
    let mut told = story.exchanges_of(peer, Direction::FromTarget);
    told.find(|(_, exchange)| {
        let text = exchange.sent().map(|body| body.to_string().to_lowercase()).unwrap_or_default();
        text.contains("grant") && ["revok", "withdraw", "terminat"].iter().any(|word| text.contains(word))
    })
    .map(|(entry, _)| entry.n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Body, Message, Operation, Recorder, What};
    use serde_json::{Value, json};

    fn exchange(direction: Direction, body: &Value, status: u16) -> What {
        What::Exchange(Exchange {
            peer: "alice".into(),
            direction,
            request: Message { body: Body::capture(body.to_string().as_bytes()), ..Message::default() },
            response: Some(Message { status: Some(status), ..Message::default() }),
            failure: None,
            tls: None,
            protocol: None,
            injected: vec![],
        })
    }

    /// What the target says after the revocation, and whether before or after it refuses a call.
    fn verdict(told: Option<Value>, first: bool) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let revoke = Operation {
            verb: "grant.revoke".into(),
            parameters: json!({"grant_id": "g"}),
            result: Some(json!({})),
            failure: None,
        };
        recorder.record(None, Some("revoked"), What::Operation(revoke));
        let mut entries = vec![(Some("call"), exchange(Direction::ToTarget, &json!({}), 401))];
        entries.extend(told.map(|body| (None, exchange(Direction::FromTarget, &body, 200))));
        if first {
            entries.reverse();
        }
        for (label, what) in entries {
            recorder.record(None, label, what);
        }
        let with = [("peer", "alice"), ("revoke", "revoked"), ("call", "call")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        grant_revocation_announced(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_notice_that_is_late_or_never_sent_is_broken() {
        let notice =
            |id: &str| json!({"events": [{"kind": kind::GRANT_REVOKED, "payload": {"grant_id": id}}]});
        assert_eq!(verdict(Some(notice("g")), true), Kept);
        assert_eq!(verdict(Some(notice("g")), false), Broken);
        assert_eq!(verdict(None, true), Broken);
        assert_eq!(verdict(Some(json!({"note": "your grant g was revoked"})), true), Unproven);
    }
}
