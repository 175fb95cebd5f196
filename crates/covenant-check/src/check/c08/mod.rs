//! Commitment 8: data residency.

mod places;
mod telling;

use std::collections::BTreeSet;

use serde_json::Value;

use super::query::{mentions, migration_shown as record_shown};
use super::{CheckResult, Verdict};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;
use places::{has_moved_unsaid, places_said};
use telling::{Mark, marks, says_something};

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "residency-declared",
        about: "the target says in its heartbeats, or in its answers to them, where it keeps data",
        parameters: &[LegacyParameter::required("peer", "the peer's name")],
        evaluate: residency_declared,
    },
    LegacyCheck {
        name: "crossing-is-reported",
        about: "the operator has an event about data that crossed into, or out of, another residency",
        parameters: &[
            LegacyParameter::required("migration", "label of the migration that crosses"),
            LegacyParameter::required("before", "label of the operator's look at the events before it"),
            LegacyParameter::required("after", "label of the look after it"),
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required(
                "places",
                "where the peer keeps its data: its residency and its jurisdiction",
            ),
            LegacyParameter::optional(
                "default",
                "label of a look at the events before a migration with `near`",
            ),
            LegacyParameter::optional(
                "near",
                "a peer where the target is, with which something was migrated between `default` and `before`: what \
                 is seen_report of that is no word about a crossing",
            ),
        ],
        evaluate: crossing_is_told,
    },
    LegacyCheck {
        name: "crossings-match-residencies",
        about: "each migration's record has cross_jurisdiction where the two places differ, and only there",
        parameters: &[
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required("shown", "label of the looks at the records, each after its migration"),
        ],
        evaluate: crossings_are_right,
    },
    LegacyCheck {
        name: "crossing-is-recorded",
        about: "the record of a migration that crosses has cross_jurisdiction, the right way round",
        parameters: &[
            LegacyParameter::required("migration", "label of the migration that crosses"),
            LegacyParameter::required("shown", "labels of looks at its record, the peer's or the operator's"),
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required(
                "places",
                "where the peer keeps its data: its residency and its jurisdiction",
            ),
        ],
        evaluate: crossing_is_recorded,
    },
];

fn residency_declared(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("data_residency in the target's heartbeat, or in its answer to one")
    };
    let exchanges = trace.exchanges().filter(|(_, exchange)| exchange.peer == with.text("peer"));
    let told: Vec<_> = exchanges
        .filter(|(_, exchange)| matches!(exchange.route(), Some(Route::Accept | Route::Heartbeat)))
        .filter_map(|(entry, exchange)| match exchange.direction {
            Direction::FromTarget => Some((entry.n, exchange.sent()?.clone())),
            Direction::ToTarget => Some((entry.n, exchange.data()?)),
        })
        .collect();
    if let Some((n, place)) = told.iter().find_map(|(n, said)| Some((*n, residency(said)?))) {
        return expect(CheckResult::kept(format!("data_residency is {place:?}"), vec![n]));
    }
    let mut calls = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    if !calls.any(|(_, exchange)| exchange.route() == Some(Route::Heartbeat)) {
        return expect(CheckResult::unproven("the target sent no heartbeat", vec![]));
    }
    let evidence = told.iter().map(|(n, _)| *n).collect();
    if let Some((_, name)) = told.iter().find_map(|(n, said)| Some((n, unknown_form(said)?))) {
        return expect(CheckResult::unproven(format!("it says {name}, a form that is not known"), evidence));
    }
    let actual = format!("{} heartbeats and answers, none with it", told.len());
    expect(CheckResult::broken(actual, evidence))
}

/// Returns a member that may report the place of the data in a form of the target's own.
fn unknown_form(said: &Value) -> Option<&str> {
    let members = [said, &said["metadata"]].into_iter().filter_map(Value::as_object).flatten();
    let mut speaking = members.filter(|(name, member)| {
        let name = name.to_lowercase();
        ["residen", "region"].iter().any(|word| name.contains(word)) && says_something(member)
    });
    speaking.next().map(|(name, _)| name.as_str())
}

