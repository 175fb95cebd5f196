//! `release-is-current`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::Outcome;
use crate::check::query::Restated;
use covenant_model::transcript::Trace;

/// The target discloses the release that its operator set, and no longer the one before alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ReleaseIsCurrent {
    /// The peer that exchanges heartbeats with the target before and after the change.
    pub peer: PeerName,
    /// The operator's change of the release.
    pub change: Label,
}

impl Check for ReleaseIsCurrent {
    const ID: &'static str = "release-is-current";
    const EXPECTED: &'static [&'static str] = &["platform_version as the operator set it, in any place"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let restated = Restated {
            peer: &self.peer,
            change: &self.change,
            parameter: "version",
            member: "platform_version",
            read: releases,
            is_same: |one, other| one == other,
        };
        restated.evaluate(trace)
    }
}

/// Returns the releases in a body, in `metadata` and beside it.
fn releases(body: &Value) -> Vec<String> {
    let places = [&body["metadata"]["platform_version"], &body["platform_version"]];
    places.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a target that discloses these releases before the operator set 1.4.1, and six minutes after it.
    fn verdict(before: &Value, after: &[Value]) -> Verdict {
        let beat = |body: &Value| {
            let exchange = Exchange::from_target("alice").on("POST", "heartbeat");
            exchange.sending(body.clone()).answered(200)
        };
        let builder = TraceBuilder::new()
            .call_from_target(beat(before))
            .operation_with("change", "release.set", json!({"version": "1.4.1"}), json!({}))
            .pass(360);
        after
            .iter()
            .fold(builder, |builder, body| builder.call_from_target(beat(body)))
            .verdict::<ReleaseIsCurrent>(json!({"peer": "alice", "change": "change"}))
    }

    #[test]
    fn a_release_that_stays_the_former_one_everywhere_is_broken() {
        let of = |release: &str| json!({"platform_version": release});
        let within = |release: &str| json!({"metadata": {"platform_version": release}});
        assert_eq!(verdict(&of("1.4.0"), &[of("1.4.0")]), Broken);
        assert_eq!(verdict(&of("1.4.0"), &[of("1.4.0"), within("1.4.1")]), Kept, "in one place only");
        assert_eq!(verdict(&of("1.4.0"), &[within("1.4.1"), of("1.4.0")]), Unproven, "not at last");
        assert_eq!(verdict(&of("1.4.0"), &[of("1.4.2")]), Unproven, "another release");
        assert_eq!(verdict(&of("1.4.1"), &[of("1.4.1")]), Unproven, "it was there");
        assert_eq!(verdict(&of("1.4.0"), &[]), Unproven);
        assert_eq!(verdict(&json!({}), &[of("1.4.0")]), Unproven);
    }

    #[test]
    fn an_answer_with_the_release_of_the_peer_discloses_nothing() {
        let beat = |answered: &str| {
            let exchange = Exchange::to_target("alice").on("POST", "heartbeat");
            let exchange = exchange.sending(json!({"platform_version": "1.4.0"}));
            exchange.answered_with(200, json!({"data": {"platform_version": answered}}))
        };
        let verdict = |before: &str, after: &str, seconds: i64| {
            TraceBuilder::new()
                .call("", beat(before))
                .operation_with("change", "release.set", json!({"version": "1.4.1"}), json!({}))
                .pass(seconds)
                .call("", beat(after))
                .verdict::<ReleaseIsCurrent>(json!({"peer": "alice", "change": "change"}))
        };
        assert_eq!(verdict("1.4.0", "1.4.0", 360), Unproven);
        assert_eq!(verdict("1.3.9", "1.3.9", 360), Broken);
        assert_eq!(verdict("1.3.9", "1.3.9", 300), Unproven, "too early");
        assert_eq!(verdict("1.3.9", "1.4.1", 0), Kept);
    }
}
