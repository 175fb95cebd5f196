//! Commitment 12: contract version honesty.

use serde_json::Value;

use super::CheckResult;
use super::agreement::{self, is_listed, is_same_version};
use super::common::reply_summary;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::state::PeerStatus;

/// The names of the members that hold the address in a peer's record.
const ADDRESSES: [&str; 4] = ["remote_instance_url", "base_url", "instance_url", "url"];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "agreed-version-is-requested-version",
        about: "what the target agrees to is the contract version it was asked for, and one that it has",
        parameters: &[
            LegacyParameter::required("call", "label of the accepts, of every version"),
            LegacyParameter::optional("listed", "label of the operator's look at the contract versions"),
        ],
        evaluate: agreed_is_asked,
    },
    LegacyCheck {
        name: "joins-same-version-only",
        about: "as the one who joins, the target refuses an answer that agrees to another version or text",
        parameters: &[
            LegacyParameter::required("call", "label of the join that is answered wrongly"),
            LegacyParameter::required("shown", "label of the operator's look at the peers afterwards"),
            LegacyParameter::optional("known", "label of the operator's look at the peers before the joins"),
            LegacyParameter::required("control", "label of a join that is answered rightly"),
        ],
        evaluate: joins_same_version_only,
    },
];

fn agreed_is_asked(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("contract_version_agreed equal to the version asked for, and listed; or a refusal")
    };
    let listed = with.text_if_given("listed").map(|label| {
        let (n, operation) = trace.operation(label)?;
        Some((n, agreement::rows(operation.result.as_ref()?)?))
    });
    if listed == Some(None) {
        return expect(CheckResult::unproven("the contract versions were not listed", vec![]));
    }
    let listed = listed.flatten();
    // If the versions could not be listed, the trace only shows that the agreed version is the requested one.
    let has = |version: &Value, digest: Option<&str>| {
        listed.map_or(Some(true), |(_, rows)| is_listed(rows, version, digest))
    };
    let mut open = None;
    let looked: Vec<u64> = listed.iter().map(|(n, _)| *n).collect();
    let with_look = |n: u64| looked.iter().copied().chain([n]).collect::<Vec<u64>>();
    let accepts: Vec<_> = trace.exchanges_labelled(with.text("call")).collect();
    for (n, exchange) in accepts.iter().filter(|(_, exchange)| exchange.succeeded()) {
        let evidence = with_look(*n);
        let asked =
            exchange.sent().and_then(|sent| sent.get("contract_version")).cloned().unwrap_or(Value::Null);
        let digest = exchange.sent().and_then(|sent| sent["contract_digest"].as_str());
        let agreed = exchange.data().and_then(|data| data.get("contract_version_agreed").cloned());
        match agreed {
            None => return expect(CheckResult::unproven("the answer names no agreed version", evidence)),
            // A.1 evaluates whether a text asks for a version at all.
            Some(agreed) if !is_same_version(&agreed, &asked) => {
                return expect(CheckResult::broken(
                    format!("asked for {asked}, agreed to {agreed}"),
                    evidence,
                ));
            }
            Some(agreed) => match has(&asked, digest) {
                Some(true) => {}
                Some(false) => {
                    let actual = format!("agreed to {agreed}, which it does not have");
                    return expect(CheckResult::broken(actual, evidence));
                }
                None => {
                    let actual = format!("agreed to {agreed}; its own versions are listed as no numbers");
                    open.get_or_insert(CheckResult::unproven(actual, evidence));
                }
            },
        }
    }
    if let Some(open) = open {
        return expect(open);
    }
    if let Some((n, exchange)) = accepts.iter().find(|(_, e)| !e.succeeded() && !e.was_refused()) {
        return expect(CheckResult::unproven(reply_summary(exchange), with_look(*n)));
    }
    let agreed = accepts.iter().filter(|(_, exchange)| exchange.succeeded()).count();
    if agreed == 0 {
        return expect(CheckResult::unproven("no accept succeeded", looked));
    }
    let evidence = looked.iter().copied().chain(accepts.iter().map(|(n, _)| *n)).collect();
    expect(CheckResult::kept(
        format!("{agreed} of {} accepts agreed, each as asked", accepts.len()),
        evidence,
    ))
}

