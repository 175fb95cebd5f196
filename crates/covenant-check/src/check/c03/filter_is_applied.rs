//! `filter-is-applied`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::declaration::last_declared;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::operator::{OperatorMethod, capability, resource};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// A record outside the declared filter reaches the peer neither by a read nor by a sync, and one inside it
/// does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct FilterIsApplied {
    /// The peer that reads and is synced to.
    pub peer: PeerName,
    /// The operations that put records outside the filter.
    pub outside: Label,
    /// The operations that put records inside the filter.
    pub inside: Label,
    /// The route by which the records inside have to arrive; any route if there is none.
    pub route: Option<String>,
}

impl Check for FilterIsApplied {
    const ID: &'static str = "filter-is-applied";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["the records inside the filter only"];
    const CONTROL: Option<&'static str> =
        Some("every record inside the filter arrived, by the route that the scenario names");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (outside, inside) = (ids_put(trace, &self.outside), ids_put(trace, &self.inside));
        if outside.is_empty() || inside.is_empty() {
            return Err(Stop::unproven("the records were not put there", []));
        }
        let mut arrived = BTreeMap::new();
        let mut open = None;
        for call in calls(trace).of(&self.peer) {
            for id in outside.iter().filter(|id| carries(call, id)) {
                if let Some(declared) =
                    first_put(trace, id).and_then(|put| other_filter(trace, &self.peer, put))
                {
                    let actual = format!("{id} arrived, and the target declares another filter: {declared}");
                    open.get_or_insert_with(|| Stop::unproven(actual, [call.n()]));
                    continue;
                }
                // A store may give a record a member that it was put without.
                if record_in(call, id).is_some_and(|record| is_completed(trace, id, &record)) {
                    let actual = format!("{id} arrived, and the target had put it inside the filter");
                    open.get_or_insert_with(|| Stop::unproven(actual, [call.n()]));
                    continue;
                }
                let actual = format!("{id} is outside the filter, and arrived");
                return Err(Stop::broken(actual, [call.n()]).final_if(is_filter_declared(trace, &self.peer)));
            }
            if self.route.as_ref().is_none_or(|name| call.route().is_some_and(|route| route.name() == name)) {
                arrived.extend(inside.iter().filter(|id| carries(call, id)).map(|id| (*id, call.n())));
            }
        }
        if let Some(open) = open {
            return Err(open);
        }
        let evidence = arrived.values().copied();
        if inside.iter().all(|id| arrived.contains_key(id)) {
            return Ok(Pass::new("the records inside the filter arrived, the others did not", evidence));
        }
        let route = self.route.as_ref().map(|route| format!(" ({route})")).unwrap_or_default();
        let actual = format!("not all records inside the filter arrived either{route}");
        Err(Stop::unproven(actual, evidence))
    }
}

/// Returns the filter that the target declares to the peer, if it is another one than its operator asked for, and a record
/// may be inside it: the target owes what it declares. A member that both filters have, alike, excludes a record by both.
pub(super) fn other_filter(trace: &Trace, peer: &str, record: &Value) -> Option<Value> {
    let (_, declare) = trace.operations([capability::Declare::METHOD]).last()?;
    let asked = declare.parameters["filter"].as_object()?;
    let document = last_declared(trace, peer)?;
    let declared = document.row(declare.parameters["resource_kind"].as_str()?)?.filter.as_ref()?;
    let excludes = |(name, value): (&String, &Value)| {
        let has = &record[name];
        asked.get(name) == Some(value) && value.as_array().map_or(value != has, |any| !any.contains(has))
    };
    let may_hold = !declared.is_empty() && declared != asked && !declared.iter().any(excludes);
    may_hold.then(|| Value::Object(declared.clone()))
}

/// Returns whether the target has declared a filter to the peer. Until then it may still declare another one than its
/// operator asked for.
pub(super) fn is_filter_declared(trace: &Trace, peer: &str) -> bool {
    let asked = trace.operations([capability::Declare::METHOD]).last();
    let kind = asked.and_then(|(_, declare)| declare.parameters["resource_kind"].as_str());
    let row = last_declared(trace, peer).zip(kind).and_then(|(document, kind)| document.row(kind).cloned());
    row.is_some_and(|row| row.filter.is_some())
}

