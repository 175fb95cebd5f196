//! What untyped checks share. This file goes with the last of them.

pub(super) use super::general::*;

use std::collections::BTreeSet;

use serde_json::Value;

use super::CheckResult;
use crate::check::legacy::Arguments;
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::notice::Finding;
use covenant_model::wire::path::Route;

/// Evaluates `refused`.
pub(super) fn refused(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("the call refused: 4xx, or its certificate refused");
    let calls: Vec<_> = trace.exchanges_labelled(with.text("call")).collect();
    let valid: Vec<_> = trace
        .exchanges_labelled(with.text("control"))
        .chain(trace.exchanges_labelled(with.text("probe")))
        .collect();
    if calls.is_empty() || trace.exchanges_labelled(with.text("control")).next().is_none() {
        return expect(CheckResult::unproven("the call or its positive control was not made", vec![]));
    }
    let mut causes = with.texts("since").into_iter().flat_map(|label| trace.exchanges_labelled(label));
    if let Some((n, exchange)) = causes.find(|(_, exchange)| !exchange.succeeded()) {
        let actual = format!("what should have made it unlawful was not taken: {}", reply_summary(exchange));
        return expect(CheckResult::unproven(actual, vec![n]));
    }
    let came_to = |wanted: CallOutcome| calls.iter().find(|(_, exchange)| call_outcome(exchange) == wanted);
    if let Some((n, exchange)) = came_to(CallOutcome::Admitted) {
        return expect(CheckResult::broken(
            format!("the call was accepted: {}", reply_summary(exchange)),
            vec![*n],
        ));
    }
    if let Some((n, exchange)) = came_to(CallOutcome::Open) {
        return expect(CheckResult::unproven(
            format!("neither refused nor accepted: {}", reply_summary(exchange)),
            vec![*n],
        ));
    }
    let is_taken =
        |exchange: &Exchange| exchange.succeeded() && call_outcome(exchange) != CallOutcome::Refused;
    if let Some((n, exchange)) = valid.iter().find(|(_, exchange)| !is_taken(exchange)) {
        let actual = format!("the call was refused, but so was a valid one: {}", reply_summary(exchange));
        return expect(CheckResult::unproven(actual, vec![calls[0].0, *n]));
    }
    let evidence = calls.iter().chain(&valid).map(|(n, _)| *n).collect();
    expect(CheckResult::kept(
        format!("{} refused, its positive control accepted", reply_summary(calls[0].1)),
        evidence,
    ))
}

