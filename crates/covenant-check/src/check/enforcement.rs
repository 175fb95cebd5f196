//! Acknowledgement (A) and enforcement (E).

use serde_json::Value;

use super::agreement::{is_nothing, is_same_version, on_record};
use super::common::{finding_raised, findings, new_findings, peer_id, peer_shown, reply_summary};
use super::{CheckResult, Verdict};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "acknowledgement-recorded",
        about: "the contract version of an accept is told back, and the operator sees it on the peer's record",
        parameters: &[
            LegacyParameter::required("call", "label of the accept"),
            LegacyParameter::required("shown", "label of the operator's look at the peer"),
        ],
        evaluate: acknowledgement_recorded,
    },
    LegacyCheck {
        name: "acknowledgement-kept",
        about: "the contract version that was acknowledged stands on the peer's record after the peering's end",
        parameters: &[
            LegacyParameter::required("call", "label of the accept"),
            LegacyParameter::required("before", "label of the operator's look at the peer before the end"),
            LegacyParameter::required("shown", "label of the look after it"),
        ],
        evaluate: acknowledgement_kept,
    },
    LegacyCheck {
        name: "join-acknowledges-contract",
        about: "as the one who joins, the target names a contract version, and has it on the peer's record",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that it joins"),
            LegacyParameter::required("shown", "label of the operator's look at the peer"),
        ],
        evaluate: joiner_acknowledges,
    },
    LegacyCheck {
        name: "no-acknowledgement-recorded",
        about: "no contract version stands on the peers' records, where one stands on that of a conforming peer",
        parameters: &[
            LegacyParameter::required("shown", "labels of the operator's looks at the peers"),
            LegacyParameter::required("valid", "label of the look at a peer that acknowledged one"),
            LegacyParameter::required(
                "proposed",
                "label of the look at a peer that was proposed, and did nothing yet",
            ),
        ],
        evaluate: nothing_acknowledged,
    },
    LegacyCheck {
        name: "repeated-breach-suspends",
        about: "the fifth breach of one norm has suspended the peer, and the first alone has not",
        parameters: &[
            LegacyParameter::required("call", "labels of the breaches"),
            LegacyParameter::required("first", "label of the operator's look at the peer of one breach"),
            LegacyParameter::required("fifth", "label of the operator's look at the peer of five"),
            LegacyParameter::required(
                "later",
                "label of valid calls of the peer of five, made after that look",
            ),
            LegacyParameter::required("control", "label of the same calls, made before its breaches"),
        ],
        evaluate: repetition_suspends,
    },
    LegacyCheck {
        name: "soft-finding-shown",
        about: "what a peer withheld is shown to the operator: in the findings, or on the peer's record",
        parameters: &[
            LegacyParameter::required("peer", "the misbehaving peer's name"),
            LegacyParameter::required("before", "label of the scan before the misbehaviour"),
            LegacyParameter::required("after", "label of the scan after it"),
            LegacyParameter::required("conforming", "the name of a peer that did nothing wrong"),
            LegacyParameter::required("shown", "label of the operator's look at the misbehaving peer"),
            LegacyParameter::required("other", "label of the look at the conforming one"),
        ],
        evaluate: soft_finding_shown,
    },
];

fn acknowledgement_recorded(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("contract_version_agreed as asked for");
    let accept = trace.exchanges_labelled(with.text("call")).find(|(_, exchange)| exchange.succeeded());
    let (Some((accepted, accept)), Some((shown, peer))) = (accept, peer_shown(trace, with.text("shown")))
    else {
        return expect(CheckResult::unproven("no accept succeeded, or no peer was shown", vec![]));
    };
    let evidence = vec![accepted, shown];
    let asked = accept.sent().map(|sent| sent["contract_version"].clone()).unwrap_or_default();
    let reported = reported(accept);
    let seen = [("told back", reported.as_ref()), ("on record", on_record(peer))];
    let other =
        seen.iter().find(|(_, version)| version.is_some_and(|version| !is_same_version(version, &asked)));
    if let Some((place, Some(version))) = other {
        return expect(CheckResult::broken(format!("asked for {asked}, {place} {version}"), evidence));
    }
    match seen.iter().find(|(_, version)| version.is_none()) {
        Some((place, _)) => {
            expect(CheckResult::unproven(format!("no version {place} is to be seen"), evidence))
        }
        None => expect(CheckResult::kept("told back and on record", evidence)),
    }
}

