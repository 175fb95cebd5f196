//! 6.4: federation is no vector to probe what was not declared.

use std::collections::BTreeSet;

use crate::check::CheckResult;
use crate::check::common::reply_summary;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Body, Direction, Exchange, Trace};
use covenant_model::wire::capability::CapabilityDocument;
use covenant_model::wire::path::{PREFIX, Route};

/// The number of different sorts of unknown paths that makes an enumeration, and no mere extension of the
/// wire.
const WALK: usize = 3;
/// The minimum length of a segment of letters and digits that is taken for an id.
const ID_LENGTH_MIN: usize = 16;
/// The path at which any platform may be asked for its offers (RFC 8615).
const WELL_KNOWN: &str = "/.well-known";

pub(super) const STAYS_WITHIN_DECLARED: LegacyCheck = LegacyCheck {
    name: "target-requests-declared-kinds-only",
    about: "the target asks a peer for nothing but what the peer declared or gave it a grant for",
    parameters: &[LegacyParameter::required("peer", "the peer's name")],
    evaluate: stays_within_declared,
};

pub(super) const LEAKS_NOTHING: LegacyCheck = LegacyCheck {
    name: "rejections-leak-no-records",
    about: "no answer to a walk holds anything of the records that it is after",
    parameters: &[
        LegacyParameter::required("call", "labels of the calls of the walk"),
        LegacyParameter::required("record", "labels of the operations that put the records it is after"),
    ],
    evaluate: leaks_nothing,
};

fn stays_within_declared(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("calls about declared or granted kinds only");
    let peer = with.text("peer");
    let valid = valid_kinds(trace, peer);
    let calls: Vec<_> = trace.exchanges_of(peer, Direction::FromTarget).collect();
    if valid.is_empty() || calls.is_empty() {
        return expect(CheckResult::unproven("the peer declared nothing, or was not called", vec![]));
    }
    let strange =
        calls.iter().find(|(_, exchange)| kind_of(exchange).is_some_and(|kind| !valid.contains(&kind)));
    if let Some((entry, exchange)) = strange {
        let kind = kind_of(exchange).unwrap_or_default();
        let actual = format!("asked about {kind:?}, which the peer never declared");
        return expect(CheckResult::broken(actual, vec![entry.n]));
    }
    let paths = calls.iter().filter(|(_, exchange)| exchange.route().is_none());
    let unknown: BTreeSet<String> =
        paths.filter_map(|(_, exchange)| exchange.request.path.as_deref()).map(sort).collect();
    let evidence: Vec<u64> = calls.iter().map(|(entry, _)| entry.n).collect();
    if unknown.is_empty() {
        return expect(CheckResult::kept(
            format!("{} calls, all about what was declared", calls.len()),
            evidence,
        ));
    }
    let listed = unknown.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    if unknown.iter().filter(|sort| !may_extend_the_wire(sort)).count() < WALK {
        let actual = format!("called what the binding does not know: {listed}");
        return expect(CheckResult::unproven(actual, evidence));
    }
    expect(CheckResult::broken(format!("walked over unknown paths: {listed}"), evidence))
}

/// Returns the sort of a path: the path without its query, and without the parts that distinguish records.
fn sort(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
    if path.starts_with(WELL_KNOWN) {
        return WELL_KNOWN.to_owned();
    }
    path.split('/').map(|segment| if is_id(segment) { ":id" } else { segment }).collect::<Vec<_>>().join("/")
}

fn is_id(segment: &str) -> bool {
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    let is_number = has_digit && segment.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_number || (has_digit && is_word && segment.len() >= ID_LENGTH_MIN)
}

/// Returns whether a sort of path is a route of the federation plane that this binding does not know, or one
/// that any platform may be asked for. Paths of records, of any kind, are neither.
fn may_extend_the_wire(sort: &str) -> bool {
    let below = sort.strip_prefix(PREFIX).map(|below| below.trim_start_matches('/'));
    sort == WELL_KNOWN || below.is_some_and(|below| !below.contains('/'))
}

/// Returns the kinds that the peer declared at any time, and those that it gave grants for.
fn valid_kinds(trace: &Trace, peer: &str) -> BTreeSet<String> {
    let reported =
        trace.exchanges_of(peer, Direction::ToTarget).filter_map(|(_, exchange)| exchange.sent().cloned());
    let answered = trace
        .exchanges_of(peer, Direction::FromTarget)
        .filter_map(|(_, exchange)| exchange.response.as_ref()?.body.json()?.get("data").cloned());
    let declared =
        reported.chain(answered).filter_map(|body| CapabilityDocument::read(body.get("capabilities")?));
    let held = trace.entries().iter().filter_map(|entry| entry.operation());
    let held = held.filter(|operation| operation.method == "grant.hold");
    let held = held.filter_map(|operation| operation.parameters["resource_kind"].as_str());
    let declared = declared.flat_map(|document| document.resource_kinds).map(|row| row.kind);
    declared.chain(held.map(ToOwned::to_owned)).collect()
}

/// Returns the kind that a call is about. The operator is free to choose the kind of a migration.
fn kind_of(exchange: &Exchange) -> Option<String> {
    match exchange.route()? {
        Route::Resource { kind, .. } => Some(kind),
        Route::Sync => exchange.sent()?["resource_kind"].as_str().map(ToOwned::to_owned),
        _ => None,
    }
}

