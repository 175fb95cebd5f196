//! `residency-declared`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::crossing_mentions::has_content;
use crate::check::arguments::PeerName;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, is_echo, sent_to, silence_of_heartbeats};
use crate::check::text::is_blank;
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The target declares in its heartbeats, or in its answers to them, where it keeps data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ResidencyDeclared {
    /// The peer that exchanges heartbeats with the target.
    pub peer: PeerName,
    /// A second peer, which keeps its data elsewhere: a target that repeats to each peer the residency of that peer declares none.
    pub other_peer: Option<PeerName>,
}

impl Check for ResidencyDeclared {
    const ID: &'static str = "residency-declared";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["data_residency in the target's heartbeat, or in its answer to one"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let bodies: Vec<(u64, Value)> = sent_to(trace, &self.peer).collect();
        let declared = bodies.iter().filter_map(|(n, body)| Some((*n, residency(body)?)));
        let (echoed, declared): (Vec<_>, Vec<_>) =
            declared.partition(|(_, residency)| self.is_echo(trace, residency));
        if let Some((n, declared)) = declared.first() {
            return Ok(Pass::new(format!("data_residency is {declared:?}"), [*n]));
        }
        let evidence = bodies.iter().map(|(n, _)| *n);
        let others = bodies.iter().filter(|(n, _)| echoed.iter().all(|(echo, _)| echo != n));
        if let Some(name) = others.clone().find_map(|(_, body)| unknown_form(body)) {
            return Err(Stop::unproven(format!("it has {name}, a form that is not known"), evidence));
        }
        let mut sent = calls(trace).of(&self.peer).made_by_target().on(Route::Heartbeat);
        if sent.next().is_none() {
            return Err(silence_of_heartbeats(trace, &self.peer, "data_residency in an answer"));
        }
        if let Some((n, echo)) = echoed.first() {
            let actual = format!(
                "data_residency is {echo:?}: the target repeats to each peer the peer's own residency"
            );
            return Err(Stop::broken(actual, [*n]));
        }
        let actual = format!("{} heartbeats and answers, none with it", bodies.len());
        Err(Stop::broken(actual, evidence))
    }
}

impl ResidencyDeclared {
    /// Returns whether the target repeats to each of two peers the residency of that peer.
    fn is_echo(&self, trace: &Trace, declared: &str) -> bool {
        let of = |body: &Value| residency(body).map(Value::from);
        let is_echo = |other: &PeerName| is_echo(trace, [&self.peer, other], &Value::from(declared), &of);
        self.other_peer.as_ref().is_some_and(is_echo)
    }
}

/// Returns the residency that a body declares, unless it is blank.
pub(super) fn residency(body: &Value) -> Option<&str> {
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
    use crate::check::c08::residency_traces::{by_alice, by_target, exchange};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Direction;
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
    #[test]
    fn a_target_that_repeats_the_residency_of_each_peer_declares_none() {
        let verdict = |answers: [&str; 2], sent: [Option<&str>; 2], other: bool| {
            let mut builder = TraceBuilder::new();
            let peers = ["alice", "bob"].into_iter().zip(["eu", "br"]).zip(answers.into_iter().zip(sent));
            for ((peer, own), (answered, sent)) in peers {
                let of = |residency: &str| json!({"data_residency": residency});
                builder = builder.call("", exchange(peer, Direction::ToTarget, &of(own), &of(answered)));
                let sent = sent.map_or(json!({}), of);
                builder = builder.call("", exchange(peer, Direction::FromTarget, &sent, &json!({})));
            }
            let other = other.then_some("bob");
            builder.verdict::<ResidencyDeclared>(json!({"peer": "alice", "other_peer": other}))
        };
        assert_eq!(verdict(["eu", "br"], [None, None], true), Broken);
        assert_eq!(verdict(["eu", "br"], [Some("eu"), Some("br")], true), Broken);
        assert_eq!(verdict(["eu", "br"], [None, None], false), Kept);
        assert_eq!(
            verdict(["eu", "br"], [Some("us"), Some("us")], true),
            Kept,
            "it answers with the peer's row"
        );
        assert_eq!(verdict(["eu", "eu"], [None, None], true), Kept, "it is where alice is");
    }
}
