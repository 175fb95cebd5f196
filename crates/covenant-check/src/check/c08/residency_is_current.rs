//! `residency-is-current`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::residency_declared::residency;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Stop};
use crate::check::query::{CallQuery, Restated, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::kind;

/// The target declares the residency that its operator set, and no longer the one before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ResidencyIsCurrent {
    /// The peer that exchanges heartbeats with the target before and after the change. It keeps its data elsewhere: what the target
    /// repeats of the peer's own residency counts for nothing.
    pub peer: PeerName,
    /// The operator's change of the residency.
    pub change: Label,
}

impl Check for ResidencyIsCurrent {
    const ID: &'static str = "residency-is-current";
    const EXPECTED: &'static [&'static str] = &["data_residency as the operator set it"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let restated = Restated {
            peer: &self.peer,
            change: &self.change,
            parameter: "residency",
            member: "data_residency",
            read: |body| residency(body).map(ToOwned::to_owned).into_iter().collect(),
            is_same,
        };
        match restated.evaluate(trace) {
            Err(stop @ Stop::Broken(_)) if self.announces_later(trace) => {
                Err(stop.into_unproven("the move is announced for later"))
            }
            outcome => outcome,
        }
    }
}

impl ResidencyIsCurrent {
    /// Returns whether the target announced to the peer that it moves after its last call.
    fn announces_later(&self, trace: &Trace) -> bool {
        let own = || calls(trace).of(&self.peer).made_by_target();
        let Some(last) = own().next_back().map(|call| call.at()) else { return false };
        let events = own().filter_map(|call| call.exchange.sent()?["events"].as_array().cloned()).flatten();
        let mut moves = events.filter(|event| event["kind"] == kind::RESIDENCY_CHANGED);
        moves.any(|event| {
            let effective = event["payload"]["effective_at"].as_str().map(str::parse::<Timestamp>);
            effective.is_some_and(|effective| effective.is_ok_and(|effective| effective > last))
        })
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c08::residency_traces::{by_alice, by_target};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Operation, What};
    use serde_json::{Value, json};

    fn verdict(before: &[&str], after: &[Value]) -> Verdict {
        let of = |residency: &str| json!({"data_residency": residency});
        let change = Operation {
            method: "residency.set".into(),
            parameters: json!({"residency": "ch-east"}),
            result: Some(json!({})),
            failure: None,
        };
        let builder = before.iter().fold(TraceBuilder::new(), |builder, residency| {
            builder.call("beat", by_alice(&of("br-south"), &of(residency)))
        });
        let builder = builder.entry("change", What::Operation(change)).pass(360);
        after
            .iter()
            .fold(builder, |builder, body| builder.call("beat", by_target(body)))
            .verdict::<ResidencyIsCurrent>(json!({"peer": "alice", "change": "change"}))
    }

    #[test]
    fn a_residency_that_stays_the_former_one_is_broken() {
        let of = |residency: &str| json!({"data_residency": residency});
        assert_eq!(verdict(&["eu"], &[of("eu")]), Broken);
        assert_eq!(verdict(&["eu"], &[of("eu"), of("CH-East")]), Kept);
        assert_eq!(verdict(&["eu"], &[of("Zug")]), Unproven, "another spelling");
        assert_eq!(verdict(&["eu"], &[]), Unproven);
        assert_eq!(verdict(&[], &[of("ch-east")]), Unproven);
        assert_eq!(verdict(&["ch-east"], &[of("ch-east")]), Unproven, "it was there");
        assert_eq!(verdict(&["br-south"], &[of("br-south")]), Unproven, "it repeats what the peer states");
        let event = |effective_at: &str| {
            json!({
                "data_residency": "eu",
                "events": [{"kind": "platform.residency.changed", "payload": {"effective_at": effective_at}}],
            })
        };
        assert_eq!(verdict(&["eu"], &[event("9999-01-01T00:00:00Z"), of("eu")]), Unproven, "later");
        assert_eq!(verdict(&["eu"], &[event("1970-01-01T00:00:00Z"), of("eu")]), Broken);
    }
}
