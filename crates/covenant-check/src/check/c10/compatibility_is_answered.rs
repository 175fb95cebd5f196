//! `compatibility-is-answered`.

use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use super::handshake::{is_compatible, version_in};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The answer to a peer's heartbeat says rightly whether the version that the heartbeat states and the target's
/// are compatible.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CompatibilityIsAnswered {
    /// The heartbeats that state the version.
    pub call: Label,
    /// `true` if the version is compatible with that of the target. If it is not as expected, for instance because
    /// the target has no release two minor versions before its own, the check is unproven.
    pub compatible: bool,
}

impl Check for CompatibilityIsAnswered {
    const ID: &'static str = "compatibility-is-answered";
    const EXPECTED: &'static [&'static str] = &["the right schema_compatibility in the answer"];
    const TAKES_PLACED: bool = true;

    fn expected(&self) -> Vec<String> {
        vec![format!("schema_compatibility with the status {}", status(self.compatible))]
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let heartbeats: Vec<Call<'_>> = calls(trace).labelled(&self.call).collect();
        let numbers: Vec<u64> = heartbeats.iter().map(Call::n).collect();
        let accepted = heartbeats.iter().filter(|call| call.exchange.succeeded());
        let mut answers = accepted.filter_map(|call| Answer::read(trace, call)).peekable();
        if answers.peek().is_none() {
            if let Some(pass) = self.refusal(trace, &heartbeats) {
                return Ok(pass);
            }
            let actual = "no heartbeat was answered with the compatibility and the version of the target";
            return Err(Stop::unproven(actual, numbers));
        }
        let mut last = None;
        for answer in answers {
            self.evaluate_one(&answer)?;
            last = Some(answer.versions());
        }
        let versions = last.or_unproven_at("no heartbeat was answered", &numbers)?;
        Ok(Pass::new(format!("{versions}: {}", status(self.compatible)), numbers))
    }
}

impl CompatibilityIsAnswered {
    /// Returns the pass where the target refused each heartbeat with the version, and took the one before of the same peer: it
    /// may refuse an incompatible peer (reading 75), and may refuse a peer from then on that was refused once.
    fn refusal(&self, trace: &Trace, heartbeats: &[Call<'_>]) -> Option<Pass> {
        if self.compatible {
            return None;
        }
        let last = heartbeats.last()?;
        let own = trace.release()?.to_string();
        let is_refused = |call: &Call<'_>| {
            let sent = call.exchange.sent().and_then(version_in);
            let is_incompatible = sent.is_some_and(|sent| !is_compatible(&own, sent));
            is_incompatible && call_outcome(call.exchange) == CallOutcome::Refused
        };
        let first = heartbeats.first()?.n();
        let mut own_before =
            calls(trace).of(&last.exchange.peer).made_by_peer().on(Route::Heartbeat).before(first);
        let taken = own_before.next_back().filter(|before| before.exchange.succeeded())?;
        let numbers = [taken.n()].into_iter().chain(heartbeats.iter().map(Call::n));
        heartbeats.iter().all(is_refused).then(|| Pass::new(last.summary(), numbers))
    }

    fn evaluate_one(&self, answer: &Answer) -> Result<(), Stop> {
        let (versions, evidence) = (answer.versions(), [answer.n]);
        if is_compatible(&answer.local, &answer.sent) != self.compatible {
            let expected = if self.compatible { "compatible" } else { "incompatible" };
            return Err(Stop::unproven(format!("{versions} are not {expected}"), evidence));
        }
        if answer.status == status(self.compatible) {
            return Ok(());
        }
        let actual = format!("{versions}: answered {:?}", answer.status);
        if answer.is_by_operator {
            return Err(Stop::unproven(format!("{actual}, by a row of the operator"), evidence));
        }
        if answer.is_about_another_version() {
            let about = answer.remote.as_deref().unwrap_or_default();
            let actual = format!("{actual}, about {about:?}, which is another version than the one sent");
            return Err(Stop::unproven(actual, evidence));
        }
        if answer.status == status(!self.compatible) {
            return Err(Stop::broken(actual, evidence).final_if(answer.states_release));
        }
        Err(Stop::unproven(actual, evidence))
    }
}

/// The status of a compatible or an incompatible version on the wire.
const fn status(is_compatible: bool) -> &'static str {
    if is_compatible { "compatible" } else { "incompatible" }
}

/// The version that a heartbeat states, and the comparison in the answer to it.
struct Answer {
    n: u64,
    /// The version in the heartbeat.
    sent: String,
    /// The release of the target.
    local: String,
    /// `true` if the answer itself states that release.
    states_release: bool,
    /// The version that the answer is about; `None` if it does not say.
    remote: Option<String>,
    status: String,
    /// `true` if a row of the operator, and not the rule, determined the status.
    is_by_operator: bool,
}