/// Returns the residency that a body declares, unless it is blank.
fn residency(body: &Value) -> Option<&str> {
    let places = [&body["data_residency"], &body["metadata"]["data_residency"]];
    places.into_iter().filter_map(Value::as_str).find(|place| !place.trim().is_empty())
}

fn crossing_is_told(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("a new event that speaks of the crossing");
    let migration = match crossed(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let (Some((first, before)), Some((last, after))) =
        (events(trace, with.text("before")), events(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the events could not be read", vec![]));
    };
    let evidence = vec![first, migration.n, last];
    let default = default_marks(trace, with, &before);
    let new: Vec<_> = after.iter().filter(|event| !before.contains(event)).collect();
    let tells = |event: &&Value| {
        marks(event, &with.texts("places"), &migration.ours).iter().any(|mark| !default.contains(mark))
    };
    if let Some(event) = new.iter().copied().find(tells) {
        let kind = event["kind"].as_str().unwrap_or("an event");
        return expect(CheckResult::kept(format!("{kind} was seen_report"), evidence));
    }
    let is_strange = |event: &&Value| migration.is_named_in(event) && is_unusual(event, with, trace, &before);
    if let Some(event) = new.iter().copied().find(is_strange) {
        let actual = format!("{} was seen_report, and nothing in it says what for", event["kind"]);
        return expect(CheckResult::unproven(actual, evidence));
    }
    expect(CheckResult::broken(format!("{} new events, none of a crossing", new.len()), evidence))
}

/// Returns whether an event about this migration is of a kind that was not raised about the default one: it
/// may report the crossing in a form of the target's own.
fn is_unusual(event: &Value, with: Arguments<'_>, trace: &Trace, before: &[Value]) -> bool {
    let look = with.text_if_given("default").and_then(|label| events(trace, label));
    look.is_some_and(|(_, first)| {
        let mut default = before.iter().filter(|event| !first.contains(event));
        default.all(|default| default["kind"] != event["kind"])
    })
}

/// Returns the marks that the target's events have for any migration, taken from one with a peer at the place
/// of the target.
fn default_marks(trace: &Trace, with: Arguments<'_>, before: &[Value]) -> BTreeSet<Mark> {
    let look = with.text_if_given("default").and_then(|label| events(trace, label));
    let (Some((n, first)), Some(control)) = (look, with.text_if_given("near")) else {
        return BTreeSet::new();
    };
    let said = places_said(trace, control, n);
    let Some((theirs, _)) = said.filter(|(theirs, ours)| theirs.differs_from(ours) == Some(false)) else {
        return BTreeSet::new();
    };
    let new = before.iter().filter(|event| !first.contains(event));
    new.flat_map(|event| marks(event, &theirs.names(), &[])).collect()
}

fn crossing_is_recorded(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("metadata.cross_jurisdiction {from, to} in the migration's record")
    };
    let migration = match crossed(trace, with) {
        Ok(migration) => migration,
        Err(unproven) => return expect(unproven),
    };
    let shown: Vec<(u64, Value)> =
        with.texts("shown").into_iter().filter_map(|label| record_shown(trace, label)).collect();
    if shown.is_empty() {
        return expect(CheckResult::unproven("its record could not be read", vec![migration.n]));
    }
    let evaluated = shown
        .iter()
        .filter(|(_, record)| shows_metadata(record))
        .map(|(n, record)| migration.check_record(record, &with.texts("places"), vec![migration.n, *n]));
    let evaluated: Vec<CheckResult> = evaluated.collect();
    if evaluated.is_empty() {
        return expect(CheckResult::unproven(
            "its record shows no metadata, or no end of it",
            vec![migration.n],
        ));
    }
    let first = |verdict| evaluated.iter().find(|result| result.verdict == verdict);
    if let Some(worst) = first(Verdict::Broken).or_else(|| first(Verdict::Unproven)) {
        return expect(worst.clone());
    }
    let evidence = [migration.n].into_iter().chain(shown.iter().map(|(n, _)| *n)).collect();
    expect(CheckResult::kept("cross_jurisdiction is there", evidence))
}

/// Evaluates whether the recorded crossings are right, by the last statements of both sides before each read.
/// A migration that crosses by residency and not by jurisdiction, or the other way about, may be recorded or
/// not. If the target was moved after its last statement, its place is unknown.
fn crossings_are_right(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("cross_jurisdiction where the places differ, and only there");
    let peer = with.text("peer");
    let mut evidence = vec![];
    for look in records_shown(trace, with.text("shown")) {
        let n = look.n;
        let Some((theirs, ours)) = places_said(trace, peer, n) else { continue };
        if !shows_metadata(&look.record) || has_moved_unsaid(trace, peer, n) {
            continue;
        }
        let is_recorded = claims_a_crossing(&look.record["metadata"]["cross_jurisdiction"]);
        let crosses = theirs.differs_from(&ours);
        if crosses.is_some_and(|crosses| crosses != is_recorded) {
            let recorded = if is_recorded { "recorded" } else { "not recorded" };
            let (theirs, ours) = (theirs.names().join(", "), ours.names().join(", "));
            let (from, to) = if look.ends == INBOUND { (theirs, ours) } else { (ours, theirs) };
            return expect(CheckResult::broken(format!("from {from} to {to}: {recorded}"), vec![n]));
        }
        if crosses == Some(true) {
            let own = ours.names().into_iter().map(ToOwned::to_owned).collect();
            let crossing = Crossing { n, id: None, ends: look.ends, ours: own };
            let evaluated = crossing.check_record(&look.record, &theirs.names(), vec![n]);
            if evaluated.verdict == Verdict::Broken {
                return expect(evaluated);
            }
        }
        evidence.push(n);
    }
    if evidence.is_empty() {
        return expect(CheckResult::unproven(
            "no record was shown of a migration between places that are known",
            vec![],
        ));
    }
    expect(CheckResult::kept(format!("{} records are right", evidence.len()), evidence))
}

/// A read of a migration's record.
struct Shown {
    n: u64,
    record: Value,
    ends: Ends,
}

/// Returns the reads of this label: of the peer for its own migrations, and of the operator for those of the
/// target.
fn records_shown(trace: &Trace, label: &str) -> Vec<Shown> {
    let looks = trace.labelled(label).filter_map(|entry| {
        let (told, ends) = match (entry.exchange(), entry.operation()) {
            (Some(exchange), _) => (exchange.data()?, INBOUND),
            (None, operation) => (operation?.result.clone()?, OUTBOUND),
        };
        let record = told.get("migration").cloned().unwrap_or(told);
        Some(Shown { n: entry.n, record, ends })
    });
    looks.collect()
}

/// The end of `cross_jurisdiction` at which the peer is, and the end at which the target is.
type Ends = (&'static str, &'static str);

const INBOUND: Ends = ("from", "to");
const OUTBOUND: Ends = ("to", "from");

/// A migration across a boundary.
struct Crossing {
    n: u64,
    /// The id that the target gave the migration.
    id: Option<String>,
    ends: Ends,
    /// The names of the target's own place.
    ours: Vec<String>,
}

/// Returns the migration if it succeeded and the target is not at the place of the peer.
fn crossed(trace: &Trace, with: Arguments<'_>) -> Result<Crossing, CheckResult> {
    let label = with.text("migration");
    let sent = trace.exchanges_labelled(label).find(|(_, exchange)| exchange.succeeded());
    let operated = trace.operation(label).filter(|(_, operation)| operation.failure.is_none());
    let (n, ends, told) = match (sent, operated) {
        (Some((n, exchange)), _) => (n, INBOUND, exchange.data()),
        (None, Some((n, operation))) => (n, OUTBOUND, operation.result.clone()),
        (None, None) => return Err(CheckResult::unproven("the migration did not succeed", vec![])),
    };
    let Some((_, ours)) = places_said(trace, with.text("peer"), n) else {
        return Err(CheckResult::unproven("the target does not say where it keeps data", vec![n]));
    };
    let ours: Vec<String> = ours.names().into_iter().map(ToOwned::to_owned).collect();
    if let Some(place) = with.texts("places").into_iter().find(|place| is_one_of(place, &ours)) {
        return Err(CheckResult::unproven(format!("the target is in {place} too: nothing crosses"), vec![n]));
    }
    let id = told.and_then(|told| told["migration_id"].as_str().map(ToOwned::to_owned));
    Ok(Crossing { n, id, ends, ours })
}

/// Returns whether a record shows the metadata of a completed migration.
fn shows_metadata(record: &Value) -> bool {
    let has_ended = record["status"].as_str().is_none_or(|status| status == "completed");
    has_ended && record["metadata"].is_object()
}

fn is_one_of(name: &str, places: &[impl AsRef<str>]) -> bool {
    places.iter().any(|place| place.as_ref().eq_ignore_ascii_case(name.trim()))
}

/// Returns whether a member claims a crossing: two identical ends say that nothing crossed.
fn claims_a_crossing(recorded: &Value) -> bool {
    const DENIALS: [&str; 4] = ["crossed", "crosses", "crossing", "cross_jurisdiction"];
    let is_denied = |(name, member): (&String, &Value)| {
        DENIALS.contains(&name.to_lowercase().as_str()) && *member == Value::Bool(false)
    };
    let end = |name: &str| recorded[name].as_str().map(|place| place.trim().to_lowercase());
    let is_one_place = end("from").is_some_and(|from| Some(from) == end("to"));
    says_something(recorded)
        && !is_one_place
        && !recorded.as_object().is_some_and(|members| members.iter().any(is_denied))
}

impl Crossing {
    fn is_named_in(&self, event: &Value) -> bool {
        self.id.as_ref().is_some_and(|id| mentions(event, id))
    }

    fn check_record(&self, record: &Value, places: &[&str], evidence: Vec<u64>) -> CheckResult {
        let recorded = &record["metadata"]["cross_jurisdiction"];
        let named = |end: &str| recorded[end].as_str().unwrap_or_default();
        let (at_theirs, at_ours) = (named(self.ends.0), named(self.ends.1));
        let is_theirs = |place: &str| is_one_of(place, places);
        match recorded {
            Value::Null if telling::speaks_of_crossing(record) => {
                CheckResult::unproven("it tells of a crossing elsewhere, and not in its metadata", evidence)
            }
            Value::Null => CheckResult::broken("its metadata has no cross_jurisdiction", evidence),
            _ if !claims_a_crossing(recorded) => {
                CheckResult::broken(format!("it says that there was no crossing: {recorded}"), evidence)
            }
            Value::Object(_) if is_theirs(at_theirs) && is_theirs(at_ours) => {
                CheckResult::broken(format!("the peer's place at both ends: {recorded}"), evidence)
            }
            Value::Object(_) if is_theirs(at_theirs) => CheckResult::kept("the right way round", evidence),
            Value::Object(_) if is_theirs(at_ours) => {
                CheckResult::broken(format!("the wrong way round: {recorded}"), evidence)
            }
            Value::Object(_) if is_one_of(at_theirs, &self.ours) && is_one_of(at_ours, &self.ours) => {
                CheckResult::broken(format!("the target's place at both ends: {recorded}"), evidence)
            }
            Value::Object(_) => CheckResult::unproven(format!("names other places: {recorded}"), evidence),
            _ => CheckResult::kept("it says that there was a crossing", evidence),
        }
    }
}

fn events(trace: &Trace, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = trace.operation(label)?;
    let result = operation.result.as_ref()?;
    Some((n, result.get("events").unwrap_or(result).as_array()?.clone()))
}

#[cfg(test)]
mod tests;
