//! `residency-is-current`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::residency_declared::residency;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

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
        let (changed, change) = trace.operation(&self.change).or_unproven("the residency was not changed")?;
        let to = change.parameters["residency"].as_str().unwrap_or_default();
        let declared = self.declared(trace);
        // A notice of the change, with the new residency beside it, may come before the operator's call returns.
        let before = declared.first().filter(|declared| declared.n < changed);
        let before = before.or_unproven("it declared no residency before the change")?;
        let after = declared.last().filter(|declared| declared.n > changed);
        let after = after.or_unproven("it declared no residency after the change")?;
        let evidence = [before.n, changed, after.n];
        let actual =
            format!("data_residency is {:?}, before the change {:?}", after.residency, before.residency);
        if is_same(&before.residency, to) {
            return Err(Stop::unproven(format!("{actual}: it was there already"), evidence));
        }
        if is_same(&after.residency, to) {
            return Ok(Pass::new(actual, evidence));
        }
        if before.residency != after.residency {
            return Err(Stop::unproven(format!("{actual}: another spelling, or another place"), evidence));
        }
        if self.announces_later(trace, changed, after.at) {
            return Err(Stop::unproven(format!("{actual}: the move is announced for later"), evidence));
        }
        Err(Stop::broken(format!("{actual}, and the operator set {to:?}"), evidence))
    }
}

/// A residency that the target declared.
struct Declared {
    n: u64,
    at: Timestamp,
    residency: String,
}

impl ResidencyIsCurrent {
    /// Returns what the target declared in its accepts and heartbeats and in its answers to the peer's, in order, without what it
    /// repeated.
    fn declared(&self, trace: &Trace) -> Vec<Declared> {
        let introductions = || {
            calls(trace)
                .of(&self.peer)
                .filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)))
        };
        let of_peer: Vec<String> = introductions()
            .filter(|call| call.exchange.direction == Direction::ToTarget)
            .filter_map(|call| Some(residency(call.exchange.sent()?)?.to_owned()))
            .collect();
        introductions()
            .filter_map(|call| {
                let residency = residency(&message_body(&call)?)?.to_owned();
                let is_repeated = of_peer.iter().any(|own| is_same(own, &residency));
                (!is_repeated).then(|| Declared { n: call.n(), at: call.at(), residency })
            })
            .collect()
    }

    /// Returns whether the target announced since the change that it moves after this time.
    fn announces_later(&self, trace: &Trace, since: u64, at: Timestamp) -> bool {
        let own = calls(trace).of(&self.peer).made_by_target().filter(|call| call.n() > since);
        let events = own.filter_map(|call| call.exchange.sent()?["events"].as_array().cloned()).flatten();
        let mut moves = events.filter(|event| event["kind"] == kind::RESIDENCY_CHANGED);
        moves.any(|event| {
            let effective = event["payload"]["effective_at"].as_str().map(str::parse::<Timestamp>);
            effective.is_some_and(|effective| effective.is_ok_and(|effective| effective > at))
        })
    }
}

fn message_body(call: &Call<'_>) -> Option<Value> {
    match call.exchange.direction {
        Direction::FromTarget => call.exchange.sent().cloned(),
        Direction::ToTarget => call.exchange.data(),
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
    use serde_json::json;

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
        let builder = builder.entry("change", What::Operation(change));
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
        assert_eq!(verdict(&["br-south"], &[of("br-south")]), Unproven, "it repeats what the peer says");
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
