//! A migration between two residencies, and its record.

use serde_json::Value;

use super::crossing_mentions::{has_content, states_crossing};
use super::locations::last_locations;
use crate::check::arguments::{Label, PeerName};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, mentions, mentions_one};
use crate::check::text::is_blank;
use covenant_model::operator::{OperatorMethod, migration};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::migration::state;
use covenant_model::wire::path::Route;

/// The ends of `cross_jurisdiction` at which the two sides are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// The end of the peer.
    peer: &'static str,
    /// The end of the target.
    target: &'static str,
}

/// The ends of a migration that the target received.
pub(super) const INBOUND: Ends = Ends { peer: "from", target: "to" };
/// The ends of a migration that the target sent.
pub(super) const OUTBOUND: Ends = Ends { peer: "to", target: "from" };

/// The status of a migration whose records are stored.
const COMPLETED: &str = "completed";

/// A migration between two residencies.
pub(super) struct Crossing {
    /// The number of the entry of the migration, or of the snapshot of its record.
    pub(super) n: u64,
    /// The id that the target gave the migration.
    pub(super) id: Option<String>,
    /// The ends of the two sides.
    pub(super) ends: Ends,
    /// The names of the target's own location.
    pub(super) of_target: Vec<String>,
    /// `true` if the location of the target is known from its record of this migration alone. What is not there is no breach then.
    pub(super) is_from_record: bool,
    /// `true` if the answer, or the operator's method, says nothing else than that the records are stored.
    pub(super) is_completed: bool,
}

/// Returns whether the result of `migration.send` says that the peer gave no answer.
fn has_no_answer(result: &Value) -> bool {
    result.get("answered").is_some_and(Value::is_null)
}

/// Returns whether a peer accepted the migration that its target's operator asked for: the record is named in it.
fn has_arrived(trace: &Trace, peer: &str, asked: &Operation) -> bool {
    let id = asked.parameters["root_resource_id"].as_str().unwrap_or_default();
    let mut sent = calls(trace).of(peer).made_by_target().on(Route::Migrations).accepted();
    sent.any(|call| call.exchange.sent().is_some_and(|plan| mentions(plan, id)))
}

impl Crossing {
    /// Reads the migration with this label. The check is unproven if the migration did not succeed, if the peer did not accept what
    /// the target should have sent, or if the target is at one of the locations of the peer.
    pub(super) fn read(
        trace: &Trace,
        label: &Label,
        peer: &PeerName,
        locations: &[String],
    ) -> Result<Self, Stop> {
        let received = calls(trace).labelled(label).accepted().next();
        let received = received.map(|call| (call.n(), INBOUND, call.exchange.data()));
        let sent = || {
            let (n, operation) = trace.operation(label)?;
            operation.failure.is_none().then(|| (n, OUTBOUND, operation.result.clone()))
        };
        let (n, ends, data) = received.or_else(sent).or_unproven("the migration did not succeed")?;
        if data.as_ref().is_some_and(has_no_answer) {
            return Err(Stop::unproven("the migration got no answer of the peer: nothing crossed", [n]));
        }
        let status = data.as_ref().and_then(|data| data["status"].as_str());
        if let Some(status) = status.filter(|status| state::WITHOUT_EFFECT.contains(status)) {
            return Err(Stop::unproven(format!("the migration is {status}: nothing crossed"), [n]));
        }
        let is_completed = status.is_none_or(|status| status == COMPLETED);
        // A target may refuse by its policy to send data to another residency. Nothing crossed that the peer did not get.
        let asked = (ends == OUTBOUND).then(|| trace.operation(label)).flatten();
        if asked.is_some_and(|(_, asked)| !has_arrived(trace, peer, asked)) {
            return Err(Stop::unproven("no such migration arrived at the peer: nothing crossed", [n]));
        }
        let id = data.and_then(|data| data["migration_id"].as_str().map(ToOwned::to_owned));
        let reported = last_locations(trace, peer, n);
        let reported = reported.map(|reported| {
            reported.target.names().into_iter().map(ToOwned::to_owned).collect::<Vec<String>>()
        });
        let is_from_record = reported.is_none();
        let recorded = || recorded_location(trace, id.as_deref()?, ends, locations).map(|place| vec![place]);
        let of_target = reported
            .or_else(recorded)
            .or_unproven_at("the target does not report where it keeps data", &[n])?;
        if let Some(location) = locations.iter().find(|location| is_one_of(location, &of_target)) {
            let actual = format!("the target is in {location} too: nothing crosses");
            return Err(Stop::unproven(actual, [n]));
        }
        Ok(Self { n, id, ends, of_target, is_from_record, is_completed })
    }

