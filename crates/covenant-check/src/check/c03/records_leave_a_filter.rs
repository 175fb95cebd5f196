//! `records-leave-a-filter`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::filter_is_applied::{is_filter_declared, other_filter};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::clock::read_moment;
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// A record that left the declared filter by a change is synced no more, however it changes then. What marks it as gone, as a
/// deletion does, conforms.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RecordsLeaveAFilter {
    /// The peer that is synced to.
    pub peer: PeerName,
    /// The operation that put the record inside the filter.
    pub inside: Label,
    /// The operations that changed it then: one that took it out of the filter, and a later one.
    pub left: Label,
    /// The operations that put other records inside the filter, one after each of these changes.
    pub control: Label,
}

/// A put of a record: the number of its entry, the id and the record.
struct Put<'a> {
    n: u64,
    id: &'a str,
    record: &'a Map<String, Value>,
}

impl Check for RecordsLeaveAFilter {
    const ID: &'static str = "records-leave-a-filter";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] =
        &["no sync of the record as it is outside the filter", "a sync that marks it as gone"];
    const CONTROL: Option<&'static str> =
        Some("the record arrived while it was inside, and another record after each of its changes");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let [inside, left, control] =
            [&self.inside, &self.left, &self.control].map(|label| puts(trace, label));
        let (Some(inside), [out, last]) = (inside.first(), left.as_slice()) else {
            return Err(Stop::unproven("the record was not put and changed", []));
        };
        let carrying = |after: u64, put: &Put<'_>| {
            let syncs = calls(trace).of(&self.peer).made_by_target().on(Route::Sync);
            let mut syncs = syncs.filter(|call| call.n() > after);
            syncs.find_map(|call| {
                let batch = call.exchange.sent()?;
                let rows = batch["records"].as_array()?;
                Some((call.n(), batch, rows.iter().find(|row| carries(row, put))?))
            })
        };
        let first = carrying(inside.n, inside).filter(|(n, ..)| *n < out.n);
        let (first, batch, row) = first.or_unproven("the record did not arrive while it was inside")?;
        let mut evidence = vec![inside.n, first, out.n];
        let took_effect = control.iter().filter_map(|put| Some(carrying(put.n.max(out.n), put)?.0));
        let took_effect = took_effect.filter(|n| *n < last.n).min();
        let took_effect =
            took_effect.or_unproven_at("no other record arrived after the change", &evidence)?;
        evidence.extend([took_effect, last.n]);
        if let Some((n, later_batch, later)) = carrying(last.n, last) {
            evidence.push(n);
            let actual =
                format!("{} left the filter by a change, and arrived as it was changed then", last.id);
            let record = Value::Object(last.record.clone());
            if let Some(declared) = other_filter(trace, &self.peer, &record) {
                let actual = format!("{actual}, and the target declares another filter: {declared}");
                return Err(Stop::unproven(actual, evidence));
            }
            if !is_alike(row, later, last.record)
                || !is_alike(&frame(batch), &frame(later_batch), last.record)
            {
                let actual = format!("{actual}, in another form, which may say that it is gone");
                return Err(Stop::unproven(actual, evidence));
            }
            return Err(Stop::broken(actual, evidence).final_if(is_filter_declared(trace, &self.peer)));
        }
        let after = control.iter().filter(|put| put.n > last.n).find_map(|put| Some(carrying(put.n, put)?.0));
        let after = after.or_unproven_at("no other record arrived after the last change", &evidence)?;
        evidence.push(after);
        Ok(Pass::new("the record arrived while it was inside, and no more since it left", evidence))
    }
}

/// Returns the operations that put records under a label.
fn puts<'a>(trace: &'a Trace, label: &'a str) -> Vec<Put<'a>> {
    let puts = trace.labelled(label).filter_map(|entry| {
        let put = entry.operation().filter(|put| put.failure.is_none())?;
        let (id, record) = (put.parameters["id"].as_str()?, put.parameters["record"].as_object()?);
        Some(Put { n: entry.n, id, record })
    });
    puts.collect()
}

/// Returns whether a row of a batch has the content of a put.
fn carries(row: &Value, put: &Put<'_>) -> bool {
    row["id"] == put.id && put.record.iter().all(|(name, value)| row["payload"].get(name) == Some(value))
}

/// Returns a batch without its records and what follows from them.
fn frame(batch: &Value) -> Value {
    const OF_RECORDS: [&str; 3] = ["records", "cursor", "sha256"];
    let mut frame = batch.as_object().cloned().unwrap_or_default();
    frame.retain(|name, _| !OF_RECORDS.contains(&name.as_str()));
    Value::Object(frame)
}

/// Returns whether a row has the form of an earlier one of the same record, apart from what the operator changed, from a version
/// that grew and from the time of a change. Anything else may mark the record as gone.
fn is_alike(row: &Value, later: &Value, changed: &Map<String, Value>) -> bool {
    let (Value::Object(row), Value::Object(later)) = (row, later) else { return row == later };
    row.len() == later.len()
        && row.iter().all(|(name, value)| {
            later.get(name).is_some_and(|other| {
                changed.contains_key(name)
                    || is_alike(value, other, changed)
                    || is_of_change(name, value, other)
            })
        })
}