fn joins_same_version_only(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(
            "the join refused, or its peer left short of enrolled; the rightly answered one enrolled",
        )
    };
    let (Some((wrong, joined)), Some((shown, peers)), Some((right, control))) = (
        trace.operation(with.text("call")),
        trace.operation(with.text("shown")),
        trace.operation(with.text("control")),
    ) else {
        return expect(CheckResult::unproven("the joins were not made", vec![]));
    };
    let evidence = vec![right, wrong, shown];
    let peers = peers.result.as_ref().and_then(peer_rows).unwrap_or_default();
    let before = with.text_if_given("known").and_then(|label| trace.operation(label));
    let known = before.and_then(|(_, look)| peer_rows(look.result.as_ref()?)).unwrap_or_default();
    // An address that a peer had before may occur again.
    let is_new = |peer: &Value| known.iter().all(|old| id_of(old) != id_of(peer));
    let row_of = |joined: &Operation| peers.iter().find(|peer| is_new(peer) && is_joined(peer, joined));
    if row_of(control).and_then(is_let_in) != Some(true) {
        return expect(CheckResult::unproven(
            "a join that was answered rightly did not enrol either",
            evidence,
        ));
    }
    let row = row_of(joined);
    match row.map(|peer| (is_let_in(peer), &peer["status"])) {
        Some((Some(true), status)) => {
            return expect(CheckResult::broken(format!("the peer is {status}"), evidence));
        }
        Some((None, status)) => {
            return expect(CheckResult::unproven(
                format!("the peer is {status}, whatever that is"),
                evidence,
            ));
        }
        Some((Some(false), _)) | None => {}
    }
    let may_be_it = |peer: &&Value| {
        is_new(peer)
            && !is_joined(peer, control)
            && is_let_in(peer) != Some(false)
            && address_of(peer).is_none()
    };
    let has_no_row = id_given(joined).is_none() && row.is_none();
    if let Some(peer) = peers.iter().find(may_be_it).filter(|_| has_no_row) {
        let actual = format!("a new peer is {}, and its record shows no address", peer["status"]);
        return expect(CheckResult::unproven(actual, evidence));
    }
    expect(CheckResult::kept("the join was refused, and the rightly answered one enrolled", evidence))
}

/// Returns the rows of a list of peers: the list itself, or a list under a name.
fn peer_rows(listed: &Value) -> Option<&[Value]> {
    match listed {
        Value::Array(rows) => {
            let are_peers = !rows.is_empty() && rows.iter().all(|row| id_of(row).is_some());
            are_peers.then_some(rows.as_slice())
        }
        Value::Object(members) => members.values().find_map(peer_rows),
        _ => None,
    }
}

/// Returns whether a peer may call, or `None` if its status is not one of the wire.
fn is_let_in(peer: &Value) -> Option<bool> {
    PeerStatus::parse(peer["status"].as_str()?).map(PeerStatus::may_call)
}

fn id_of(peer: &Value) -> Option<&str> {
    peer.get("peer_id").or_else(|| peer.get("id"))?.as_str()
}

/// Returns whether a row belongs to a join: by the id in its result, or by the address if the join was
/// refused.
fn is_joined(peer: &Value, join: &Operation) -> bool {
    let is_at = || {
        let joined = join.parameters["base_url"].as_str().map(without_slash);
        joined.is_some_and(|joined| address_of(peer) == Some(joined) || is_reached_at(peer, joined))
    };
    id_given(join).map_or_else(is_at, |given| id_of(peer) == Some(given))
}

fn id_given(join: &Operation) -> Option<&str> {
    join.result.as_ref().and_then(id_of)
}

/// Returns the address in a peer's record.
fn address_of(peer: &Value) -> Option<&str> {
    let mut named = ADDRESSES.iter().filter_map(|name| peer[*name].as_str());
    named.next().map(without_slash)
}

/// Returns whether one of a peer's endpoints is at an address, or below it.
fn is_reached_at(peer: &Value, address: &str) -> bool {
    let is_below = |url: &str| url.strip_prefix(address).is_some_and(|rest| rest.starts_with('/'));
    let mut endpoints = peer["endpoints"].as_array().into_iter().flatten();
    endpoints.any(|endpoint| {
        endpoint["url"].as_str().is_some_and(|url| without_slash(url) == address || is_below(url))
    })
}