fn leaks_nothing(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("answers without anything of those records");
    let secrets = secrets(trace, &with.texts("record"));
    let calls: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| trace.exchanges_labelled(label)).collect();
    if secrets.is_empty() || calls.is_empty() {
        return expect(CheckResult::unproven("there was no walk, or nothing that it was after", vec![]));
    }
    for (n, exchange) in &calls {
        let text = match exchange.response.as_ref().map(|answer| &answer.body) {
            None | Some(Body::Empty) => continue,
            Some(Body::Json(body)) => body.to_string(),
            Some(Body::Text(text) | Body::Cut { beginning: text, .. }) => text.clone(),
        };
        if let Some(secret) = secrets.iter().find(|secret| text.contains(secret.as_str())) {
            let actual = format!("{} with {secret:?} in it", reply_summary(exchange));
            return expect(CheckResult::broken(actual, vec![*n]));
        }
    }
    let evidence = calls.iter().map(|(n, _)| *n).collect();
    expect(CheckResult::kept(format!("{} answers, none with anything of it", calls.len()), evidence))
}

/// Returns the texts inside those records, except their ids: a refusal may name the requested record.
fn secrets(trace: &Trace, labels: &[&str]) -> Vec<String> {
    // If the target keeps no such records, there is nothing to leak.
    let puts = labels.iter().filter_map(|label| Some(trace.operation(label)?.1));
    let puts = puts.filter(|put| put.failure.is_none());
    let records = puts.filter_map(|put| put.parameters["record"].as_object());
    records
        .flat_map(|record| record.iter())
        .filter(|(name, _)| *name != "id")
        .filter_map(|(_, value)| value.as_str().map(ToOwned::to_owned))
        .collect::<Vec<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Message, Operation, OperationFailure, Recorder, What};
    use serde_json::{Value, json};

    fn exchange(direction: Direction, method: &str, path: &str, sent: &Value, answer: &Value) -> What {
        let exchange =
            Exchange::made("alice", direction).sending(sent.clone()).answered_with(404, answer.clone());
        let request = Message { method: Some(method.into()), path: Some(path.into()), ..exchange.request };
        What::Exchange(Exchange { request, ..exchange })
    }

    fn recorder() -> Recorder {
        Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")))
    }

    /// Returns the verdict on a target that makes these calls to a peer that declares `skill`.
    fn walked(paths: &[&str]) -> Verdict {
        let recorder = recorder();
        let declared = json!({"capabilities": {"resource_kinds": [{"kind": "skill"}]}});
        let heartbeat = format!("{PREFIX}/heartbeat");
        recorder.record(None, None, exchange(Direction::ToTarget, "POST", &heartbeat, &declared, &json!({})));
        for path in paths {
            recorder.record(None, None, exchange(Direction::FromTarget, "GET", path, &json!({}), &json!({})));
        }
        let with = [("peer".to_owned(), json!("alice"))].into();
        stays_within_declared(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn an_undeclared_kind_or_three_unknown_paths_are_a_walk() {
        let (skill, vault) = (format!("{PREFIX}/resources/skill/a"), format!("{PREFIX}/resources/vault/a"));
        assert_eq!(walked(&[]), Unproven);
        assert_eq!(walked(&[&skill]), Kept);
        assert_eq!(walked(&[&skill, &vault]), Broken);
        assert_eq!(walked(&[&skill, "/health"]), Unproven);
        assert_eq!(walked(&["/admin", "/users", "/secrets"]), Broken);
    }

    #[test]
    fn neither_a_query_nor_an_id_makes_another_path_of_one() {
        let own = |path: &str| format!("{PREFIX}/{path}");
        assert_eq!(walked(&["/health?at=1", "/health?at=2", "/health/?at=3"]), Unproven);
        assert_eq!(
            walked(&["/notes/1", "/notes/22", "/notes/01a2075f-ab38-734e-bd8b-a790d60fdad4"]),
            Unproven
        );
        assert_eq!(walked(&[&own("version"), &own("health"), "/.well-known/a", "/.well-known/b"]), Unproven);
        assert_eq!(walked(&["/v1/admin", "/v2/admin", "/admin?as=root"]), Broken);
        assert_eq!(walked(&[&own("resources/Vault/1"), &own("resources/USER/1"), "/admin"]), Broken);
    }

    #[test]
    fn an_answer_with_the_record_in_it_leaks() {
        let refused = OperationFailure::Refused { code: -32004, message: "no vaults here".into() };
        for (answer, failure, expected) in [
            (json!({"error": "no vault/a"}), None, Kept),
            (json!({"record": {"pin": "melon"}}), None, Broken),
            (json!({"error": "no vault/a"}), Some(refused), Unproven),
        ] {
            let recorder = recorder();
            let put = json!({"kind": "vault", "id": "a", "record": {"id": "a", "pin": "melon"}});
            let put = Operation { method: "resource.put".into(), parameters: put, result: None, failure };
            recorder.record(None, Some("secret"), What::Operation(put));
            recorder.record(
                None,
                Some("walk"),
                exchange(Direction::ToTarget, "GET", "/x", &json!({}), &answer),
            );
            let with = [("call".to_owned(), json!("walk")), ("record".to_owned(), json!("secret"))].into();
            assert_eq!(leaks_nothing(&recorder.trace(), Arguments::new(&with)).verdict, expected);
        }
    }
}
