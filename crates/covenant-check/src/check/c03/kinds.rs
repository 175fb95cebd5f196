//! 3.1: declared kinds are served.

use std::collections::BTreeSet;

use crate::check::CheckResult;
use crate::check::common::reply_summary;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use crate::check::model::{is_denied, last_put};
use covenant_model::transcript::Trace;
use covenant_model::wire::capability::{Capability, CapabilityDocument, Direction};
use covenant_model::wire::path::Route;

pub(super) const DECLARED_KINDS_ARE_SERVED: LegacyCheck = LegacyCheck {
    name: "declared-kinds-are-served",
    about: "every kind that the target declares is served to the holder of a grant",
    parameters: &[
        LegacyParameter::required(
            "about",
            "label of an accept or heartbeat whose answer has the target's capabilities",
        ),
        LegacyParameter::required("call", "label of the fetches, one or more for each declared kind"),
    ],
    evaluate: declared_kinds_are_served,
};

fn declared_kinds_are_served(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("200 for every declared kind, under a grant for it");
    let declared = trace
        .exchanges_labelled(with.text("about"))
        .filter_map(|(n, exchange)| {
            Some((n, CapabilityDocument::read(exchange.data()?.get("capabilities")?)?))
        })
        .next_back();
    let Some((declared_n, document)) = declared else {
        return expect(CheckResult::unproven("the target told no capability document", vec![]));
    };
    if document.resource_kinds.is_empty() {
        return expect(CheckResult::unproven("the target declares nothing", vec![declared_n]));
    }
    let mut evidence = vec![declared_n];
    let mut served = BTreeSet::new();
    for entry in trace.labelled(with.text("call")) {
        let Some(exchange) = entry.exchange() else { continue };
        let Some(Route::Resource { kind, id }) = exchange.route() else { continue };
        if document.row(&kind).is_none_or(|row| !goes_out(row)) {
            continue;
        }
        let is_there = last_put(trace, entry.n, &kind, &id).is_some();
        if exchange.succeeded() && is_denied(trace, entry.n, exchange) {
            let actual = format!("{kind} is declared, and the record that is there is said not to be");
            return expect(CheckResult::broken(actual, vec![declared_n, entry.n]));
        }
        if exchange.status().is_some_and(|status| is_not_served(status, is_there)) {
            let actual = format!("{kind} is declared, and {}", reply_summary(exchange));
            return expect(CheckResult::broken(actual, vec![declared_n, entry.n]));
        }
        if exchange.succeeded() {
            evidence.push(entry.n);
            served.insert(kind);
        }
    }
    let mut due = document.resource_kinds.iter().filter(|row| goes_out(row));
    match due.find(|row| !served.contains(&row.kind)) {
        Some(row) => expect(CheckResult::unproven(format!("{} could not be asked for", row.kind), evidence)),
        None if served.is_empty() => {
            expect(CheckResult::unproven("no kind is declared that goes out", evidence))
        }
        None => expect(CheckResult::kept(format!("{} declared kinds are served", served.len()), evidence)),
    }
}

/// Returns whether a row declares that records can be read. A kind that only comes in, or only migrates, need
/// not be shown.
fn goes_out(row: &Capability) -> bool {
    !matches!(
        row.direction,
        Some(Direction::PullRemoteToLocal | Direction::MigrationOnly | Direction::Other(_))
    )
}

/// Returns whether an answer says that the kind is not served. The absence of one record says nothing about
/// its kind.
fn is_not_served(status: u16, is_there: bool) -> bool {
    match status {
        404 => is_there,
        422 | 500 | 501 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Exchange, Operation, Recorder, What};
    use serde_json::{Value, json};

    fn exchange(method: &str, path: &str, status: u16, body: &Value) -> What {
        What::Exchange(Exchange::to_target("alice").on(method, path).answered_with(status, body.clone()))
    }

    /// Returns the verdict on a target that declares agents in this direction, has the record `there`, and
    /// gives this answer to a read.
    fn verdict(direction: &str, id: &str, status: u16, exists: bool) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let rows =
            json!([{"kind": "agent", "schema_version": 1, "direction": direction, "policy": "manual"}]);
        let reported = json!({"data": {"capabilities": {"resource_kinds": rows}}});
        recorder.record(None, Some("told"), exchange("POST", "heartbeat", 200, &reported));
        let parameters = json!({"kind": "agent", "id": "there", "record": {"name": "a"}});
        let put =
            Operation { method: "resource.put".into(), parameters, result: Some(json!({})), failure: None };
        recorder.record(None, None, What::Operation(put));
        let body = json!({"data": {"kind": "agent", "id": id, "exists": exists}});
        recorder.record(
            None,
            Some("tried"),
            exchange("GET", &format!("resources/agent/{id}"), status, &body),
        );
        let with = [("about", "told"), ("call", "tried")]
            .map(|(name, label)| (name.to_owned(), json!(label)))
            .into();
        declared_kinds_are_served(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_declared_kind_is_one_whose_records_can_be_had() {
        assert_eq!(verdict("bidirectional", "there", 200, true), Kept);
        assert_eq!(verdict("bidirectional", "there", 200, false), Broken, "it hides what is there");
        assert_eq!(verdict("push_local_to_remote", "there", 404, false), Broken);
        assert_eq!(verdict("bidirectional", "absent", 422, false), Broken);
    }

    #[test]
    fn what_is_not_there_and_what_does_not_go_out_need_not_be_shown() {
        assert_eq!(verdict("bidirectional", "absent", 404, false), Unproven);
        assert_eq!(verdict("bidirectional", "there", 503, false), Unproven);
        for direction in ["pull_remote_to_local", "migration_only", "sideways"] {
            assert_eq!(verdict(direction, "there", 422, false), Unproven, "{direction}");
        }
    }
}
