//! `crossing-is-reported`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::crossing::Crossing;
use super::crossing_mentions::{Mention, crossing_mentions};
use super::locations::last_locations;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// The operator gets an event about data that crossed into, or out of, another residency.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CrossingIsReported {
    /// The migration that crosses.
    pub migration: Label,
    /// The snapshot of the events before the migration.
    pub before: Label,
    /// The snapshot of the events after the migration.
    pub after: Label,
    /// The peer of the migration.
    pub peer: PeerName,
    /// Where the peer keeps its data: its residency and its jurisdiction.
    pub locations: Vec<String>,
    /// The snapshot of the events before a migration that does not cross.
    pub baseline: Option<Label>,
    /// A peer at the location of the target, with which a record was migrated between `baseline` and
    /// `before`. The mentions in the events about that migration are no mentions of a crossing.
    pub same_residency: Option<PeerName>,
}

impl Check for CrossingIsReported {
    const ID: &'static str = "crossing-is-reported";
    const EXPECTED: &'static [&'static str] = &["a new event that mentions the crossing"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        const UNREADABLE: &str = "the events could not be read";
        let migration = Crossing::read(trace, &self.migration, &self.peer, &self.locations)?;
        let (first, before) = events(trace, &self.before).or_unproven(UNREADABLE)?;
        let (last, after) = events(trace, &self.after).or_unproven(UNREADABLE)?;
        let evidence = [first, migration.n, last];
        let common = self.common_mentions(trace, before);
        let new: Vec<&Value> = new_events(before, after).collect();
        let reports = |event: &&&Value| {
            let mentions = crossing_mentions(event, &self.locations, &migration.of_target);
            mentions.iter().any(|mention| !common.contains(mention))
                && (!migration.is_from_record || self.is_of_new_kind(event, trace, before))
        };
        if let Some(event) = new.iter().find(reports) {
            let kind = event["kind"].as_str().unwrap_or("an event");
            return Ok(Pass::new(format!("{kind} was raised"), evidence));
        }
        let may_report =
            |event: &&&Value| migration.is_named_in(event) && self.is_of_new_kind(event, trace, before);
        if let Some(event) = new.iter().find(may_report) {
            let actual = format!("{} was raised, and it does not state why", event["kind"]);
            return Err(Stop::unproven(actual, evidence));
        }
        let actual = format!("{} new events, none of a crossing", new.len());
        if migration.is_from_record {
            let actual = "the target states its place in its record alone, and no event is of a kind that the other \
                          migration did not raise";
            return Err(Stop::unproven(actual, evidence));
        }
        if !migration.is_completed {
            return Err(Stop::unproven(format!("{actual}; the migration was not completed yet"), evidence));
        }
        Err(Stop::broken(actual, evidence))
    }
}

impl CrossingIsReported {
    /// Returns whether an event about this migration is of a kind that was not raised about the one that did
    /// not cross: it may report the crossing in a form of the target's own.
    fn is_of_new_kind(&self, event: &Value, trace: &Trace, before: &[Value]) -> bool {
        let baseline = self.baseline.as_ref().and_then(|label| events(trace, label));
        baseline
            .is_some_and(|(_, first)| new_events(first, before).all(|common| common["kind"] != event["kind"]))
    }

    /// Returns the mentions in the events about any migration, taken from one with a peer at the location of
    /// the target.
    fn common_mentions(&self, trace: &Trace, before: &[Value]) -> BTreeSet<Mention> {
        let mentions = || {
            let (n, first) = events(trace, self.baseline.as_ref()?)?;
            let locations = last_locations(trace, self.same_residency.as_ref()?, n)?;
            if locations.peer.differs_from(&locations.target) != Some(false) {
                return None;
            }
            let names = locations.peer.names();
            let none: [&str; 0] = [];
            let events = new_events(first, before);
            Some(events.flat_map(|event| crossing_mentions(event, &names, &none)).collect())
        };
        mentions().unwrap_or_default()
    }
}

/// Returns the events in the result of `event.list`.
fn events<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a [Value])> {
    let (n, operation) = trace.operation(label)?;
    let result = operation.result.as_ref()?;
    Some((n, result.get("events").unwrap_or(result).as_array()?))
}