/// Returns the record that was first put under an id.
fn first_put<'a>(trace: &'a Trace, id: &str) -> Option<&'a Value> {
    let mut puts = trace.operations([resource::Put::METHOD]);
    Some(&puts.find(|(_, put)| put.parameters["id"] == id)?.1.parameters["record"])
}

/// Returns the ids of the records that were put under a label. A store may refuse a record that lacks a member.
fn ids_put<'a>(trace: &'a Trace, label: &'a str) -> Vec<&'a str> {
    let puts = trace.labelled(label).filter_map(|entry| entry.operation());
    let puts = puts.filter(|put| put.failure.is_none());
    puts.filter_map(|put| put.parameters["id"].as_str()).collect()
}

/// Returns whether a record that was put without a member has a value there now by which it is inside the filter.
fn is_completed(trace: &Trace, id: &str, record: &Value) -> bool {
    let Some((_, declare)) = trace.operations([capability::Declare::METHOD]).last() else { return false };
    let Some(asked) = declare.parameters["filter"].as_object() else { return false };
    let put = first_put(trace, id).unwrap_or(&Value::Null);
    let is_inside = |(name, value): (&String, &Value)| {
        let has = &record[name];
        value == has || value.as_array().is_some_and(|any| any.contains(has))
    };
    asked.keys().any(|name| put.get(name).is_none()) && asked.iter().all(is_inside)
}

/// Returns whether the content of a record reaches the peer in this call.
fn carries(call: Call<'_>, id: &str) -> bool {
    record_in(call, id).is_some()
}