impl Answer {
    fn read(trace: &Trace, call: &Call<'_>) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let data = call.exchange.data()?;
        let compatibility = &data["schema_compatibility"];
        let stated = text(&compatibility["local_version"]);
        let states_release = stated.is_some();
        let local = stated.or_else(|| trace.release().map(|release| release.to_string()))?;
        // What a target that states no version is compatible with is commitment 1.
        Version::parse(&local).ok()?;
        Some(Self {
            n: call.n(),
            sent: version_in(call.exchange.sent()?)?.to_owned(),
            local,
            states_release,
            remote: text(&compatibility["remote_version"]),
            status: text(&compatibility["status"])?,
            is_by_operator: matches!(compatibility["source"].as_str(), Some("operator" | "default")),
        })
    }

    fn versions(&self) -> String {
        format!("{} and {:?}", self.local, self.sent)
    }

    /// Returns whether the target ignored a text that is no version, and kept the version that it knew.
    fn is_about_another_version(&self) -> bool {
        let is_version = |text: &str| Version::parse(text).is_ok();
        !is_version(&self.sent) && self.remote.as_deref().is_some_and(is_version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on this compatibility in the answer to a heartbeat that states this version.
    fn answered(sent: &str, compatibility: &Value, compatible: bool) -> Verdict {
        let heartbeat = Exchange::to_target("alice").on("POST", "heartbeat");
        let heartbeat = heartbeat
            .sending(json!({ "platform_version": sent }))
            .answered_with(200, json!({"data": {"status": "active", "schema_compatibility": compatibility}}));
        TraceBuilder::new()
            .call("beat", heartbeat)
            .verdict::<CompatibilityIsAnswered>(json!({"call": "beat", "compatible": compatible}))
    }

    fn implicit(status: &str) -> Value {
        json!({"status": status, "source": "implicit", "local_version": "1.4.0"})
    }

    #[test]
    fn the_wrong_status_is_broken() {
        for sent in ["1.6.0", "2.4.0", "v1.4.0", "1.4", "latest"] {
            assert_eq!(answered(sent, &implicit("incompatible"), false), Kept, "{sent}");
            assert_eq!(answered(sent, &implicit("compatible"), false), Broken, "{sent}");
            assert_eq!(answered(sent, &implicit("degraded"), false), Unproven, "{sent}");
        }
        assert_eq!(answered("1.5.0", &implicit("compatible"), true), Kept);
        assert_eq!(answered("1.5.0", &implicit("incompatible"), true), Broken);
    }

    #[test]
    fn a_row_of_the_operator_or_another_expectation_is_unproven() {
        let by = |source: &str| json!({"status": "compatible", "source": source, "local_version": "1.4.0"});
        assert_eq!(answered("1.6.0", &by("operator"), false), Unproven);
        assert_eq!(answered("1.6.0", &by("default"), false), Unproven);
        assert_eq!(answered("1.5.0", &implicit("compatible"), false), Unproven);
        assert_eq!(
            answered("1.6.0", &json!({"status": "compatible"}), false),
            Unproven,
            "no release is known"
        );
        assert_eq!(answered("1.6.0", &Value::Null, false), Unproven);
    }

    #[test]
    fn a_refused_heartbeat_beside_one_that_was_taken_is_right() {
        let beat = |version: &str| {
            let heartbeat = Exchange::to_target("alice").on("POST", "heartbeat");
            heartbeat.sending(json!({ "platform_version": version }))
        };
        let taken = beat("1.4.0").answered_with(200, json!({"data": {"platform_version": "1.4.0"}}));
        for (first, sent, status, expected) in [
            (Some(&taken), "1.6.0", 422, Kept),
            (Some(&taken), "1.6.0", 429, Unproven),
            (Some(&taken), "1.5.0", 422, Unproven),
            (None, "1.6.0", 422, Unproven),
            (Some(&beat("v1.4.0").answered(422)), "1.6.0", 422, Unproven),
        ] {
            // An earlier one that was taken says nothing of a peer that was refused since.
            let builder = TraceBuilder::new()
                .call("earlier", first.map_or(beat("1.4.0").answered(422), |_| taken.clone()));
            let builder = first.into_iter().fold(builder, |it, call| it.call("before", call.clone()));
            let verdict = builder
                .call("beat", beat(sent).answered_with(status, json!({"error": "no"})))
                .verdict::<CompatibilityIsAnswered>(json!({"call": "beat", "compatible": false}));
            assert_eq!(verdict, expected, "{sent} {status}");
        }
    }

    #[test]
    fn a_text_that_was_ignored_is_unproven_and_a_version_that_was_ignored_is_broken() {
        let kept = json!({"status": "compatible", "local_version": "1.4.0", "remote_version": "1.4.0"});
        assert_eq!(answered("latest", &kept, false), Unproven);
        assert_eq!(answered("1.6.0", &kept, false), Broken);
    }
}
