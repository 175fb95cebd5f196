//! `acknowledgement-kept`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::agreed::{accept, reported, snapshot};
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::versioning::agreement::{is_unacknowledged, is_version_asked_for, number, on_record};
use covenant_model::transcript::Trace;
use covenant_model::wire::state::PeerStatus;

/// The contract version that was acknowledged is in the peer's record after the end of the peering.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct AcknowledgementKept {
    /// The accept.
    pub call: Label,
    /// The operator's snapshot of the peer before the end.
    pub before: Label,
    /// The snapshot after it.
    pub after: Label,
}

impl Check for AcknowledgementKept {
    const ID: &'static str = "acknowledgement-kept";
    const EXPECTED: &'static [&'static str] = &["the version that was acknowledged, still on record"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let accept = accept(trace, &self.call)?;
        let (before, earlier) = snapshot(trace, &self.before)?;
        let (after, later) = snapshot(trace, &self.after)?;
        let evidence = [accept.n(), before, after];
        let recorded = on_record(earlier).filter(|version| !is_unacknowledged(version));
        let agreed = || reported(accept.exchange).filter(|version| !is_unacknowledged(version));
        let known = recorded
            .cloned()
            .or_else(agreed)
            .or_unproven_at("nothing shows which version was acknowledged", &evidence)?;
        // Where the peering goes on, or was only suspended, the record shows nothing about its end.
        let status = later.get("status").and_then(Value::as_str).and_then(PeerStatus::parse);
        if let Some(status) = status.filter(|status| *status != PeerStatus::Revoked) {
            let actual = format!("the peering did not end: the peer is still shown as {status}");
            return Err(Stop::unproven(actual, evidence));
        }
        // Both may be written more freely than on the wire.
        let acknowledged = number(&known).map_or_else(|| known.clone(), Value::from);
        let is_kept =
            |kept: &Value| *kept == known || is_version_asked_for(kept, &acknowledged) == Some(true);
        match on_record(later) {
            Some(kept) if is_kept(kept) => Ok(Pass::new(format!("version {kept}"), evidence)),
            Some(kept) if is_version_asked_for(kept, &acknowledged).is_none() => {
                let actual = format!("version {known} was acknowledged, on record is {kept}");
                Err(Stop::unproven(actual, evidence))
            }
            None if recorded.is_none() => {
                Err(Stop::unproven("the record has no place for the acknowledged version", evidence))
            }
            // The view of a former peer may be a shorter one, and its record elsewhere.
            kept if kept.is_none_or(is_unacknowledged)
                && let Some(member) = also_gone(earlier, later) =>
            {
                let actual = format!("the later view lacks {member} as well as the acknowledged version");
                Err(Stop::unproven(actual, evidence))
            }
            kept => {
                let kept = kept.map_or_else(|| "nothing".to_owned(), Value::to_string);
                let actual = format!("version {known} was acknowledged, on record is {kept}");
                Err(Stop::broken(actual, evidence))
            }
        }
    }
}

/// Returns a member other than the version that the view of a peer no longer has.
fn also_gone(earlier: &Value, later: &Value) -> Option<&'static str> {
    const MEMBERS: [&str; 3] = ["accepted_at", "metadata", "capabilities"];
    MEMBERS.into_iter().find(|member| !earlier[member].is_null() && later[member].is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::acknowledgement::fixture::{accepted, record, snapshot};
    use serde_json::json;

    /// Returns the verdict if the target agreed on a version, and the record was this before and after.
    fn evaluated(agreed: &Value, before: &Value, after: &Value) -> Verdict {
        let builder = snapshot(accepted(&json!(1), agreed), "before", before);
        snapshot(builder, "after", after)
            .verdict::<AcknowledgementKept>(json!({"call": "accepted", "before": "before", "after": "after"}))
    }

    #[test]
    fn an_acknowledgement_that_is_gone_after_the_end_is_broken() {
        let (one, none) = (record(&json!(1)), json!({"status": "revoked"}));
        let agreed = json!(1);
        assert_eq!(evaluated(&agreed, &one, &one), Kept);
        let going_on = json!({"status": "active", "contract_version_agreed": 1});
        assert_eq!(evaluated(&agreed, &one, &going_on), Unproven);
        assert_eq!(evaluated(&agreed, &one, &json!({"status": "active"})), Unproven);
        let suspended = json!({"status": "suspended", "contract_version_agreed": 1});
        assert_eq!(evaluated(&agreed, &one, &suspended), Unproven, "it did not end");
        assert_eq!(evaluated(&agreed, &one, &none), Broken);
        let full = json!({"accepted_at": "2026-06-01T00:00:00Z", "contract_version_agreed": 1});
        assert_eq!(evaluated(&agreed, &full, &none), Unproven, "the view is a shorter one");
        let wiped = json!({"status": "revoked", "accepted_at": "2026-06-01T00:00:00Z"});
        assert_eq!(evaluated(&agreed, &full, &wiped), Broken, "the version alone is gone");
        assert_eq!(evaluated(&agreed, &one, &record(&json!(null))), Broken);
        let written =
            |before: &str, after: &str| evaluated(&agreed, &record(&json!(before)), &record(&json!(after)));
        assert_eq!(written("v1", "v1"), Kept);
        assert_eq!(written("v1", "1.0"), Kept);
        assert_eq!(written("2026-05", "2026-05"), Kept);
        assert_eq!(written("v1", "v2"), Broken);
        assert_eq!(written("v1", ""), Broken);
        assert_eq!(written("v1", "2026-05"), Unproven, "the same may be meant");
        assert_eq!(evaluated(&agreed, &none, &record(&json!(0))), Broken);
        assert_eq!(evaluated(&agreed, &none, &none), Unproven);
        let never = evaluated(&json!(null), &record(&json!(0)), &record(&json!(null)));
        assert_eq!(never, Unproven);
    }
}
