//! `suspended-until-resumed`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::enforcement::is_suspended_status;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::status_shown;
use covenant_model::transcript::Trace;
use covenant_model::wire::state::PeerStatus;

/// The peer is suspended, and no longer so after the operator resumes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SuspendedUntilResumed {
    /// The operator's snapshot of the peer before.
    pub before: Label,
    /// The snapshot while the peer is suspended.
    pub snapshot: Label,
    /// The operator's `peer.suspend`, where the target need not suspend by itself. If it was refused, the peer need not be
    /// suspended.
    pub suspend: Option<Label>,
    /// The operator's `peer.resume`.
    pub resume: Label,
    /// The snapshot after it.
    pub after: Label,
}

impl Check for SuspendedUntilResumed {
    const ID: &'static str = "suspended-until-resumed";
    const EXPECTED: &'static [&'static str] = &["suspended at once, and not after peer.resume"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let status = |label: &str| status_shown(trace, label).or_unproven("the peer was not shown");
        let (before_n, before) = status(&self.before)?;
        let (snapshot_n, snapshot) = status(&self.snapshot)?;
        let (after_n, after) = status(&self.after)?;
        let evidence = [before_n, snapshot_n, after_n];
        if is_suspended_status(before) != Some(false) {
            return Err(Stop::unproven(format!("it was {before} before"), evidence));
        }
        match is_suspended_status(snapshot) {
            Some(true) => {}
            Some(false) if self.was_refused(trace) => {
                return Err(Stop::unproven(
                    format!("peer.suspend was refused, and it is {snapshot}"),
                    evidence,
                ));
            }
            Some(false) => return Err(Stop::broken(format!("it is {snapshot}"), evidence)),
            None => return Err(Stop::unproven(format!("the status {snapshot} is not known"), evidence)),
        }
        let resume = trace.operation(&self.resume);
        let is_suspended = is_suspended_status(after) == Some(true);
        let has_ended = PeerStatus::means_ended(after);
        match resume.filter(|(_, resume)| resume.failure.is_some()) {
            // A review may require more than one method of the operator.
            Some((n, _)) if is_suspended => {
                Err(Stop::unproven("suspended; peer.resume was refused", [snapshot_n, n]))
            }
            _ if is_suspended || has_ended == Some(true) => {
                Err(Stop::broken(format!("after peer.resume it is {after}"), evidence))
            }
            _ if has_ended.is_none() => {
                let actual = format!("after peer.resume it is {after}, which is no status of the wire");
                Err(Stop::unproven(actual, evidence))
            }
            _ => Ok(Pass::new(format!("suspended, and {after} after peer.resume"), evidence)),
        }
    }
}

impl SuspendedUntilResumed {
    /// Returns whether the operator's suspension was refused: a platform may require more than one operator.
    fn was_refused(&self, trace: &Trace) -> bool {
        let suspend = self.suspend.as_deref().and_then(|label| trace.operation(label));
        suspend.is_some_and(|(_, suspend)| suspend.failure.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Operation, OperationFailure, What};
    use serde_json::json;

    fn verdict(statuses: [&str; 3]) -> Verdict {
        verdict_with_refusal(statuses, None)
    }

    /// Returns the same verdict if the operator's method is refused with this message.
    fn verdict_with_refusal(statuses: [&str; 3], refusal: Option<&str>) -> Verdict {
        let mut builder = TraceBuilder::new();
        for (label, status) in ["before", "suspended", "after"].iter().zip(statuses) {
            builder = builder.operation(label, "peer.show", json!({"peer": {"status": status}}));
        }
        let failure =
            refusal.map(|message| OperationFailure::Refused { code: -32009, message: message.into() });
        let method = "peer.resume".to_owned();
        let resume = Operation { method, parameters: json!({}), result: None, failure };
        builder.entry("resume", What::Operation(resume)).verdict::<SuspendedUntilResumed>(json!({
            "before": "before", "snapshot": "suspended", "resume": "resume", "after": "after",
        }))
    }

    #[test]
    fn a_peer_that_is_not_suspended_or_remains_so_after_the_review_is_broken() {
        assert_eq!(verdict(["active", "suspended", "enrolled"]), Kept);
        assert_eq!(verdict(["active", "suspended", "accepted"]), Kept);
        assert_eq!(verdict(["active", "suspended", "REVOKED"]), Broken);
        assert_eq!(verdict(["active", "suspended", "terminated"]), Unproven);
        assert_eq!(verdict(["active", "active", "active"]), Broken);
        assert_eq!(verdict(["active", "suspended", "suspended"]), Broken);
        assert_eq!(verdict(["suspended", "suspended", "active"]), Unproven);
        let pending = Some("a second operator has to agree");
        assert_eq!(verdict_with_refusal(["active", "suspended", "suspended"], pending), Unproven);
        assert_eq!(verdict_with_refusal(["active", "suspended", "revoked"], pending), Broken);
        let refused = OperationFailure::Refused { code: -32009, message: "pending approval".into() };
        let method = "peer.suspend".to_owned();
        let suspend = Operation { method, parameters: json!({}), result: None, failure: Some(refused) };
        let mut builder = TraceBuilder::new().entry("suspend", What::Operation(suspend));
        for label in ["before", "suspended", "after"] {
            builder = builder.operation(label, "peer.show", json!({"peer": {"status": "active"}}));
        }
        let verdict = |suspend: Option<&str>| {
            builder.verdict::<SuspendedUntilResumed>(json!({
                "before": "before", "snapshot": "suspended", "suspend": suspend, "resume": "resume",
                "after": "after",
            }))
        };
        assert_eq!([verdict(Some("suspend")), verdict(None)], [Unproven, Broken]);
    }
}