/// Returns the version in the answer to an accept, or `None` if it has no such member.
fn reported(accept: &Exchange) -> Option<Value> {
    accept.data()?.get("contract_version_agreed").cloned()
}

fn acknowledgement_kept(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("the version that was acknowledged, on record still");
    let accept = trace.exchanges_labelled(with.text("call")).find(|(_, exchange)| exchange.succeeded());
    let looks = (peer_shown(trace, with.text("before")), peer_shown(trace, with.text("shown")));
    let (Some((accepted, accept)), (Some((before, earlier)), Some((after, peer)))) = (accept, looks) else {
        return expect(CheckResult::unproven("no accept succeeded, or no peer was shown", vec![]));
    };
    let evidence = vec![accepted, before, after];
    let stood = on_record(earlier).filter(|version| !is_nothing(version));
    let Some(known) = stood.cloned().or_else(|| reported(accept).filter(|version| !is_nothing(version)))
    else {
        return expect(CheckResult::unproven("nothing tells what was acknowledged", evidence));
    };
    match on_record(peer) {
        Some(kept) if is_same_version(kept, &known) => {
            expect(CheckResult::kept(format!("version {kept}"), evidence))
        }
        None if stood.is_none() => {
            expect(CheckResult::unproven("the record has no place for what was acknowledged", evidence))
        }
        kept => {
            let kept = kept.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let actual = format!("version {known} was acknowledged, on record is {kept}");
            expect(CheckResult::broken(actual, evidence))
        }
    }
}

fn joiner_acknowledges(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("a contract version above zero, sent and on record");
    let accepts = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    let accepts: Vec<_> = accepts.filter(|(_, exchange)| exchange.route() == Some(Route::Accept)).collect();
    // A peer that is refused may correct itself the next time.
    let accept = accepts.iter().rev().find(|(_, exchange)| exchange.succeeded()).or(accepts.last());
    let Some((sent_in, body)) = accept.and_then(|(entry, accept)| Some((entry.n, accept.sent()?))) else {
        return expect(CheckResult::unproven("the target did not call accept", vec![]));
    };
    let asked = body.get("contract_version").unwrap_or(&Value::Null);
    let number = asked.as_f64();
    let is_silent = asked.is_null() || *asked == false;
    if is_silent || number.is_some_and(|number| number <= 0.0) {
        return expect(CheckResult::broken(format!("it joins with {asked}"), vec![sent_in]));
    }
    let record = peer_shown(trace, with.text("shown")).and_then(|(n, peer)| Some((n, on_record(peer)?)));
    let (Some(_), Some((shown, kept))) = (number, record) else {
        let actual = format!("it joins with {asked}; no record to see");
        return expect(CheckResult::unproven(actual, vec![sent_in]));
    };
    let evidence = vec![sent_in, shown];
    if !is_same_version(kept, asked) {
        return expect(CheckResult::broken(format!("it joins with {asked}, on record {kept}"), evidence));
    }
    expect(CheckResult::kept("sent and on record", evidence))
}

fn nothing_acknowledged(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("no contract_version_agreed, or zero");
    let mut evidence = vec![];
    let proposed = peer_shown(trace, with.text("proposed"));
    if let Some((n, _)) = proposed.filter(|(_, peer)| on_record(peer).is_some_and(|it| !is_nothing(it))) {
        return expect(CheckResult::unproven("a version is on record before any accept", vec![n]));
    }
    for label in with.texts("shown") {
        let Some((n, peer)) = peer_shown(trace, label) else {
            return expect(CheckResult::unproven(format!("{label:?} shows no peer"), evidence));
        };
        evidence.push(n);
        if let Some(agreed) = on_record(peer).filter(|agreed| !is_nothing(agreed)) {
            let actual = format!("{label:?} shows the acknowledgement of {agreed}");
            return expect(CheckResult::broken(actual, evidence));
        }
    }
    // If the record of a conforming peer shows no version either, its absence says nothing.
    let valid = peer_shown(trace, with.text("valid")).and_then(|(_, peer)| on_record(peer));
    if valid.is_none_or(is_nothing) {
        return expect(CheckResult::unproven("a conforming peer's record shows no version either", evidence));
    }
    expect(CheckResult::kept("nothing is on record", evidence))
}