/// Returns whether a member states the version of a record or the time of its last change, and states a later one. A number below
/// two may be a truth value.
fn is_of_change(name: &str, value: &Value, later: &Value) -> bool {
    const VERSIONS: [&str; 7] =
        ["version", "revision", "rev", "seq", "sequence", "lockversion", "recordversion"];
    const TIMES: [&str; 6] =
        ["updatedat", "modifiedat", "changedat", "lastmodified", "lastupdated", "lastchanged"];
    let name = name.to_lowercase().replace(['_', '-'], "");
    if let (Some(value), Some(later)) = (value.as_u64(), later.as_u64()) {
        return VERSIONS.contains(&&*name) && value < later && later > 1;
    }
    let moment = |value: &Value| value.as_str().and_then(read_moment);
    let moments = moment(value).zip(moment(later));
    TIMES.contains(&&*name) && moments.is_some_and(|(time, later)| time <= later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict where the batches after each put have these rows.
    fn verdict(first: &[&Value], second: &[&Value], third: &[&Value]) -> Verdict {
        verdict_in([&json!({}); 3], [first, second, third])
    }

    /// Returns the verdict where these batches have these rows.
    fn verdict_in(frames: [&Value; 3], rows: [&[&Value]; 3]) -> Verdict {
        let put = |builder: TraceBuilder, label: &str, id: &str, team: &str, name: &str| {
            let put = json!({"kind": "skill", "id": id, "record": {"id": id, "team": team, "name": name}});
            builder.operation_with(label, "resource.put", put, json!(null))
        };
        let sync = |builder: TraceBuilder, batch: usize| {
            let mut sent = frames[batch].clone();
            sent["records"] = json!(rows[batch]);
            let sync = Exchange::from_target("alice").on("POST", "sync").sending(sent);
            builder.call_from_target(sync.answered_with(200, json!({})))
        };
        let builder = sync(put(TraceBuilder::new(), "inside", "a", "blue", "in"), 0);
        let builder = put(put(builder, "left", "a", "red", "out"), "control", "b", "blue", "b");
        let builder = put(put(sync(builder, 1), "left", "a", "red", "last"), "control", "c", "blue", "c");
        sync(builder, 2).verdict::<RecordsLeaveAFilter>(
            json!({"peer": "alice", "inside": "inside", "left": "left", "control": "control"}),
        )
    }

    fn row(id: &str, team: &str, name: &str) -> Value {
        json!({"id": id, "updated_at": "2026-06-01T00:00:00Z", "payload": {"id": id, "team": team, "name": name}})
    }

    #[test]
    fn a_record_that_left_the_filter_arrives_no_more() {
        let (inside, b, c) = (row("a", "blue", "in"), row("b", "blue", "b"), row("c", "blue", "c"));
        let (out, last) = (row("a", "red", "out"), row("a", "red", "last"));
        assert_eq!(verdict(&[&inside], &[&b], &[&c]), Kept);
        assert_eq!(verdict(&[&inside], &[&b], &[&c, &last]), Broken);
        assert_eq!(verdict(&[&inside], &[&out, &b], &[&c]), Kept, "it was on its way");
        assert_eq!(verdict(&[], &[&b], &[&c, &last]), Unproven, "it never arrived");
        assert_eq!(verdict(&[&inside], &[], &[&last]), Unproven, "the stream does not go on");
        assert_eq!(verdict(&[&inside], &[&b], &[]), Unproven, "the stream does not go on");
        let mut gone = last.clone();
        gone["payload"]["deleted"] = json!(true);
        assert_eq!(verdict(&[&inside], &[&b], &[&c, &gone]), Unproven);
        let marked = |member: &str, before: Value, after: Value| {
            let (mut inside, mut last) = (inside.clone(), row("a", "red", "last"));
            inside[member] = before;
            last[member] = after;
            verdict(&[&inside], &[&b], &[&c, &last])
        };
        assert_eq!(marked("deleted", json!(0), json!(1)), Unproven);
        assert_eq!(marked("op", json!(2), json!(3)), Unproven);
        assert_eq!(marked("version", json!(1), json!(3)), Broken);
        assert_eq!(marked("lock_version", json!(3), json!(0)), Unproven);
        let (early, late) = (|| json!("2026-06-01T00:00:00Z"), || json!("2026-06-01T00:05:00Z"));
        assert_eq!(marked("updated_at", early(), late()), Broken);
        assert_eq!(marked("updated_at", late(), early()), Unproven);
        assert_eq!(marked("valid_until", json!("9999-12-31T00:00:00Z"), late()), Unproven);
        assert_eq!(marked("valid_until", early(), early()), Broken);
        let rows: [&[&Value]; 3] = [&[&inside], &[&b], &[&c, &last]];
        let gone = json!({"removed": ["a"], "cursor": {"from": "2", "to": "3"}});
        let plain = |to: &str| json!({"cursor": {"to": to}, "sha256": to});
        assert_eq!(verdict_in([&plain("1"), &plain("2"), &gone], rows), Unproven, "the batch says so");
        assert_eq!(verdict_in([&plain("1"), &plain("2"), &plain("3")], rows), Broken);
        let empty = json!({"id": "a", "deleted": true, "payload": {"id": "a"}});
        assert_eq!(verdict(&[&inside], &[&b], &[&c, &empty]), Kept, "a deletion");
    }
}