    /// Returns whether an event has the id of the migration.
    pub(super) fn is_named_in(&self, event: &Value) -> bool {
        self.id.as_ref().is_some_and(|id| mentions_one(event, std::slice::from_ref(id)))
    }

    /// Evaluates whether a record of the migration has the crossing, with the location of the peer at its
    /// end.
    pub(super) fn check_record(
        &self,
        record: &Value,
        of_peer: &[impl AsRef<str>],
        evidence: impl IntoIterator<Item = u64>,
    ) -> Outcome {
        let recorded = &record["metadata"]["cross_jurisdiction"];
        let named = |end: &str| recorded[end].as_str().unwrap_or_default();
        let (at_peer, at_target) = (named(self.ends.peer), named(self.ends.target));
        let is_of_peer = |location: &str| is_one_of(location, of_peer);
        match recorded {
            Value::Null if states_crossing(record) => {
                Err(Stop::unproven("it states a crossing elsewhere, and not in its metadata", evidence))
            }
            Value::Null => Err(Stop::broken("its metadata has no cross_jurisdiction", evidence)),
            _ if !claims_crossing(recorded) => {
                Err(Stop::broken(format!("it states that there was no crossing: {recorded}"), evidence))
            }
            Value::Object(_) if is_of_peer(at_peer) && is_of_peer(at_target) => {
                Err(Stop::broken(format!("the peer's location at both ends: {recorded}"), evidence))
            }
            Value::Object(_) if is_of_peer(at_peer) => Ok(Pass::new("the ends are right", evidence)),
            Value::Object(_) if is_of_peer(at_target) => {
                Err(Stop::broken(format!("the ends are exchanged: {recorded}"), evidence))
            }
            Value::Object(_)
                if is_one_of(at_peer, &self.of_target) && is_one_of(at_target, &self.of_target) =>
            {
                Err(Stop::broken(format!("the target's location at both ends: {recorded}"), evidence))
            }
            Value::Object(_) => {
                Err(Stop::unproven(format!("it names other locations: {recorded}"), evidence))
            }
            _ => Ok(Pass::new("it states that there was a crossing", evidence)),
        }
    }
}

/// Returns the location of the target in its own record of a migration, whose other end is at the peer.
fn recorded_location(trace: &Trace, id: &str, ends: Ends, of_peer: &[String]) -> Option<String> {
    let shown = trace.operations([migration::Show::METHOD]);
    let mut records =
        shown.filter(|(_, it)| it.parameters["migration_id"] == id).filter_map(|(_, it)| it.result.as_ref());
    records.find_map(|record| {
        let crossing = &record.get("migration").unwrap_or(record)["metadata"]["cross_jurisdiction"];
        let is_of_peer = crossing[ends.peer].as_str().is_some_and(|place| is_one_of(place, of_peer));
        crossing[ends.target].as_str().filter(|place| is_of_peer && !is_blank(place)).map(ToOwned::to_owned)
    })
}

/// Returns whether a record shows the metadata of a completed migration.
pub(super) fn shows_metadata(record: &Value) -> bool {
    let has_ended = record["status"].as_str().is_none_or(|status| status == COMPLETED);
    has_ended && record["metadata"].is_object()
}

/// Returns whether the metadata of a record has `cross_jurisdiction`, whatever it says.
pub(super) fn has_crossing(record: &Value) -> bool {
    !record["metadata"]["cross_jurisdiction"].is_null()
}

/// Returns whether the value of `cross_jurisdiction` claims a crossing. Two identical ends claim none.
pub(super) fn claims_crossing(recorded: &Value) -> bool {
    const DENIALS: [&str; 4] = ["crossed", "crosses", "crossing", "cross_jurisdiction"];
    let is_denial = |(name, member): (&String, &Value)| {
        DENIALS.contains(&name.to_lowercase().as_str()) && *member == Value::Bool(false)
    };
    let end = |name: &str| recorded[name].as_str().map(|location| location.trim().to_lowercase());
    let has_identical_ends = end("from").is_some_and(|from| Some(from) == end("to"));
    has_content(recorded)
        && !has_identical_ends
        && !recorded.as_object().is_some_and(|members| members.iter().any(is_denial))
}

fn is_one_of(name: &str, locations: &[impl AsRef<str>]) -> bool {
    locations.iter().any(|location| location.as_ref().eq_ignore_ascii_case(name.trim()))
}
