//! Checks that serve several commitments.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check_def::Parameter;
use super::model::is_denied;
use super::{Arguments, CheckDef, CheckResult, Verdict};
use covenant_model::transcript::{Body, Direction, Exchange, Message, Trace};
use covenant_model::wire::notice::Finding;
use covenant_model::wire::path::Route;

/// The checks of this file.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef {
        name: "refused",
        about: "the call is refused, its positive control is accepted, and the peering still works afterwards",
        parameters: &[
            Parameter::required("call", "label of the calls that have to be refused"),
            Parameter::required("control", "label of the same call, valid in just the one thing"),
            Parameter::required("probe", "label of a valid call made afterwards"),
            Parameter::optional("since", "label of the call that makes it unlawful, which has to be taken"),
        ],
        evaluate: refused,
    },
    CheckDef {
        name: "accepted",
        about: "every call is accepted",
        parameters: &[Parameter::required("call", "label, or labels, of the calls that have to be accepted")],
        evaluate: accepted,
    },
    CheckDef {
        name: "holds-in-every-case",
        about: "another check's question, of every case of a property",
        parameters: &[Parameter::required("check", "the other check; its parameters are given beside it")],
        evaluate: every_case,
    },
    CheckDef {
        name: "finding-raised",
        about: "a finding about the misbehaving peer is there that was not before, and none of that kind about a conforming one",
        parameters: &[
            Parameter::required(
                "peer",
                "the misbehaving peer's name, or the label of the join that it answered",
            ),
            Parameter::required("before", "label of the scan before the misbehaviour"),
            Parameter::required("after", "label of the scan after it"),
            Parameter::optional("conforming", "the name of a peer that did nothing wrong"),
            Parameter::optional(
                "apart_from",
                "the name of a peer that did the like, validly: kinds raised about it too say nothing",
            ),
            Parameter::optional(
                "few",
                "the name of a peer that did less of it, within the limits: that is never a finding",
            ),
            Parameter::optional("kind", "the finding's kind, where the contract names it"),
            Parameter::optional(
                "occasion",
                "the route of the target's calls to the peer, of which one has to have been answered wrongly",
            ),
            Parameter::optional(
                "taken",
                "label of a call that the target has to have taken, to have something to notice",
            ),
        ],
        evaluate: finding_raised,
    },
];

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
    if let Some((n, exchange)) = came_to(CallOutcome::LetIn) {
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

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallOutcome {
    LetIn,
    Refused,
    /// Neither of the two: the call was lost, or its end is still to come.
    Open,
}

/// Returns the outcome of a call. A plan may be accepted first and fail afterwards, or fail under a 2xx: the
/// `status` of the migration decides, not the status of the response.
pub(super) fn call_outcome(exchange: &Exchange) -> CallOutcome {
    let is_plan = matches!(exchange.route(), Some(Route::Migrations | Route::MigrationCommit { .. }));
    let opens = exchange.sent().is_some_and(|sent| sent["commit"] == false);
    let data = exchange.data().filter(|_| is_plan && exchange.succeeded());
    let status = data.as_ref().map_or(&Value::Null, |data| &data["status"]);
    match status.as_str() {
        _ if is_undone(status) => CallOutcome::Refused,
        Some(status) if status != "completed" && !opens => CallOutcome::Open,
        _ if exchange.succeeded() => CallOutcome::LetIn,
        _ if exchange.was_refused() => CallOutcome::Refused,
        _ => CallOutcome::Open,
    }
}

/// Returns whether this is the status of a migration that has ended and was not applied.
pub(super) fn is_undone(status: &Value) -> bool {
    const UNDONE: [&str; 3] = ["failed", "cancelled", "conflict"];
    status.as_str().is_some_and(|status| UNDONE.contains(&status))
}

fn accepted(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every call accepted with 2xx");
    let labels = with.texts("call");
    if let Some(label) = labels.iter().find(|label| trace.exchanges_labelled(label).next().is_none()) {
        return expect(CheckResult::unproven(format!("the call {label:?} was not made"), vec![]));
    }
    let calls: Vec<_> = labels.iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| is_turned_down(exchange)) {
        return expect(CheckResult::broken(reply_summary(exchange), vec![*n]));
    }
    if let Some((n, exchange)) = calls.iter().find(|(n, exchange)| is_denied(trace, *n, exchange)) {
        let actual = format!("{}: it says that the record is not there", reply_summary(exchange));
        return expect(CheckResult::broken(actual, vec![*n]));
    }
    if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| !exchange.succeeded()) {
        return expect(CheckResult::unproven(reply_summary(exchange), vec![*n]));
    }
    match calls.iter().find(|(_, exchange)| !exchange.can_be_read()) {
        Some((n, exchange)) => {
            let actual = format!("{}, in a body that can't be read", reply_summary(exchange));
            expect(CheckResult::unproven(actual, vec![*n]))
        }
        None => expect(CheckResult::kept(
            format!("{} accepted", calls.len()),
            calls.iter().map(|(n, _)| *n).collect(),
        )),
    }
}

