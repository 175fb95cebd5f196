//! The records in batches, and whether they are unchanged between two lists of records.

use serde_json::{Map, Value};

use crate::check::arguments::{Label, Labels};
use crate::check::general::is_same_number;
use crate::check::migration_model::OWN_MEMBERS;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use crate::check::query::{Place, Records, records};
use covenant_model::transcript::Trace;

/// A record of a batch: its place and its content.
pub(super) type Row<'a> = (Place, &'a Map<String, Value>);

/// Two lists of records with calls between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison<'a> {
    /// The calls.
    pub(super) call: &'a Labels,
    /// The label of the list before them.
    pub(super) before: &'a Label,
    /// The label of the list after them.
    pub(super) after: &'a Label,
    /// The label of a valid call before them.
    pub(super) control: Option<&'a Label>,
}

impl Comparison<'_> {
    /// Evaluates whether these records of the calls are as they were before.
    pub(super) fn evaluate(&self, trace: &Trace, rows_of: fn(&Value) -> Vec<Row<'_>>) -> Outcome {
        let read = |label| records(trace, label).or_unproven("the records could not be read");
        let (seen_before, before) = read(self.before)?;
        let (seen_after, after) = read(self.after)?;
        let sent: Vec<(Call<'_>, &Value)> = labelled_calls(trace, self.call).filter_map(with_body).collect();
        let rows: Vec<Row<'_>> = sent.iter().flat_map(|(_, body)| rows_of(body)).collect();
        if rows.is_empty() {
            return Err(Stop::unproven("no such call was made", seen_before));
        }
        let made = sent.iter().map(|(call, _)| call.n());
        let evidence: Vec<u64> = seen_before.into_iter().chain(made).chain(seen_after).collect();
        if let Some((place, _)) = rows.iter().find(|row| was_changed(row, &before, &after)) {
            let (kind, id) = place;
            let change = match (before.contains_key(place), after.contains_key(place)) {
                (_, false) => "is gone",
                (true, true) => "was changed",
                (false, true) => "was stored",
            };
            return Err(Stop::broken(format!("{kind}/{id} {change}"), evidence));
        }
        if let Some((lost, _)) = sent.iter().find(|(call, _)| call.exchange.was_put_off()) {
            let actual = format!("nothing was stored, but a call was put off: {}", lost.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        if self.control.is_some_and(|control| !is_stored(trace, control, &before)) {
            return Err(Stop::unproven("no record of a valid call was stored either", evidence));
        }
        Ok(Pass::new(format!("{} records, none of them stored", rows.len()), evidence))
    }
}

fn with_body(call: Call<'_>) -> Option<(Call<'_>, &Value)> {
    Some((call, call.exchange.sent()?))
}

/// Returns whether a record of the calls with this label is in a list.
fn is_stored(trace: &Trace, label: &str, listed: &Records) -> bool {
    let mut bodies = calls(trace).labelled(label).filter_map(|call| call.exchange.sent());
    bodies.any(|body| {
        let is_listed =
            |(place, payload): &Row<'_>| listed.get(place).is_some_and(|stored| fits(payload, stored));
        rows(body).iter().any(is_listed)
    })
}

/// Returns whether a record was added or removed, or differs in the content that a call gives. A target may
/// have and change records of its own meanwhile, and add members of its own to a record.
fn was_changed((place, payload): &Row<'_>, before: &Records, after: &Records) -> bool {
    match (before.get(place), after.get(place)) {
        (Some(before), Some(after)) => {
            let mut names = payload.keys().filter(|name| !OWN_MEMBERS.contains(&name.as_str()));
            names.any(|name| before.get(name) != after.get(name))
        }
        (before, after) => before.is_some() != after.is_some(),
    }
}

/// Returns the records of a batch.
pub(super) fn rows(batch: &Value) -> Vec<Row<'_>> {
    rows_by(batch, |record| record["id"].as_str())
}

/// Returns the records whose ids are named inside others.
pub(super) fn rows_named_inside(batch: &Value) -> Vec<Row<'_>> {
    rows_by(batch, |record| record["payload"]["id"].as_str().filter(|id| record["id"] != **id))
}

fn rows_by<'a>(batch: &'a Value, id_of: fn(&'a Value) -> Option<&'a str>) -> Vec<Row<'a>> {
    let kind = batch["resource_kind"].as_str().unwrap_or_default();
    let records = batch["records"].as_array().into_iter().flatten();
    let row = |record: &'a Value| {
        Some(((kind.to_owned(), id_of(record)?.to_owned()), record["payload"].as_object()?))
    };
    records.filter_map(row).collect()
}

/// Returns whether no sent member differs. The sender may add or withhold members.
pub(super) fn fits(put: &Map<String, Value>, sent: &Map<String, Value>) -> bool {
    put.iter().all(|(name, value)| sent.get(name).is_none_or(|sent| is_same(value, sent)))
}

/// Returns whether both are the same value: 1.0 is 1.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => fits(one, other),
        _ => is_same_number(Some(one), Some(other)),
    }
}
