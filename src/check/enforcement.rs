//! Acknowledgement (A) and enforcement (E).

use serde_json::Value;

use super::common::{is_same_number, peer_shown};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Story};
use crate::wire::path::Route;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "acknowledgement-recorded",
        about: "the contract version of an accept is told back, and the operator sees it on the peer's record",
        parameters: &[
            Parameter::required("call", "label of the accept"),
            Parameter::required("shown", "label of the operator's look at the peer"),
        ],
        decide: acknowledgement_recorded,
    },
    Judge {
        name: "joiner-acknowledges",
        about: "as the one who joins, the target names a contract version, and has it on the peer's record",
        parameters: &[
            Parameter::required("peer", "the name of the peer that it joins"),
            Parameter::required("shown", "label of the operator's look at the peer"),
        ],
        decide: joiner_acknowledges,
    },
    Judge {
        name: "nothing-acknowledged",
        about: "no contract version stands on the peers' records",
        parameters: &[Parameter::required("shown", "labels of the operator's looks at the peers")],
        decide: nothing_acknowledged,
    },
    Judge {
        name: "repetition-suspends",
        about: "the fifth breach of one norm has suspended the peer, and the first alone has not",
        parameters: &[
            Parameter::required("call", "labels of the breaches"),
            Parameter::required("first", "label of the operator's look at the peer of one breach"),
            Parameter::required("fifth", "label of the operator's look at the peer of five"),
        ],
        decide: repetition_suspends,
    },
];

fn acknowledgement_recorded(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("contract_version_agreed as asked for");
    let accept = story.exchanges_labelled(with.text("call")).find(|(_, exchange)| exchange.succeeded());
    let (Some((accepted, accept)), Some((shown, peer))) = (accept, peer_shown(story, with.text("shown")))
    else {
        return expect(Judgement::unproven("no accept succeeded, or no peer was shown", vec![]));
    };
    let evidence = vec![accepted, shown];
    let asked = accept.sent().and_then(|sent| sent.get("contract_version")).cloned();
    let told = accept.data().and_then(|data| data.get("contract_version_agreed").cloned());
    let kept = peer.get("contract_version_agreed").cloned();
    if [&told, &kept].into_iter().any(|version| !is_same_number(version.as_ref(), asked.as_ref())) {
        let actual = format!("asked for {asked:?}, told back {told:?}, on record {kept:?}");
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept("told back and on record", evidence))
}

fn joiner_acknowledges(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("a contract version above zero, sent and on record");
    let mut accepts = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    let accept = accepts.find(|(_, exchange)| exchange.route() == Some(Route::Accept));
    let Some((sent_in, body)) = accept.and_then(|(entry, accept)| Some((entry.n, accept.sent()?))) else {
        return expect(Judgement::unproven("the target did not call accept", vec![]));
    };
    let asked = body.get("contract_version");
    let number = asked.and_then(Value::as_f64);
    let is_silent = asked.is_none_or(|asked| asked.is_null() || *asked == false);
    if is_silent || number.is_some_and(|number| number <= 0.0) {
        return expect(Judgement::broken(format!("it joins with {asked:?}"), vec![sent_in]));
    }
    let (Some(_), Some((shown, peer))) = (number, peer_shown(story, with.text("shown"))) else {
        return expect(Judgement::unproven(
            format!("it joins with {asked:?}; no record to see"),
            vec![sent_in],
        ));
    };
    let evidence = vec![sent_in, shown];
    let kept = peer.get("contract_version_agreed");
    if !is_same_number(kept, asked) {
        return expect(Judgement::broken(format!("it joins with {asked:?}, on record {kept:?}"), evidence));
    }
    expect(Judgement::kept("sent and on record", evidence))
}

fn nothing_acknowledged(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("no contract_version_agreed, or zero");
    let mut evidence = vec![];
    for label in with.texts("shown") {
        let Some((n, peer)) = peer_shown(story, label) else {
            return expect(Judgement::unproven(format!("{label:?} shows no peer"), evidence));
        };
        evidence.push(n);
        let agreed = &peer["contract_version_agreed"];
        if !agreed.is_null() && agreed != 0 {
            let actual = format!("{label:?} shows the acknowledgement of {agreed}");
            return expect(Judgement::broken(actual, evidence));
        }
    }
    expect(Judgement::kept("nothing is on record", evidence))
}

fn repetition_suspends(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("one breach: not suspended; five: suspended");
    let mut calls = with.texts("call").into_iter().flat_map(|label| story.exchanges_labelled(label));
    if let Some((n, _)) = calls.find(|(_, exchange)| exchange.succeeded()) {
        return expect(Judgement::unproven("the breach was not seen as one: it was accepted", vec![n]));
    }
    let (Some((first, one)), Some((fifth, five))) =
        (peer_shown(story, with.text("first")), peer_shown(story, with.text("fifth")))
    else {
        return expect(Judgement::unproven("the peers were not shown", vec![]));
    };
    let evidence = vec![first, fifth];
    match (one["status"] == "suspended", five["status"] == "suspended") {
        (true, _) => expect(Judgement::broken("one breach alone suspended the peer", evidence)),
        (_, false) => expect(Judgement::broken("five breaches did not suspend the peer", evidence)),
        (false, true) => expect(Judgement::kept("suspended on repetition only", evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Operation, Recorder, What};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn judged(decide: fn(&Story, Arguments<'_>) -> Judgement, looks: &[(&str, Value)]) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for (label, peer) in looks {
            let operation = Operation {
                verb: "peer.show".into(),
                parameters: json!({}),
                result: Some(json!({ "peer": peer })),
                failure: None,
            };
            recorder.record(None, Some(*label), What::Operation(operation));
        }
        let with: BTreeMap<String, Value> =
            looks.iter().map(|(label, _)| ((*label).to_owned(), json!(label))).collect();
        decide(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn an_acknowledgement_on_record_after_a_refusal_is_broken() {
        for (agreed, expected) in [(json!(null), Kept), (json!(0), Kept), (json!(1), Broken)] {
            let look = [("shown", json!({"contract_version_agreed": agreed}))];
            assert_eq!(judged(nothing_acknowledged, &look), expected, "{agreed}");
        }
    }

    #[test]
    fn suspension_at_once_or_never_is_broken() {
        for (one, five, expected) in
            [("active", "suspended", Kept), ("suspended", "suspended", Broken), ("active", "active", Broken)]
        {
            let looks = [("first", json!({"status": one})), ("fifth", json!({"status": five}))];
            assert_eq!(judged(repetition_suspends, &looks), expected, "{one} {five}");
        }
        assert_eq!(judged(repetition_suspends, &[("first", json!({}))]), Unproven);
    }
}