/// Returns the content of a record, as it reaches the peer in this call.
fn record_in(call: Call<'_>, id: &str) -> Option<Value> {
    match (call.exchange.direction, call.route()) {
        (Direction::FromTarget, Some(Route::Sync)) => {
            let records = call.exchange.sent().and_then(|body| body["records"].as_array());
            let record = records.into_iter().flatten().find(|record| record["id"] == id)?;
            Some(record["payload"].clone())
        }
        (Direction::ToTarget, Some(Route::Resource { id: requested, .. })) => {
            let record = call.exchange.data().and_then(|data| data.get("record").cloned());
            record.filter(|record| requested == id && !record.is_null())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, OperationFailure};
    use serde_json::json;

    /// Returns the verdict if a record inside the filter was read, and these were synced.
    fn verdict(synced: Option<&[&str]>, route: Option<&str>) -> Verdict {
        let put = |id: &str| json!({"kind": "skill", "id": id});
        let read = Exchange::to_target("alice")
            .on("GET", "resources/skill/blue")
            .sending(json!({}))
            .answered_with(200, json!({"data": {"record": {"id": "blue"}}}));
        let mut builder = TraceBuilder::new()
            .operation_with("outside", "resource.put", put("red"), json!(null))
            .operation_with("inside", "resource.put", put("blue"), json!(null))
            .call("read", read);
        if let Some(ids) = synced {
            let records: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
            let sync = Exchange::from_target("alice").on("POST", "sync");
            let sync = sync.sending(json!({ "records": records })).answered_with(200, json!({}));
            builder = builder.call_from_target(sync);
        }
        let mut with = json!({"peer": "alice", "outside": "outside", "inside": "inside"});
        if let Some(route) = route {
            with["route"] = json!(route);
        }
        builder.verdict::<FilterIsApplied>(with)
    }

    /// Returns the verdict if the operator asked for records of `tier = false` and `team = ""`, the target declares this
    /// filter, and that record was synced beside one inside both.
    fn declaring(declared: &Value, red: &Value) -> Verdict {
        let asked = json!({"tier": false, "team": ""});
        let put = |id: &str, record: &Value| json!({"kind": "skill", "id": id, "record": record});
        let row = json!({"kind": "skill", "direction": "bidirectional", "filter": declared});
        let answer = json!({"data": {"capabilities": {"resource_kinds": [row]}}});
        let sync = Exchange::from_target("alice").on("POST", "sync");
        let sync = sync.sending(json!({"records": [{"id": "red"}, {"id": "blue"}]}));
        let parameters = json!({"resource_kind": "skill", "filter": asked});
        TraceBuilder::new()
            .operation_with("", "capability.declare", parameters, json!({}))
            .call("", Exchange::to_target("alice").sending(json!({})).answered_with(200, answer))
            .operation_with("outside", "resource.put", put("red", red), json!(null))
            .operation_with("inside", "resource.put", put("blue", &asked), json!(null))
            .call_from_target(sync.answered_with(200, json!({})))
            .verdict::<FilterIsApplied>(json!({"peer": "alice", "outside": "outside", "inside": "inside"}))
    }

    #[test]
    fn the_target_owes_the_filter_that_it_declares() {
        let (other_tier, other_team) =
            (json!({"tier": true, "team": ""}), json!({"tier": false, "team": "red"}));
        let asked = json!({"tier": false, "team": ""});
        assert_eq!(declaring(&asked, &other_team), Broken);
        assert_eq!(declaring(&Value::Null, &other_team), Broken, "it declares none");
        assert_eq!(declaring(&json!({}), &other_team), Broken, "it declares an empty one");
        assert_eq!(
            declaring(&json!({"tier": false}), &other_team),
            Unproven,
            "it is inside what is declared"
        );
        assert_eq!(declaring(&json!({"tier": false}), &other_tier), Broken, "both filters exclude it");
        assert_eq!(declaring(&json!({"tier": [false]}), &other_tier), Unproven, "in another form");
    }

    #[test]
    fn a_record_without_a_member_is_outside_unless_the_store_adds_one() {
        let verdict = |arrives: &Value| {
            let parameters =
                json!({"resource_kind": "skill", "filter": {"team": "blue", "tier": ["gold", "silver"]}});
            let put = |id: &str, record: &Value| json!({"kind": "skill", "id": id, "record": record});
            let records =
                json!([{"id": "bare", "payload": arrives}, {"id": "blue", "payload": {"id": "blue"}}]);
            let sync =
                Exchange::from_target("alice").on("POST", "sync").sending(json!({ "records": records }));
            TraceBuilder::new()
                .operation_with("", "capability.declare", parameters, json!({}))
                .operation_with("outside", "resource.put", put("bare", &json!({"team": "blue"})), json!(null))
                .operation_with("inside", "resource.put", put("blue", &json!({"team": "blue"})), json!(null))
                .call_from_target(sync.answered_with(200, json!({})))
                .verdict::<FilterIsApplied>(
                    json!({"peer": "alice", "outside": "outside", "inside": "inside"}),
                )
        };
        assert_eq!(verdict(&json!({"team": "blue"})), Broken);
        assert_eq!(verdict(&json!({"team": "blue", "tier": "bronze"})), Broken);
        assert_eq!(verdict(&json!({"team": "blue", "tier": "gold"})), Unproven, "by a default of the store");
    }

    #[test]
    fn a_record_that_the_store_refused_is_none_and_an_open_one_hides_no_other() {
        let verdict = |refused: bool, arriving: &[Value]| {
            let parameters = json!({"resource_kind": "skill", "filter": {"team": "blue", "tier": "gold"}});
            let put = |id: &str, record: Value| json!({"kind": "skill", "id": id, "record": record});
            let put_all = |builder: TraceBuilder| {
                let record = || json!({"team": "blue"});
                if refused {
                    let failure =
                        OperationFailure::Refused { code: -32009, message: "tier is required".to_owned() };
                    return builder.failed_operation(
                        "outside",
                        "resource.put",
                        put("bare", record()),
                        failure,
                    );
                }
                ["bare", "other"].into_iter().fold(builder, |builder, id| {
                    builder.operation_with("outside", "resource.put", put(id, record()), json!(null))
                })
            };
            let records: Vec<Value> = [json!({"id": "blue", "payload": {"id": "blue"}})]
                .into_iter()
                .chain(arriving.iter().cloned())
                .collect();
            let sync =
                Exchange::from_target("alice").on("POST", "sync").sending(json!({ "records": records }));
            put_all(TraceBuilder::new().operation_with("", "capability.declare", parameters, json!({})))
                .operation_with("inside", "resource.put", put("blue", json!({"team": "blue"})), json!(null))
                .call_from_target(sync.answered_with(200, json!({})))
                .verdict::<FilterIsApplied>(
                    json!({"peer": "alice", "outside": "outside", "inside": "inside"}),
                )
        };
        let completed = json!({"id": "bare", "payload": {"team": "blue", "tier": "gold"}});
        let bare = json!({"id": "other", "payload": {"team": "blue"}});
        assert_eq!(verdict(true, &[]), Unproven, "no record is outside");
        assert_eq!(verdict(false, &[]), Kept);
        assert_eq!(verdict(false, std::slice::from_ref(&completed)), Unproven);
        assert_eq!(verdict(false, &[completed, bare]), Broken);
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