/// Evaluates the other check over each case of a property. A single scenario is its only case. Broken in one
/// case is broken. Kept in one case and broken in none is kept: most cases say nothing about most clauses.
fn every_case(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let name = with.text("check");
    let Some(check) = super::check_def::check_named(name).filter(|check| check.name != "holds-in-every-case")
    else {
        return CheckResult::unproven(format!("no check is called {name:?}"), vec![]);
    };
    let cases = trace.cases();
    let mut kept: Option<(usize, CheckResult)> = None;
    let mut open = None;
    // The last case is the shrunk one, if one breaks.
    for case in cases.iter().rev() {
        let result = (check.evaluate)(case, with);
        match result.verdict {
            Verdict::Broken => return result,
            Verdict::Kept => {
                let count = kept.as_ref().map_or(0, |(count, _)| *count);
                kept = Some((count + 1, result));
            }
            Verdict::Unproven | Verdict::NotApplicable => open = Some(result),
        }
    }
    match (kept, open) {
        (Some((count, result)), _) => {
            let (all, last) = (cases.len(), &result.actual);
            let actual = format!("kept in {count} of {all} cases, broken in none; the last: {last}");
            CheckResult { actual, ..result }
        }
        (None, Some(open)) => open,
        (None, None) => CheckResult::unproven("there was no case", vec![]),
    }
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

/// Returns whether both are the same value, or the same number: JSON has no integers, and some readers take
/// 1.0 for 1.
pub(super) fn is_same_number(one: Option<&Value>, other: Option<&Value>) -> bool {
    one == other || one.and_then(Value::as_f64).is_some_and(|one| other.and_then(Value::as_f64) == Some(one))
}

/// Statuses that limit a caller or ask it to come back later. They do not reject the call.
pub(super) const RETRYABLE_STATUS: [u16; 2] = [429, 503];

/// Returns whether a call was rejected for good: by its response, or by a refusal of its certificate.
pub(super) fn is_turned_down(exchange: &Exchange) -> bool {
    let is_final = exchange.status().is_some_and(|status| !RETRYABLE_STATUS.contains(&status));
    !exchange.succeeded() && (is_final || exchange.certificate_was_refused())
}

/// Returns the outcome of a call in a few words.
pub(super) fn reply_summary(exchange: &Exchange) -> String {
    let call = format!(
        "{} {}",
        exchange.request.method.as_deref().unwrap_or_default(),
        exchange
            .route()
            .map_or_else(|| exchange.request.path.clone().unwrap_or_default(), |route| format!("/{route}"))
    );
    match (exchange.status(), &exchange.failure) {
        (Some(status), _) if exchange.says_otherwise() => {
            format!("{call} answered {status}, with an error in it")
        }
        (Some(status), _) => format!("{call} answered {status}"),
        (None, Some(failure)) => format!("{call} failed ({}): {}", failure.kind, failure.message),
        (None, None) => format!("{call} has no answer"),
    }
}

/// Returns the message that the target sent in an exchange: its request or its response.
pub(super) fn said_by_target(exchange: &Exchange) -> Option<&Message> {
    match exchange.direction {
        Direction::FromTarget => Some(&exchange.request),
        Direction::ToTarget => exchange.response.as_ref(),
    }
}

/// Returns the whole content of a message in lower case: path, headers and body, in whatever form.
pub(super) fn whole_text(message: &Message) -> String {
    let body = match &message.body {
        Body::Empty => String::new(),
        Body::Json(value) => value.to_string(),
        Body::Text(text) | Body::Cut { beginning: text, .. } => text.clone(),
    };
    let headers = message.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let path = message.path.clone().unwrap_or_default();
    headers.chain([path, body]).collect::<Vec<_>>().join("\n").to_lowercase()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use serde_json::json;

    /// Returns the verdict if these kinds are raised about mallory and about alice, which is the peer `role`.
    fn raised(mallory: &[&str], alice: &[&str], role: &str, kind: Option<&str>) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let record = |label: &str, method: &str, result: Value| {
            let operation = Operation {
                method: method.into(),
                parameters: json!({}),
                result: Some(result),
                failure: None,
            };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        let about = |peer: &'static str| move |(place, kind): (usize, &&str)| json!({"kind": kind, "federation_peer_id": peer, "message": place.to_string()});
        let all: Vec<Value> = mallory
            .iter()
            .enumerate()
            .map(about("mallory's row"))
            .chain(alice.iter().enumerate().map(about("alice's row")))
            .collect();
        record("mallory", "peer.join", json!({"peer_id": "mallory's row"}));
        record("alice", "peer.join", json!({"peer_id": "alice's row"}));
        record("before", "governance.scan", json!({"findings": []}));
        record("after", "governance.scan", json!({"findings": all}));
        let mut with: std::collections::BTreeMap<String, Value> =
            [("peer", "mallory"), ("before", "before"), ("after", "after"), (role, "alice")]
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into();
        with.extend(kind.map(|kind| ("kind".to_owned(), json!(kind))));
        finding_raised(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn what_is_said_of_an_conforming_peer_for_another_reason_does_not_count() {
        assert_eq!(raised(&["broken", "stale"], &["stale"], "conforming", None), Kept);
        assert_eq!(raised(&["broken"], &["stale"], "conforming", Some("broken")), Kept);
        assert_eq!(raised(&["stale"], &["stale"], "conforming", None), Broken, "everyone was blamed");
        assert_eq!(raised(&["broken"], &["broken"], "conforming", Some("broken")), Broken);
        assert_eq!(raised(&["broken", "broken"], &["broken"], "conforming", Some("broken")), Broken);
        assert_eq!(
            raised(&["note", "note"], &["note"], "conforming", None),
            Unproven,
            "one of them may be it"
        );
        assert_eq!(raised(&[], &["stale"], "conforming", None), Broken);
    }

    #[test]
    fn what_is_said_of_the_valid_one_too_is_no_proof_and_no_breach() {
        assert_eq!(raised(&["note"], &["note"], "apart_from", None), Unproven);
        assert_eq!(raised(&["note", "late"], &["note"], "apart_from", None), Kept);
        assert_eq!(raised(&[], &["note"], "apart_from", None), Broken);
    }

    #[test]
    fn who_kept_within_the_limits_is_not_reported_for_it() {
        assert_eq!(raised(&["mass", "mass"], &["mass"], "few", None), Broken);
        assert_eq!(raised(&["mass"], &["stale"], "few", None), Kept);
        assert_eq!(raised(&[], &["mass"], "few", None), Broken, "no finding was raised");
    }

    fn call(direction: Direction, path: &str, status: u16, injected: &[&str]) -> What {
        What::Exchange(Exchange {
            injected: injected.iter().map(ToString::to_string).collect(),
            ..Exchange::made("mallory", direction).on("GET", path).answered(status)
        })
    }

    /// Returns the verdict on a trace of these labelled calls in which nothing is found.
    fn unnoticed(calls: Vec<(&str, What)>, more: (&str, &str)) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let record = |label: &str, method: &str, result: Value| {
            let operation = Operation {
                method: method.into(),
                parameters: json!({}),
                result: Some(result),
                failure: None,
            };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        record("mallory", "peer.join", json!({"peer_id": "mallory's row"}));
        record("before", "governance.scan", json!({"findings": []}));
        for (label, call) in calls {
            recorder.record(None, Some(label), call);
        }
        record("after", "governance.scan", json!({"findings": []}));
        let with = [("peer", "mallory"), ("before", "before"), ("after", "after"), more]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        finding_raised(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn who_was_given_nothing_to_notice_is_not_blamed() {
        let reported =
            |injected: &[&str]| vec![("told", call(Direction::FromTarget, "resources/x/1", 422, injected))];
        assert_eq!(unnoticed(reported(&["bogus-kind"]), ("occasion", "resources")), Broken);
        assert_eq!(unnoticed(reported(&[]), ("occasion", "resources")), Unproven);
        let said = |status| vec![("said", call(Direction::ToTarget, "heartbeat", status, &[]))];
        assert_eq!(unnoticed(said(200), ("taken", "said")), Broken);
        assert_eq!(unnoticed(said(422), ("taken", "said")), Unproven, "it was turned away");
    }

    /// Returns the verdict on a plan, or the commit of one, that the target has to refuse and answers like
    /// this.
    fn plan_refused(path: &str, sent: &Value, status: u16, said: &Value) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let plan = |sent: &Value, status: u16, said: &Value| {
            let call = Exchange::to_target("mallory").on("POST", path);
            What::Exchange(call.sending(sent.clone()).answered_with(status, said.clone()))
        };
        let done = json!({"data": {"migration_id": "m", "status": "completed"}});
        recorder.record(None, Some("valid"), plan(&json!({}), 201, &done));
        recorder.record(None, Some("call"), plan(sent, status, said));
        let with = [("call", "call"), ("control", "valid"), ("probe", "valid")]
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into();
        refused(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_plan_that_is_taken_and_fails_is_refused() {
        let said = |status: &str| json!({"data": {"migration_id": "n", "status": status}});
        let verdicts = |status: u16, said: &Value| {
            ["migrations", "migrations/n/commit"].map(|path| plan_refused(path, &json!({}), status, said))
        };
        assert_eq!(verdicts(201, &said("completed")), [Broken; 2]);
        assert_eq!(verdicts(200, &said("failed")), [Kept; 2]);
        assert_eq!(verdicts(200, &said("conflict")), [Kept; 2]);
        assert_eq!(verdicts(202, &said("validating")), [Unproven; 2], "its end is yet to come");
        assert_eq!(verdicts(422, &json!({"error": "no", "status": "failed"})), [Kept; 2]);
        assert_eq!(verdicts(200, &json!({"data": {"applied_count": 1}})), [Broken; 2]);
        let opened = plan_refused("migrations", &json!({"commit": false}), 202, &said("transferring"));
        assert_eq!(opened, Broken, "it was to be opened, and was");
        let beat = plan_refused("heartbeat", &json!({}), 200, &said("degraded"));
        assert_eq!(beat, Broken, "it is no plan");
    }

    #[test]
    fn who_is_asked_to_come_back_later_was_not_refused() {
        let verdict = |statuses: &[u16]| {
            let recorder =
                Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
            for status in statuses {
                recorder.record(None, Some("used"), call(Direction::ToTarget, "resources/x/1", *status, &[]));
            }
            let mut lost = call(Direction::ToTarget, "resources/x/1", 200, &[]);
            if let What::Exchange(exchange) = &mut lost {
                exchange.response = None;
            }
            recorder.record(None, Some("lost"), lost);
            let verdict = |label: &str| {
                let with = [("call".to_owned(), json!(label))].into();
                accepted(&recorder.trace(), Arguments::new(&with)).verdict
            };
            [verdict("used"), verdict("lost")]
        };
        assert_eq!(verdict(&[204]), [Kept, Unproven]);
        assert_eq!(verdict(&[204, 429]), [Unproven, Unproven]);
        assert_eq!(verdict(&[503, 403]), [Broken, Unproven]);
    }

    #[test]
    fn what_was_never_made_unlawful_may_be_accepted() {
        let verdict = |left: u16| {
            let recorder =
                Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
            for (label, status) in [("beat", 200), ("left", left), ("late", 200)] {
                recorder.record(None, Some(label), call(Direction::ToTarget, "heartbeat", status, &[]));
            }
            let with = [("call", "late"), ("control", "beat"), ("probe", "left"), ("since", "left")]
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into();
            refused(&recorder.trace(), Arguments::new(&with)).verdict
        };
        assert_eq!([verdict(200), verdict(503)], [Broken, Unproven]);
    }
}
