//! `residency-declared`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::crossing_mentions::has_content;
use crate::check::arguments::PeerName;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, silence_of_heartbeats};
use crate::check::text::is_blank;
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// The target declares in its heartbeats, or in its answers to them, where it keeps data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ResidencyDeclared {
    /// The peer that exchanges heartbeats with the target.
    pub peer: PeerName,
}

impl Check for ResidencyDeclared {
    const ID: &'static str = "residency-declared";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["data_residency in the target's heartbeat, or in its answer to one"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let reporting = calls(trace)
            .of(&self.peer)
            .filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)));
        let bodies: Vec<(u64, Value)> = reporting
            .filter_map(|call| match call.exchange.direction {
                Direction::FromTarget => Some((call.n(), call.exchange.sent()?.clone())),
                Direction::ToTarget => Some((call.n(), call.exchange.data()?)),
            })
            .collect();
        if let Some((n, declared)) = bodies.iter().find_map(|(n, body)| Some((*n, residency(body)?))) {
            return Ok(Pass::new(format!("data_residency is {declared:?}"), [n]));
        }
        let evidence = bodies.iter().map(|(n, _)| *n);
        if let Some(name) = bodies.iter().find_map(|(_, body)| unknown_form(body)) {
            return Err(Stop::unproven(format!("it has {name}, a form that is not known"), evidence));
        }
        let mut sent = calls(trace).of(&self.peer).made_by_target().on(Route::Heartbeat);
        if sent.next().is_none() {
            return Err(silence_of_heartbeats(trace, &self.peer, "data_residency in an answer"));
        }
        let actual = format!("{} heartbeats and answers, none with it", bodies.len());
        Err(Stop::broken(actual, evidence))
    }
}

/// Returns the residency that a body declares, unless it is blank.
fn residency(body: &Value) -> Option<&str> {
    let members = [&body["data_residency"], &body["metadata"]["data_residency"]];
    members.into_iter().filter_map(Value::as_str).find(|residency| !is_blank(residency))
}

/// Returns a member that may declare the residency in a form of the target's own.
fn unknown_form(body: &Value) -> Option<&str> {
    let members = [body, &body["metadata"]].into_iter().filter_map(Value::as_object).flatten();
    let mut declaring = members.filter(|(name, member)| {
        let name = name.to_lowercase();
        ["residen", "region"].iter().any(|word| name.contains(word)) && has_content(member)
    });
    declaring.next().map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c08::residency_traces::{by_alice, by_target};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    fn verdict(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<ResidencyDeclared>(json!({"peer": "alice"}))
    }

    #[test]
    fn a_heartbeat_without_a_residency_is_broken() {
        for (sent, expected) in [
            (json!({"data_residency": "eu"}), Kept),
            (json!({"metadata": {"data_residency": "eu"}}), Kept),
            (json!({"data_residency": "  "}), Broken),
            (json!({"data_residency": {"region": "eu"}}), Unproven),
            (json!({"metadata": {"residency": "eu"}}), Unproven),
            (json!({}), Broken),
        ] {
            let builder = TraceBuilder::new().call("beat", by_target(&sent));
            assert_eq!(verdict(&builder), expected, "{sent}");
        }
        assert_eq!(verdict(&TraceBuilder::new()), Unproven);
        // A residency that is in an answer alone counts as well.
        let builder = TraceBuilder::new()
            .call("beat", by_target(&json!({})))
            .call("beat", by_alice(&json!({}), &json!({"data_residency": "eu"})));
        assert_eq!(verdict(&builder), Kept);
    }
}
