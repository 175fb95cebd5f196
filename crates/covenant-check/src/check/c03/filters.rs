//! 3.3: declared filters are applied.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::CheckResult;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::path::Route;

pub(super) const FILTER_IS_APPLIED: LegacyCheck = LegacyCheck {
    name: "filter-is-applied",
    about: "a record outside the declared filter reaches the peer neither by a read nor by a sync, and one inside does",
    parameters: &[
        LegacyParameter::required("peer", "the peer's name"),
        LegacyParameter::required("record", "label of the operations that put records outside the filter"),
        LegacyParameter::required("control", "label of the operations that put records inside it"),
        LegacyParameter::optional(
            "by",
            "the route by which the records inside have to have arrived; any, where none is named",
        ),
    ],
    evaluate: filter_is_applied,
};

fn filter_is_applied(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("the records inside the filter only");
    let (outside, inside) = (ids_put(trace, with.text("record")), ids_put(trace, with.text("control")));
    if outside.is_empty() || inside.is_empty() {
        return expect(CheckResult::unproven("the records were not put there", vec![]));
    }
    let by = with.text_if_given("by");
    let mut arrived = BTreeMap::new();
    for (entry, exchange) in trace.exchanges().filter(|(_, exchange)| exchange.peer == with.text("peer")) {
        if let Some(id) = outside.iter().find(|id| shows(exchange, id)) {
            let actual = format!("{id} lies outside the filter, and arrived");
            return expect(CheckResult::broken(actual, vec![entry.n]));
        }
        if by.is_none_or(|by| exchange.route().is_some_and(|route| route.name() == by)) {
            arrived.extend(inside.iter().filter(|id| shows(exchange, id)).map(|id| (*id, entry.n)));
        }
    }
    let seen = arrived.values().copied().collect();
    if inside.iter().all(|id| arrived.contains_key(id)) {
        return expect(CheckResult::kept("what lies inside the filter arrived, the rest did not", seen));
    }
    let way = by.map(|by| format!(" ({by})")).unwrap_or_default();
    let actual = format!("what lies inside the filter did not all arrive either{way}");
    expect(CheckResult::unproven(actual, seen))
}

/// Returns the ids of the records that were put under a label.
fn ids_put<'a>(trace: &'a Trace, label: &'a str) -> Vec<&'a str> {
    let put = trace.labelled(label).filter_map(|entry| entry.operation());
    put.filter_map(|put| put.parameters["id"].as_str()).collect()
}

/// Returns whether the content of a record reaches the peer in this exchange.
fn shows(exchange: &Exchange, id: &str) -> bool {
    match (exchange.direction, exchange.route()) {
        (Direction::FromTarget, Some(Route::Sync)) => {
            let records = exchange.sent().and_then(|body| body["records"].as_array());
            records.into_iter().flatten().any(|record| record["id"] == id)
        }
        (Direction::ToTarget, Some(Route::Resource { id: asked, .. })) => {
            let record = exchange.data().and_then(|data| data.get("record").cloned());
            asked == id && record.is_some_and(|record: Value| !record.is_null())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Body, Message, Operation, Recorder, What};
    use serde_json::json;

    /// Returns the verdict if a record inside the filter was read, and these were synced.
    fn verdict(synced: Option<&[&str]>, by: Option<&str>) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        for (label, id) in [("outside", "red"), ("inside", "blue")] {
            let parameters = json!({"kind": "skill", "id": id});
            let put = Operation { method: "resource.put".into(), parameters, result: None, failure: None };
            recorder.record(None, Some(label), What::Operation(put));
        }
        let read = Route::Resource { kind: "skill".into(), id: "blue".into() };
        let answer = json!({"data": {"record": {"id": "blue"}}});
        recorder.record(None, None, exchange(Direction::ToTarget, "GET", &read, &json!({}), &answer));
        if let Some(ids) = synced {
            let records: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
            let batch = json!({ "records": records });
            recorder.record(
                None,
                None,
                exchange(Direction::FromTarget, "POST", &Route::Sync, &batch, &json!({})),
            );
        }
        let with =
            [("peer", Some("alice")), ("record", Some("outside")), ("control", Some("inside")), ("by", by)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
                .collect();
        filter_is_applied(&recorder.trace(), Arguments::new(&with)).verdict
    }

    fn exchange(direction: Direction, method: &str, route: &Route, sent: &Value, answer: &Value) -> What {
        let (method, path) = (Some(method.to_owned()), Some(route.path()));
        What::Exchange(Exchange {
            peer: "alice".into(),
            direction,
            request: Message { method, path, body: Body::Json(sent.clone()), ..Message::default() },
            response: Some(Message {
                status: Some(200),
                body: Body::Json(answer.clone()),
                ..Message::default()
            }),
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec![],
        })
    }

    #[test]
    fn a_stream_that_was_not_seen_is_not_known_to_be_filtered() {
        assert_eq!(verdict(Some(&["blue"]), Some("sync")), Kept);
        assert_eq!(verdict(Some(&["blue", "red"]), Some("sync")), Broken);
        assert_eq!(verdict(Some(&["red"]), None), Broken);
        assert_eq!(verdict(Some(&[]), Some("sync")), Unproven);
        assert_eq!(verdict(None, Some("sync")), Unproven, "it was only read");
        assert_eq!(verdict(None, None), Kept);
    }
}