/// Returns the events that an earlier snapshot does not have.
fn new_events<'a>(before: &'a [Value], after: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    after.iter().filter(|event| !before.contains(event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c08::residency_traces::{by_alice, by_target, exchange, is_in};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange};
    use serde_json::json;

    fn arguments() -> Value {
        json!({
            "peer": "alice", "migration": "m", "before": "b", "after": "a", "locations": ["br-south", "BR"],
        })
    }

    /// Adds a snapshot of these events.
    fn listed(builder: TraceBuilder, label: &str, events: &Value) -> TraceBuilder {
        builder.operation(label, "event.list", json!({ "events": events }))
    }

    /// Adds a migration, and the events before and after it.
    fn migrated(builder: TraceBuilder, events: &Value) -> TraceBuilder {
        let builder = listed(builder, "b", &json!([]));
        listed(sent(arrived(builder), json!({})), "a", events)
    }

    /// Adds the migration as the operator asks for it.
    fn sent(builder: TraceBuilder, result: Value) -> TraceBuilder {
        builder.operation_with("m", "migration.send", json!({"root_resource_id": "r"}), result)
    }

    /// Adds the migration as the peer receives it.
    fn arrived(builder: TraceBuilder) -> TraceBuilder {
        arrived_as(builder, "r", 201)
    }

    /// Adds a migration with this root, as the peer receives and answers it.
    fn arrived_as(builder: TraceBuilder, root: &str, status: u16) -> TraceBuilder {
        let plan = Exchange::from_target("alice").on("POST", "migrations");
        builder.call("", plan.sending(json!({"root_resource_id": root})).answered_with(status, json!({})))
    }

    #[test]
    fn a_migration_that_no_peer_received_crosses_nothing() {
        let eu = is_in("eu", "DE");
        let builder = || TraceBuilder::new().call("beat", by_alice(&is_in("br-south", "BR"), &eu));
        let ended = |builder: TraceBuilder, result: Value| {
            let builder = sent(listed(builder, "b", &json!([])), result);
            listed(builder, "a", &json!([])).verdict::<CrossingIsReported>(arguments())
        };
        let is_open =
            |builder: TraceBuilder| builder.call_from_target(Exchange::from_target("bob").answered(401));
        assert_eq!(ended(arrived(builder()), json!({})), Broken);
        assert_eq!(ended(arrived(builder()), json!({"status": "completed"})), Broken);
        assert_eq!(ended(builder(), json!({})), Unproven, "nothing arrived");
        for status in ["failed", "cancelled", "planned", "refused"] {
            let result = json!({"status": status, "error": "no data leaves the EU"});
            assert_eq!(ended(is_open(builder()), result.clone()), Unproven, "{status}: refused by policy");
            assert_eq!(ended(arrived(builder()), result), Unproven, "{status}");
        }
        assert_eq!(ended(arrived_as(builder(), "s", 201), json!({})), Unproven, "another one arrived");
        assert_eq!(ended(arrived_as(builder(), "r", 422), json!({})), Unproven, "the peer refused it");
        let unanswered = json!({"answered": null, "error": "cannot connect"});
        assert_eq!(ended(arrived(builder()), unanswered), Unproven);
    }

    #[test]
    fn a_migration_that_is_not_over_may_be_reported_yet() {
        let verdict = |status: &str, events: Value| {
            let plan = json!({"data": {"migration_id": "m-1", "status": status}});
            let plan = Exchange::to_target("alice").on("POST", "migrations").answered_with(202, plan);
            let beat = by_alice(&is_in("br-south", "BR"), &is_in("eu", "DE"));
            let builder = listed(TraceBuilder::new().call("beat", beat), "b", &json!([])).call("m", plan);
            listed(builder, "a", &events).verdict::<CrossingIsReported>(arguments())
        };
        let reported = || json!([{"kind": "migration.cross_residency_boundary"}]);
        assert_eq!([verdict("completed", json!([])), verdict("completed", reported())], [Broken, Kept]);
        assert_eq!([verdict("applying", json!([])), verdict("applying", reported())], [Unproven, Kept]);
        assert_eq!(verdict("failed", json!([])), Unproven);
    }

    #[test]
    fn a_received_plan_that_was_not_applied_crosses_nothing() {
        let received = |status: u16, state: &str| {
            let plan = Exchange::to_target("alice").on("POST", "migrations").sending(json!({}));
            let answer = json!({"data": {"migration_id": "m-1", "status": state}});
            let builder = TraceBuilder::new()
                .call("beat", by_alice(&is_in("br-south", "BR"), &is_in("eu", "DE")))
                .operation("b", "event.list", json!({"events": []}))
                .call("m", plan.answered_with(status, answer));
            listed(builder, "a", &json!([])).verdict::<CrossingIsReported>(arguments())
        };
        assert_eq!(received(201, "completed"), Broken);
        assert_eq!(received(200, "failed"), Unproven);
        assert_eq!(received(202, "validating"), Unproven, "its end is to come");
        assert_eq!(received(503, "completed"), Unproven);
    }

    #[test]
    fn a_crossing_that_no_event_mentions_is_broken() {
        let reported = |of_target: &Value, events: Value| {
            let builder = TraceBuilder::new().call("beat", by_alice(&is_in("br-south", "BR"), of_target));
            migrated(builder, &events).verdict::<CrossingIsReported>(arguments())
        };
        let eu = is_in("eu", "DE");
        assert_eq!(reported(&eu, json!([{"kind": "migration.cross_residency_boundary"}])), Kept);
        assert_eq!(reported(&eu, json!([{"kind": "moved", "payload": {"from": "br-south"}}])), Kept);
        assert_eq!(
            reported(&eu, json!([{"kind": "moved", "payload": {"text": "it went to BR today"}}])),
            Kept
        );
        assert_eq!(reported(&eu, json!([{"kind": "migration.completed"}])), Broken);
        let none = json!({"cross_jurisdiction": null, "via": "a bridge"});
        assert_eq!(reported(&eu, json!([{"kind": "migration.completed", "payload": none}])), Broken);
        assert_eq!(reported(&is_in("br-south", "BR"), json!([])), Unproven);
        assert_eq!(reported(&json!({}), json!([])), Unproven);
        assert_eq!(TraceBuilder::new().verdict::<CrossingIsReported>(arguments()), Unproven);
    }

    /// Returns the verdict on this event, if `common` was raised about a migration with bob, who is at this
    /// location.
    fn raised(common: &Value, event: &Value, bob_is_in: &Value) -> Verdict {
        let eu = is_in("eu", "DE");
        let builder = TraceBuilder::new()
            .call("beat", by_alice(&is_in("br-south", "BR"), &eu))
            .call("beat", exchange("bob", Direction::ToTarget, bob_is_in, &eu));
        let builder = listed(builder, "u", &json!([]));
        let builder = listed(builder, "b", &json!([common]));
        let builder = sent(arrived(builder), json!({"migration_id": "m-1"}));
        let mut with = arguments();
        with["baseline"] = json!("u");
        with["same_residency"] = json!("bob");
        listed(builder, "a", &json!([common, event])).verdict::<CrossingIsReported>(with)
    }

    #[test]
    fn a_mention_in_the_events_of_any_migration_does_not_count() {
        let done = |peer: &str, more: &Value| json!({"kind": "migration.completed", "peer": {"data_residency": peer}, "cross_jurisdiction": more});
        let eu = is_in("eu", "DE");
        let common = done("eu", &Value::Null);
        assert_eq!(raised(&common, &done("br-south", &Value::Null), &eu), Broken);
        assert_eq!(raised(&common, &done("br-south", &json!(true)), &eu), Kept);
        assert_eq!(raised(&common, &json!({"kind": "moved", "to": "br-south"}), &eu), Kept);
        let both =
            json!({"kind": "migration.completed", "peer": {"data_residency": "br-south"}, "own": "eu"});
        assert_eq!(raised(&common, &both, &eu), Kept);
        // An event that is raised about this migration only, in words of the target's own.
        assert_eq!(raised(&common, &json!({"kind": "geo.moved", "migration": "m-1"}), &eu), Unproven);
        assert_eq!(raised(&common, &json!({"kind": "migration.completed", "migration": "m-1"}), &eu), Broken);
        assert_eq!(raised(&common, &json!({"kind": "geo.moved", "migration": "m-2"}), &eu), Broken);
        // A control at another location does not show the common mentions.
        assert_eq!(raised(&common, &done("br-south", &Value::Null), &is_in("us", "US")), Kept);
    }

    #[test]
    fn an_event_of_its_own_kind_reports_the_crossing_where_the_record_alone_states_the_place() {
        let verdict = |common: Value, event: Value, to: Value| {
            let migrated = by_alice(&json!({}), &json!({"migration_id": "m1", "status": "completed"}));
            let record = json!({"metadata": {"cross_jurisdiction": {"from": "br-south", "to": to}}});
            let builder = listed(listed(TraceBuilder::new(), "u", &json!([])), "b", &json!([common]));
            let mut with = arguments();
            with["baseline"] = json!("u");
            listed(builder.call("m", migrated), "a", &json!([common, event]))
                .operation_with("s", "migration.show", json!({"migration_id": "m1"}), record)
                .verdict::<CrossingIsReported>(with)
        };
        let done = || json!({"kind": "migration.completed"});
        let crossing = || json!({"kind": "migration.cross_residency_boundary", "from": "br-south"});
        assert_eq!(verdict(done(), crossing(), json!("EU")), Kept);
        assert_eq!(verdict(crossing(), crossing(), json!("EU")), Unproven, "bob's migration has one too");
        assert_eq!(verdict(done(), json!({"kind": "other"}), json!("EU")), Unproven);
        assert_eq!(verdict(done(), crossing(), Value::Null), Unproven);
    }

    #[test]
    fn a_heartbeat_of_the_target_counts_as_much_as_its_answer() {
        let br = is_in("br-south", "BR");
        let builder =
            TraceBuilder::new().call("beat", by_target(&br)).call("beat", by_alice(&br, &json!({})));
        assert_eq!(migrated(builder, &json!([])).verdict::<CrossingIsReported>(arguments()), Unproven);
    }
}