/// Evaluates `finding-raised`.
pub(super) fn finding_raised(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expectation = match with.text_if_given("kind") {
        Some(kind) => format!("a new {kind} finding about the peer"),
        None => "a new finding about the peer, under any name".to_owned(),
    };
    let expect = |result: CheckResult| result.expecting(&expectation);
    let (Some((before_n, before)), Some((after_n, after))) =
        (findings(trace, with.text("before")), findings(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the findings could not be read", vec![]));
    };
    let Some(peer_id) = peer_id(trace, with.text("peer")) else {
        return expect(CheckResult::unproven("the peer's id is not known", vec![]));
    };
    let evidence = vec![before_n, after_n];
    let kind = with.text_if_given("kind");
    let about = |name: &str| -> Vec<&Finding> {
        let id = with.text_if_given(name).and_then(|peer| self::peer_id(trace, peer));
        id.map(|id| new_findings(&before, &after, &id)).unwrap_or_default()
    };
    let (conforming, valid) = (about("conforming"), about("apart_from"));
    if let Some(finding) = conforming.iter().find(|finding| kind == Some(&finding.kind)) {
        let actual = format!("{} was raised about a peer that did nothing wrong", finding.kind);
        return expect(CheckResult::broken(actual, evidence));
    }
    let raised = new_findings(&before, &after, &peer_id);
    let kinds: BTreeSet<&str> = raised.iter().map(|finding| finding.kind.as_str()).collect();
    let is_slander = |finding: &&Finding| {
        kinds.contains(finding.kind.as_str()) && conforming.iter().all(|other| other.kind != finding.kind)
    };
    if let Some(finding) = about("few").into_iter().find(|finding| is_slander(finding)) {
        let actual = format!("{} was raised about a peer that kept within the limits, too", finding.kind);
        return expect(CheckResult::broken(actual, evidence));
    }
    // A finding that is raised about everyone, such as one about a silent peer, says nothing about the
    // misbehaviour.
    let is_common =
        |finding: &&Finding| conforming.iter().chain(&valid).any(|other| other.kind == finding.kind);
    let (common, own): (Vec<&Finding>, Vec<&Finding>) = raised.into_iter().partition(is_common);
    if let Some(finding) = own.iter().find(|finding| kind.is_none_or(|kind| finding.kind == kind)) {
        return expect(CheckResult::kept(format!("{} was raised", finding.kind), evidence));
    }
    if let Some(why) = could_not_notice(trace, with) {
        return expect(CheckResult::unproven(why, evidence));
    }
    match (own.first(), common.first()) {
        (Some(other), _) => expect(CheckResult::broken(format!("only {} was raised", other.kind), evidence)),
        (None, Some(shared)) => {
            let name = &shared.kind;
            let is_of_valid = valid.iter().any(|finding| finding.kind == *name);
            if is_of_valid || common.len() > conforming.len() {
                let actual = format!("only {name} was raised, and about the conforming peer too");
                return expect(CheckResult::unproven(actual, evidence));
            }
            let actual =
                format!("{name} was raised about a peer that did nothing wrong, just as about this one");
            expect(CheckResult::broken(actual, evidence))
        }
        (None, None) => expect(CheckResult::broken("no finding was raised", evidence)),
    }
}

/// Returns why the target had nothing to notice, or no way to notice it. Returns `None` if it could notice.
fn could_not_notice(trace: &Trace, with: Arguments<'_>) -> Option<String> {
    if let Some(name) = with.text_if_given("occasion") {
        let mut asked = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
        let is_occasion = |exchange: &Exchange| {
            exchange.route().is_some_and(|route| route.name() == name) && !exchange.injected.is_empty()
        };
        if !asked.any(|(_, exchange)| is_occasion(exchange)) {
            return Some(format!(
                "the target never asked the peer for what it would have got wrong ({name})"
            ));
        }
    }
    let label = with.text_if_given("taken")?;
    let is_taken = trace.exchanges_labelled(label).any(|(_, exchange)| exchange.succeeded());
    (!is_taken).then(|| format!("the target turned {label:?} away"))
}

/// Returns the findings in the result of a scan.
pub(super) fn findings(trace: &Trace, label: &str) -> Option<(u64, Vec<Finding>)> {
    let (n, operation) = trace.operation(label)?;
    let list = operation.result.as_ref()?.get("findings")?.clone();
    Some((n, serde_json::from_value(list).ok()?))
}

/// Returns the id under which the target stores a peer: from the peer's accept, or from the target's join.
pub(super) fn peer_id(trace: &Trace, peer: &str) -> Option<String> {
    let of = |value: &Value| value.get("peer_id").and_then(Value::as_str).map(ToOwned::to_owned);
    let mut accepts = trace.exchanges_of(peer, Direction::ToTarget);
    let accepted = accepts.find_map(|(_, exchange)| {
        (exchange.route() == Some(Route::Accept)).then(|| of(&exchange.data()?)).flatten()
    });
    accepted.or_else(|| of(trace.operation(peer)?.1.result.as_ref()?))
}

/// Returns the peer in the result of `peer.show`.
pub(super) fn peer_shown<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a Value)> {
    let (n, operation) = trace.operation(label)?;
    Some((n, operation.result.as_ref()?.get("peer")?))
}

/// Returns the findings about a peer that are in `after` and, in that kind and number, not in `before`.
pub(super) fn new_findings<'a>(before: &[Finding], after: &'a [Finding], peer_id: &str) -> Vec<&'a Finding> {
    let about = |finding: &&Finding| finding.federation_peer_id.as_deref() == Some(peer_id);
    let known: BTreeSet<String> = before.iter().filter(|f| about(f)).map(identity).collect();
    after.iter().filter(|f| about(f)).filter(|finding| !known.contains(&identity(finding))).collect()
}

/// Returns the identity of a finding: its whole content.
fn identity(finding: &Finding) -> String {
    format!("{}\u{0}{}\u{0}{}", finding.kind, finding.message, finding.payload)
}