fn without_slash(address: &str) -> &str {
    address.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Clock;
    use covenant_model::contract::REGISTER_V1;
    use covenant_model::transcript::{Exchange, Recorder, What};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn verdict(asked: &Value, status: u16, agreed: &Value) -> crate::check::Verdict {
        verdict_where(&json!([{"version": "1"}]), asked, status, agreed)
    }

    fn verdict_where(listed: &Value, asked: &Value, status: u16, agreed: &Value) -> crate::check::Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let listed = Operation {
            method: "contract.list".into(),
            parameters: json!({}),
            result: Some(json!({ "contracts": listed })),
            failure: None,
        };
        recorder.record(None, Some("listed"), What::Operation(listed));
        let accept = |asked: &Value, status: u16, body: Value| {
            What::Exchange(
                Exchange::to_target("alice")
                    .sending(json!({"contract_version": asked, "contract_digest": REGISTER_V1.digest}))
                    .answered_with(status, body),
            )
        };
        let agrees = |agreed: &Value| json!({"success": true, "data": {"contract_version_agreed": agreed}});
        recorder.record(None, Some("call"), accept(&json!(1), 200, agrees(&json!(1))));
        recorder.record(None, Some("call"), accept(asked, status, agrees(agreed)));
        let with = BTreeMap::from([("call".into(), json!("call")), ("listed".into(), json!("listed"))]);
        agreed_is_asked(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn agreeing_to_another_version_or_to_one_it_does_not_have_is_broken() {
        use crate::check::Verdict::{Broken, Kept};
        assert_eq!(verdict(&json!(2), 422, &Value::Null), Kept);
        assert_eq!(verdict(&json!(2), 200, &json!(1)), Broken);
        assert_eq!(verdict(&json!(2), 200, &json!(2)), Broken);
        for text in ["1abc", "v1", "1.0"] {
            assert_eq!(verdict(&json!(text), 200, &json!(1)), Broken, "{text}");
        }
        assert_eq!(verdict(&json!("1"), 200, &json!(1)), Kept);
        assert_eq!(verdict(&json!(1), 200, &json!("1")), Kept);
    }

    #[test]
    fn a_version_that_is_listed_otherwise_is_one_that_it_has_or_may_have() {
        use crate::check::Verdict::{Broken, Kept, Unproven};
        let agreed_to = |listed: Value| verdict_where(&listed, &json!(1), 200, &json!(1));
        for written in ["v1", "1.0"] {
            assert_eq!(agreed_to(json!([{"version": written}])), Kept, "{written}");
        }
        assert_eq!(agreed_to(json!([{"version": "2026-05", "digest": REGISTER_V1.digest}])), Kept);
        assert_eq!(agreed_to(json!([{"version": "2026-05"}])), Unproven);
        assert_eq!(agreed_to(json!([{"version": 7}])), Broken);
    }

    /// Returns the verdict if the wrong join has this result and the peers are listed like this.
    fn joined(wrong: Option<Value>, listed: Value) -> crate::check::Verdict {
        joined_since(&json!([]), wrong, listed)
    }

    fn joined_since(known: &Value, wrong: Option<Value>, listed: Value) -> crate::check::Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let operations = [
            ("control", json!({"base_url": "https://a/"}), Some(json!({"peer_id": "1"}))),
            ("call", json!({"base_url": "https://b/"}), wrong),
            ("shown", json!({}), Some(listed)),
            ("known", json!({}), Some(known.clone())),
        ];
        for (label, parameters, result) in operations {
            let operation = Operation { method: "x".into(), parameters, result, failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        }
        let with = ["control", "call", "shown", "known"].map(|label| (label.to_owned(), json!(label))).into();
        joins_same_version_only(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_peer_that_answered_another_version_and_is_enrolled_is_broken() {
        use crate::check::Verdict::{Broken, Kept, Unproven};
        let right = json!({"peer_id": "1", "status": "active"});
        let wrong = |status: &str| json!({"id": "2", "status": status, "remote_instance_url": "https://b"});
        for listed in [json!({"peers": [right, wrong("proposed")]}), json!([right, wrong("revoked")])] {
            assert_eq!(joined(Some(json!({"peer_id": "2"})), listed.clone()), Kept);
            assert_eq!(joined(None, listed), Kept);
        }
        let listed = json!({"data": {"items": [right, wrong("enrolled")]}});
        assert_eq!(joined(Some(json!({"peer_id": "2"})), listed.clone()), Broken);
        assert_eq!(joined(None, listed), Broken);
        assert_eq!(joined(None, json!([wrong("proposed")])), Unproven);
        assert_eq!(joined(None, json!([right, wrong("connected")])), Unproven, "no word of the wire's");
        let nowhere = json!({"id": "2", "status": "active"});
        assert_eq!(joined(None, json!([right, nowhere])), Unproven);
        assert_eq!(joined_since(&json!([nowhere]), None, json!([right, nowhere])), Kept);
        assert_eq!(joined(Some(json!({"peer_id": "3"})), json!([right, nowhere])), Kept);
        let reached = json!({"id": "2", "status": "active", "endpoints": [{"url": "https://b/federation"}]});
        assert_eq!(joined(None, json!([right, reached])), Broken);
        let elsewhere = json!({"id": "2", "status": "active", "remote_instance_url": "https://c"});
        assert_eq!(joined(None, json!([right, elsewhere])), Kept);
        let old = json!({"id": "0", "status": "active", "remote_instance_url": "https://b"});
        assert_eq!(joined_since(&json!([old]), None, json!([old, right])), Kept);
    }
}
