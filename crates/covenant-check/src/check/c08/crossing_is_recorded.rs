//! `crossing-is-recorded`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::crossing::{Crossing, has_crossing, shows_metadata};
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::migration_shown;
use covenant_model::transcript::Trace;

/// The record of a migration that crosses has `cross_jurisdiction`, with the right ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CrossingIsRecorded {
    /// The migration that crosses.
    pub migration: Label,
    /// The snapshots of the record of the migration, by the peer or by the operator.
    pub snapshot: Labels,
    /// The peer of the migration.
    pub peer: PeerName,
    /// Where the peer keeps its data: its residency and its jurisdiction.
    pub locations: Vec<String>,
}

impl Check for CrossingIsRecorded {
    const ID: &'static str = "crossing-is-recorded";
    const EXPECTED: &'static [&'static str] =
        &["metadata.cross_jurisdiction {from, to} in the migration's record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let migration = Crossing::read(trace, &self.migration, &self.peer, &self.locations)?;
        let shown = self.snapshot.iter().filter_map(|label| migration_shown(trace, label));
        let shown: Vec<(u64, Value)> = shown.collect();
        if shown.is_empty() {
            return Err(Stop::unproven("its record could not be read", [migration.n]));
        }
        let with_metadata = || shown.iter().filter(|(_, record)| shows_metadata(record));
        if with_metadata().next().is_none() {
            return Err(Stop::unproven("its record shows no metadata, or no end of it", [migration.n]));
        }
        // What one view leaves out may be in the other: a target need not show all of its record to the peer.
        let is_stated = with_metadata().any(|(_, record)| has_crossing(record));
        let evaluated = with_metadata().filter(|(_, record)| !is_stated || has_crossing(record));
        let outcomes: Vec<Outcome> = evaluated
            .map(|(n, record)| migration.check_record(record, &self.locations, [migration.n, *n]))
            .collect();
        let stops: Vec<&Stop> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        let broken = stops.iter().find(|stop| matches!(stop, Stop::Broken(_)));
        if let Some(worst) = broken.or(stops.first()) {
            return Err((*worst).clone());
        }
        let evidence = [migration.n].into_iter().chain(shown.iter().map(|(n, _)| *n));
        Ok(Pass::new("cross_jurisdiction is there", evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c08::residency_traces::{by_alice, is_in};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn a_record_without_the_crossing_or_with_exchanged_ends_is_broken() {
        let shown = |crossing: &Value, is_inbound: bool| {
            let beat = by_alice(&is_in("br-south", "BR"), &is_in("eu", "DE"));
            let builder = TraceBuilder::new().call("beat", beat);
            let builder = if is_inbound {
                builder.call("m", by_alice(&json!({}), &json!({})))
            } else {
                let plan = Exchange::from_target("alice").on("POST", "migrations");
                let asked = json!({"root_resource_id": "r"});
                let plan = plan.sending(asked.clone()).answered_with(201, json!({}));
                builder.call_from_target(plan).operation_with("m", "migration.send", asked, json!({}))
            };
            let record = json!({"metadata": {"cross_jurisdiction": crossing}});
            let with = json!({
                "peer": "alice", "migration": "m", "snapshot": "s", "locations": ["br-south", "BR"],
            });
            builder.operation("s", "migration.show", record).verdict::<CrossingIsRecorded>(with)
        };
        for (from, to, inbound, outbound) in [
            ("BR-South", "eu", Kept, Broken),
            ("BR", "DE", Kept, Broken),
            ("eu", "br-south", Broken, Kept),
            ("eu", "Brasil", Unproven, Unproven),
            ("br-south", "br-south", Broken, Broken),
            ("BR", "br-south", Broken, Broken),
            ("DE", "eu", Broken, Broken),
        ] {
            let crossing = json!({"from": from, "to": to});
            assert_eq!((shown(&crossing, true), shown(&crossing, false)), (inbound, outbound), "{crossing}");
        }
        assert_eq!(shown(&json!(true), true), Kept);
        let denied = json!({"crossed": false, "from": "br-south", "to": "eu"});
        for none in [json!(false), json!(""), json!("none"), json!([]), json!({}), denied] {
            assert_eq!(shown(&none, true), Broken, "{none}");
        }
        assert_eq!(shown(&Value::Null, true), Broken);
        let with_more = json!({"from": "br-south", "to": "eu", "same_jurisdiction": false});
        assert_eq!(shown(&with_more, true), Kept);
    }

    #[test]
    fn a_target_that_states_no_residency_states_its_place_in_the_record() {
        let verdict = |from: &str, to: Option<&str>| {
            let migrated = by_alice(&json!({}), &json!({"migration_id": "m1", "status": "completed"}));
            let record = json!({"metadata": {"cross_jurisdiction": {"from": from, "to": to}}});
            TraceBuilder::new()
                .call("m", migrated)
                .operation_with("s", "migration.show", json!({"migration_id": "m1"}), record)
                .verdict::<CrossingIsRecorded>(json!({
                    "peer": "alice", "migration": "m", "snapshot": "s", "locations": ["br-south", "BR"],
                }))
        };
        assert_eq!(verdict("br-south", Some("EU")), Kept);
        for (from, to) in
            [("br-south", None), ("br-south", Some(" ")), ("br-south", Some("BR")), ("EU", Some("br-south"))]
        {
            assert_eq!(verdict(from, to), Unproven, "{from} {to:?}");
        }
    }

    #[test]
    fn what_the_peer_is_not_shown_may_be_in_the_record_of_the_operator() {
        let verdict = |to_peer: Value, to_operator: Value| {
            let record = |crossing: Value| json!({"status": "completed", "metadata": crossing});
            let shown = Exchange::to_target("alice").on("GET", "migrations/m");
            TraceBuilder::new()
                .call("beat", by_alice(&is_in("br-south", "BR"), &is_in("eu", "DE")))
                .call("m", by_alice(&json!({}), &json!({})))
                .call("shown", shown.answered_with(200, json!({"data": record(to_peer)})))
                .operation("listed", "migration.show", record(to_operator))
                .verdict::<CrossingIsRecorded>(json!({
                    "peer": "alice", "migration": "m", "snapshot": ["shown", "listed"],
                    "locations": ["br-south", "BR"],
                }))
        };
        let between = |from: &str, to: &str| json!({"cross_jurisdiction": {"from": from, "to": to}});
        let right = || between("br-south", "eu");
        let wrong = || between("eu", "br-south");
        for absent in [json!({}), json!({"cross_jurisdiction": null})] {
            assert_eq!(verdict(absent.clone(), right()), Kept);
            assert_eq!(verdict(right(), absent.clone()), Kept);
            assert_eq!(verdict(absent.clone(), wrong()), Broken);
            assert_eq!(verdict(absent.clone(), absent), Broken);
        }
        assert_eq!([verdict(right(), wrong()), verdict(wrong(), right())], [Broken; 2]);
        assert_eq!(verdict(json!({"cross_jurisdiction": false}), right()), Broken, "it denies the crossing");
    }
}