fn repetition_suspends(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("one breach: not suspended; five: suspended, and served no more")
    };
    let mut calls = with.texts("call").into_iter().flat_map(|label| trace.exchanges_labelled(label));
    if let Some((n, _)) = calls.find(|(_, exchange)| exchange.succeeded()) {
        return expect(CheckResult::unproven("the breach was not seen as one: it was accepted", vec![n]));
    }
    let (Some((first, one)), Some((fifth, five))) =
        (peer_shown(trace, with.text("first")), peer_shown(trace, with.text("fifth")))
    else {
        return expect(CheckResult::unproven("the peers were not shown", vec![]));
    };
    let evidence = vec![first, fifth];
    match (is_suspended(one), is_suspended(five)) {
        (Some(true), _) => {
            return expect(CheckResult::broken("one breach alone suspended the peer", evidence));
        }
        (_, Some(false)) => {
            return expect(CheckResult::broken("five breaches did not suspend the peer", evidence));
        }
        (Some(false), Some(true)) => {}
        (None, _) | (_, None) => {
            let actual = format!("what status is {}, and what {}?", one["status"], five["status"]);
            return expect(CheckResult::unproven(actual, evidence));
        }
    }
    let made = |name: &str| trace.exchanges_labelled(with.text(name)).collect::<Vec<_>>();
    let (controls, later) = (made("control"), made("later"));
    if let Some((n, exchange)) = later.iter().find(|(_, exchange)| exchange.succeeded()) {
        let actual = format!("it is called suspended, and served: {}", reply_summary(exchange));
        return expect(CheckResult::broken(actual, vec![fifth, *n]));
    }
    if later.is_empty() || controls.is_empty() || !controls.iter().all(|(_, exchange)| exchange.succeeded()) {
        return expect(CheckResult::unproven("it was not served before its breaches either", evidence));
    }
    if let Some((n, exchange)) = later.iter().find(|(_, exchange)| !exchange.was_refused()) {
        let actual = format!("neither refused nor accepted: {}", reply_summary(exchange));
        return expect(CheckResult::unproven(actual, vec![fifth, *n]));
    }
    expect(CheckResult::kept("suspended on repetition only, and served no more", evidence))
}

/// Returns whether a peer is shown as suspended, or `None` if its status is an unknown word.
pub(super) fn is_suspended(peer: &Value) -> Option<bool> {
    let status = peer["status"].as_str()?.to_lowercase();
    if status.contains("suspend") {
        return Some(true);
    }
    PeerStatus::parse(&status).map(|_| false)
}

/// Evaluates whether the operator sees a soft finding. The operator's view of a peer is the list of findings,
/// or the findings in the peer's record.
fn soft_finding_shown(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let raised = finding_raised(trace, with);
    let looks = (peer_shown(trace, with.text("shown")), peer_shown(trace, with.text("other")));
    let (Some((shown, peer)), Some((other, conforming))) = looks else { return raised };
    let is_silent = raised.verdict == Verdict::Broken && !blames(trace, with);
    match remark(peer).filter(|_| is_silent && remark(conforming).is_none()) {
        Some(name) => CheckResult {
            verdict: Verdict::Kept,
            actual: format!("the peer's record shows it, under {name}"),
            evidence: vec![shown, other],
            ..raised
        },
        None => raised,
    }
}

/// Returns whether findings were raised about the conforming peer.
fn blames(trace: &Trace, with: Arguments<'_>) -> bool {
    let scans = (findings(trace, with.text("before")), findings(trace, with.text("after")));
    let (Some((_, before)), Some((_, after))) = scans else { return false };
    let conforming = peer_id(trace, with.text("conforming"));
    conforming.is_some_and(|conforming| !new_findings(&before, &after, &conforming).is_empty())
}

