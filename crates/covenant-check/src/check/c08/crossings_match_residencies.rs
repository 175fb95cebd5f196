//! `crossings-match-residencies`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::crossing::{Crossing, Ends, INBOUND, OUTBOUND, claims_crossing, shows_metadata};
use super::locations::{has_unreported_move, last_locations};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// The record of each migration has `cross_jurisdiction` where the locations of the two sides differ, and
/// only there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CrossingsMatchResidencies {
    /// The peer of the migrations.
    pub peer: PeerName,
    /// The snapshots of the records, each after its migration.
    pub snapshot: Label,
}

impl Check for CrossingsMatchResidencies {
    const ID: &'static str = "crossings-match-residencies";
    const EXPECTED: &'static [&'static str] =
        &["cross_jurisdiction where the locations differ, and only there"];

    /// Evaluates the records by the last reports of both sides before each snapshot. A migration that crosses
    /// by residency and not by jurisdiction, or the reverse, may be recorded or not. If the target was moved
    /// after its last report, its location is unknown.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut evidence = vec![];
        for RecordSnapshot { n, record, ends } in record_snapshots(trace, &self.snapshot) {
            let Some(locations) = last_locations(trace, &self.peer, n) else { continue };
            if !shows_metadata(&record) || has_unreported_move(trace, &self.peer, n) {
                continue;
            }
            let is_recorded = claims_crossing(&record["metadata"]["cross_jurisdiction"]);
            let crosses = locations.peer.differs_from(&locations.target);
            let (of_peer, of_target) = (locations.peer.names(), locations.target.names());
            if crosses.is_some_and(|crosses| crosses != is_recorded) {
                let recorded = if is_recorded { "recorded" } else { "not recorded" };
                let (of_peer, of_target) = (of_peer.join(", "), of_target.join(", "));
                let (from, to) = if ends == INBOUND { (of_peer, of_target) } else { (of_target, of_peer) };
                return Err(Stop::broken(format!("from {from} to {to}: {recorded}"), [n]));
            }
            if crosses == Some(true) {
                let of_target = of_target.into_iter().map(ToOwned::to_owned).collect();
                let crossing =
                    Crossing { n, id: None, ends, of_target, is_from_record: false, is_completed: true };
                if let Err(stop @ Stop::Broken(_)) = crossing.check_record(&record, &of_peer, [n]) {
                    return Err(stop);
                }
            }
            evidence.push(n);
        }
        if evidence.is_empty() {
            let actual = "no record was shown of a migration between locations that are known";
            return Err(Stop::unproven(actual, []));
        }
        Ok(Pass::new(format!("{} records are right", evidence.len()), evidence))
    }
}

/// A snapshot of a migration's record.
struct RecordSnapshot {
    n: u64,
    record: Value,
    ends: Ends,
}

/// Returns the snapshots with this label: by the peer of its own migrations, and by the operator of those
/// that the target sent.
fn record_snapshots(trace: &Trace, label: &str) -> Vec<RecordSnapshot> {
    let snapshots = trace.labelled(label).filter_map(|entry| {
        let (data, ends) = match (entry.exchange(), entry.operation()) {
            (Some(exchange), _) => (exchange.data()?, INBOUND),
            (None, operation) => (operation?.result.clone()?, OUTBOUND),
        };
        let record = data.get("migration").cloned().unwrap_or(data);
        Some(RecordSnapshot { n: entry.n, record, ends })
    });
    snapshots.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c08::residency_traces::{by_alice, is_in};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Operation, What};
    use serde_json::json;

    fn verdict(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<CrossingsMatchResidencies>(json!({"peer": "alice", "snapshot": "s"}))
    }

    #[test]
    fn a_record_that_contradicts_both_locations_is_broken() {
        let shown_with = |of_peer: &Value, of_target: &Value, metadata: &Value| {
            let builder = TraceBuilder::new()
                .call("beat", by_alice(of_peer, of_target))
                .call("s", by_alice(&json!({}), &json!({ "metadata": metadata })));
            verdict(&builder)
        };
        let shown = |of_peer: &Value, of_target: &Value, is_recorded: bool| {
            let crossing = is_recorded.then(|| json!({"from": "x", "to": "y"}));
            shown_with(of_peer, of_target, &json!({ "cross_jurisdiction": crossing }))
        };
        let (eu, br) = (is_in("eu", "DE"), is_in("br-south", "BR"));
        assert_eq!((shown(&br, &eu, true), shown(&br, &eu, false)), (Kept, Broken));
        assert_eq!((shown(&eu, &eu, true), shown(&is_in("EU", "de"), &eu, false)), (Broken, Kept));
        // By residency it crosses, by jurisdiction it does not.
        let ch = is_in("ch-east", "DE");
        assert_eq!((shown(&ch, &eu, true), shown(&ch, &eu, false)), (Kept, Kept));
        let between = |from: &str, to: &str| json!({"cross_jurisdiction": {"from": from, "to": to}});
        assert_eq!(shown_with(&br, &eu, &between("br-south", "eu")), Kept);
        assert_eq!(shown_with(&br, &eu, &between("eu", "br-south")), Broken);
        assert_eq!(shown_with(&br, &eu, &between("br-south", "br-south")), Broken);
        // Two identical ends claim no crossing; a record without metadata shows nothing.
        assert_eq!(shown_with(&eu, &eu, &between("eu", "EU")), Kept);
        assert_eq!(shown_with(&br, &eu, &Value::Null), Unproven);
        assert_eq!(verdict(&TraceBuilder::new()), Unproven);
    }

    #[test]
    fn the_location_of_the_target_is_unknown_after_an_unreported_move() {
        let shown = |reported_again: &Value| {
            let moved = Operation {
                method: "residency.set".into(),
                parameters: json!({"residency": "ch-east"}),
                result: Some(json!({})),
                failure: None,
            };
            let builder = TraceBuilder::new()
                .call("beat", by_alice(&is_in("ch-east", "CH"), &is_in("eu", "FR")))
                .unlabelled(What::Operation(moved))
                .call("beat", by_alice(&is_in("ch-east", "CH"), reported_again))
                .call("s", by_alice(&json!({}), &json!({"metadata": {}})));
            verdict(&builder)
        };
        assert_eq!(shown(&json!({})), Unproven);
        assert_eq!(shown(&json!({"metadata": {"jurisdiction": "FR"}})), Unproven);
        assert_eq!(shown(&is_in("ch-east", "CH")), Kept);
        assert_eq!(shown(&is_in("br-south", "BR")), Broken);
    }

    #[test]
    fn a_record_that_the_target_sent_crosses_in_the_other_direction() {
        let sent = |from: &str, to: &str| {
            let record = json!({"metadata": {"cross_jurisdiction": {"from": from, "to": to}}});
            let builder = TraceBuilder::new()
                .call("beat", by_alice(&is_in("br-south", "BR"), &is_in("eu", "DE")))
                .operation("s", "migration.show", json!({ "migration": record }));
            verdict(&builder)
        };
        assert_eq!(sent("eu", "br-south"), Kept);
        assert_eq!(sent("br-south", "eu"), Broken);
    }
}
