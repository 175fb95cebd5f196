//! `release-is-current`.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, succeeded_operation};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// Time within which a target discloses the release that its operator set: a round of its timers, and a heartbeat.
const SHOWN_WITHIN: SignedDuration = SignedDuration::from_mins(6);

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
        let (changed, change) = succeeded_operation(trace, &self.change, "the release was not changed")?;
        let to = change.parameters["version"].as_str().unwrap_or_default();
        let at = trace.time_of(changed).or_unproven("the time of the change is not known")?;
        let disclosed = self.disclosed(trace);
        let before = disclosed.iter().rfind(|disclosed| disclosed.n < changed);
        let before = before.or_unproven("it disclosed no release before the change")?;
        if before.release == to {
            let actual = format!("platform_version was {to:?} before the change");
            return Err(Stop::unproven(actual, [before.n, changed]));
        }
        let mut after = disclosed.iter().filter(|disclosed| disclosed.n > changed);
        if let Some(current) = after.clone().find(|disclosed| disclosed.release == to) {
            let actual = format!("platform_version is {to:?}, before the change {:?}", before.release);
            return Ok(Pass::new(actual, [before.n, changed, current.n]));
        }
        if let Some(other) = after.clone().find(|disclosed| disclosed.release != before.release) {
            let actual = format!("platform_version is {:?}, and the operator set {to:?}", other.release);
            return Err(Stop::unproven(actual, [before.n, changed, other.n]));
        }
        let late = after.rfind(|disclosed| disclosed.at.duration_since(at) >= SHOWN_WITHIN);
        let late = late.or_unproven_at("it disclosed no release late enough after the change", &[changed])?;
        let actual = format!("platform_version is still {:?}, and the operator set {to:?}", late.release);
        Err(Stop::broken(actual, [before.n, changed, late.n]))
    }
}

/// A release that the target disclosed.
struct Disclosed {
    n: u64,
    at: Timestamp,
    release: String,
}

impl ReleaseIsCurrent {
    /// Returns what the target disclosed in its accepts and heartbeats, in either place, and in its answers to the peer's without
    /// what the peer itself sent: an answer may hold the peer's own row.
    fn disclosed(&self, trace: &Trace) -> Vec<Disclosed> {
        let introductions = || {
            calls(trace)
                .of(&self.peer)
                .filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)))
        };
        let of_peer: Vec<String> = introductions()
            .filter(|call| call.exchange.direction == Direction::ToTarget)
            .flat_map(|call| call.exchange.sent().map(releases).unwrap_or_default())
            .collect();
        let in_call = |call: &Call<'_>| match call.exchange.direction {
            Direction::FromTarget => call.exchange.sent().map(releases).unwrap_or_default(),
            Direction::ToTarget => {
                let mut answered = call.exchange.data().as_ref().map(releases).unwrap_or_default();
                answered.retain(|release| !of_peer.contains(release));
                answered
            }
        };
        introductions()
            .flat_map(|call| {
                let (n, at) = (call.n(), call.at());
                in_call(&call).into_iter().map(move |release| Disclosed { n, at, release })
            })
            .collect()
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
        assert_eq!(verdict(&of("1.4.0"), &[within("1.4.1"), of("1.4.0")]), Kept);
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