/// Returns the member of a peer's record that lists the findings about the peer.
fn remark(peer: &Value) -> Option<&str> {
    const WORDS: [&str; 6] = ["finding", "governance", "warning", "violation", "breach", "alert"];
    let lists = |said: &Value| said.as_array().is_some_and(|items| !items.is_empty());
    let says =
        |said: &Value| lists(said) || said.as_object().is_some_and(|members| members.values().any(lists));
    let mut members = peer.as_object()?.iter();
    let found = members.find(|(name, said)| WORDS.iter().any(|word| name.contains(word)) && says(said));
    found.map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use serde_json::json;
    use std::collections::BTreeMap;

    type Decide = fn(&Trace, Arguments<'_>) -> CheckResult;

    /// A builder of a trace, in the order of its reads and calls.
    struct TraceBuilder(Recorder);

    impl TraceBuilder {
        fn begin() -> Self {
            let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
            Self(Recorder::in_memory("x", clock))
        }

        fn result(self, label: &str, result: Value) -> Self {
            let (method, parameters) = ("x".into(), json!({}));
            let operation = Operation { method, parameters, result: Some(result), failure: None };
            self.0.record(None, Some(label), What::Operation(operation));
            self
        }

        fn look(self, label: &str, peer: &Value) -> Self {
            self.result(label, json!({ "peer": peer }))
        }

        fn call(self, label: &str, direction: Direction, sent: Value, status: u16, data: &Value) -> Self {
            let exchange = Exchange::made("alice", direction)
                .on("POST", "accept")
                .sending(sent)
                .answered_with(status, json!({ "data": data }));
            self.0.record(None, Some(label), What::Exchange(exchange));
            self
        }

        fn accept(self, asked: &Value, status: u16, agreed: &Value) -> Self {
            let sent = json!({ "contract_version": asked });
            let data = json!({"peer_id": "1", "contract_version_agreed": agreed});
            self.call("accepted", Direction::ToTarget, sent, status, &data)
        }

        /// Returns the verdict; every argument is the label of its own name, except these.
        fn verdict(self, evaluate: Decide, labels: &[&str], others: &[(&str, Value)]) -> Verdict {
            let labels = labels.iter().map(|label| ((*label).to_owned(), json!(label)));
            let others = others.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let with: BTreeMap<String, Value> = labels.chain(others).collect();
            evaluate(&self.0.trace(), Arguments::new(&with)).verdict
        }
    }

    fn agreed(version: &Value) -> Value {
        json!({ "contract_version_agreed": version })
    }

    #[test]
    fn an_acknowledgement_on_record_after_a_refusal_is_broken() {
        let evaluated = |refused: &Value, valid: &Value| {
            let builder = TraceBuilder::begin().look("shown", refused).look("valid", valid);
            builder.verdict(nothing_acknowledged, &["shown", "valid"], &[])
        };
        let valid = agreed(&json!(1));
        for (version, expected) in [(json!(null), Kept), (json!(0.0), Kept), (json!(1), Broken)] {
            assert_eq!(evaluated(&agreed(&version), &valid), expected, "{version}");
        }
        assert_eq!(evaluated(&json!({}), &valid), Kept);
        assert_eq!(evaluated(&json!({}), &json!({"status": "active"})), Unproven);
        let filled =
            TraceBuilder::begin().look("proposed", &valid).look("shown", &valid).look("valid", &valid);
        assert_eq!(filled.verdict(nothing_acknowledged, &["shown", "valid", "proposed"], &[]), Unproven);
    }

    #[test]
    fn a_record_without_a_place_for_the_version_shows_nothing() {
        let evaluated = |reported: &Value, record: &Value| {
            let builder = TraceBuilder::begin().accept(&json!(1), 200, reported).look("shown", record);
            builder.verdict(acknowledgement_recorded, &["shown"], &[("call", json!("accepted"))])
        };
        assert_eq!(evaluated(&json!(1), &agreed(&json!("1"))), Kept);
        assert_eq!(evaluated(&json!(1), &json!({"agreed_contract_version": 1.0})), Kept);
        assert_eq!(evaluated(&json!(1), &json!({"status": "active"})), Unproven);
        assert_eq!(evaluated(&json!(1), &agreed(&json!(null))), Broken);
        assert_eq!(evaluated(&json!(2), &agreed(&json!(1))), Broken);
    }

    #[test]
    fn an_acknowledgement_that_is_gone_after_the_end_is_broken() {
        let evaluated = |before: &Value, after: &Value| {
            let builder = TraceBuilder::begin().accept(&json!(1), 200, &json!(1)).look("before", before);
            let builder = builder.look("shown", after);
            builder.verdict(acknowledgement_kept, &["before", "shown"], &[("call", json!("accepted"))])
        };
        let (one, none) = (agreed(&json!(1)), json!({"status": "revoked"}));
        assert_eq!(evaluated(&one, &one), Kept);
        assert_eq!(evaluated(&one, &none), Broken);
        assert_eq!(evaluated(&one, &agreed(&json!(null))), Broken);
        assert_eq!(evaluated(&none, &agreed(&json!(0))), Broken);
        assert_eq!(evaluated(&none, &none), Unproven);
        let never = TraceBuilder::begin().accept(&json!(1), 200, &json!(null));
        let never = never.look("before", &agreed(&json!(0))).look("shown", &agreed(&json!(null)));
        let call = [("call", json!("accepted"))];
        assert_eq!(never.verdict(acknowledgement_kept, &["before", "shown"], &call), Unproven);
    }

    #[test]
    fn whoever_joins_is_evaluated_by_the_accept_that_succeeded() {
        let accept = |builder: TraceBuilder, asked: Value, status: u16| {
            builder.call("x", Direction::FromTarget, json!({ "contract_version": asked }), status, &json!({}))
        };
        let evaluated = |builder: TraceBuilder| {
            let builder = builder.look("shown", &agreed(&json!(1)));
            builder.verdict(joiner_acknowledges, &["shown"], &[("peer", json!("alice"))])
        };
        assert_eq!(evaluated(accept(accept(TraceBuilder::begin(), json!(null), 422), json!(1), 200)), Kept);
        assert_eq!(evaluated(accept(accept(TraceBuilder::begin(), json!(1), 422), json!(null), 200)), Broken);
        assert_eq!(evaluated(accept(TraceBuilder::begin(), json!(2), 200)), Broken);
        assert_eq!(evaluated(TraceBuilder::begin()), Unproven);
    }

    /// Returns the verdict on peers of these statuses, if the suspended one gets these answers before and
    /// after.
    fn repeated(one: &str, five: &str, before: u16, after: u16) -> Verdict {
        let builder =
            TraceBuilder::begin().call("control", Direction::ToTarget, json!({}), before, &json!({}));
        let builder =
            builder.look("first", &json!({ "status": one })).look("fifth", &json!({ "status": five }));
        let builder = builder.call("later", Direction::ToTarget, json!({}), after, &json!({}));
        builder.verdict(repetition_suspends, &["first", "fifth", "later", "control"], &[])
    }

    #[test]
    fn suspension_at_once_or_never_or_in_name_only_is_broken() {
        assert_eq!(repeated("active", "suspended", 200, 401), Kept);
        assert_eq!(repeated("suspended", "suspended", 200, 401), Broken);
        assert_eq!(repeated("active", "active", 200, 401), Broken);
        assert_eq!(repeated("active", "suspended", 200, 200), Broken);
        assert_eq!(repeated("active", "Suspended (review)", 200, 401), Kept);
        assert_eq!(repeated("active", "quarantined", 200, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 401, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 200, 500), Unproven);
    }

    #[test]
    fn what_stands_on_a_peers_record_is_shown_to_the_operator() {
        let evaluated = |scanned: Value, record: Value, conforming: Value| {
            let builder = TraceBuilder::begin().accept(&json!(1), 200, &json!(1));
            let builder = builder
                .result("before", json!({"findings": []}))
                .result("after", json!({"findings": scanned}));
            let builder = builder.look("shown", &record).look("other", &conforming);
            let peers = [("peer", json!("alice")), ("conforming", json!("bob"))];
            builder.verdict(soft_finding_shown, &["before", "after", "shown", "other"], &peers)
        };
        let noted = json!({"governance": {"peer_findings": ["no residency"]}});
        let clean = json!({"governance": {"peer_findings": []}});
        let finding = json!([{"kind": "residency", "federation_peer_id": "1"}]);
        assert_eq!(evaluated(finding, clean.clone(), clean.clone()), Kept);
        assert_eq!(evaluated(json!([]), noted.clone(), clean.clone()), Kept);
        assert_eq!(evaluated(json!([]), noted.clone(), noted), Broken);
        assert_eq!(evaluated(json!([]), clean.clone(), clean), Broken);
    }
}
