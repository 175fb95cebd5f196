//! `revoked-peers-are-rejected`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::revoked::is_revoked;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::Refused;
use crate::check::outcome::{Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// The call of each peer that is shown as revoked is refused; its positive control is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RevokedPeersAreRejected {
    /// The peers' calls, which have to be refused.
    pub call: Labels,
    /// The operator's snapshots of those peers before, in the same order.
    pub snapshot: Labels,
    /// The same call of another peer before the revocations.
    pub control: Label,
    /// Another peer's call afterwards.
    pub probe: Label,
}

impl Check for RevokedPeersAreRejected {
    const ID: &'static str = "revoked-peers-are-rejected";
    const EXPECTED: &'static [&'static str] =
        &["the calls of every revoked peer refused: 4xx, or their certificate refused"];
    const CONTROL: Option<&'static str> =
        Some("the same call of another peer was accepted before the revocations, and after them");
    const TAKES_PLACED: bool = true;

    // A peer that is not revoked at all is reported by clause 11.1.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (mut evidence, mut open) = (vec![], None);
        for (call, snapshot) in self.call.iter().zip(self.snapshot.iter()) {
            if !is_revoked(trace, snapshot) {
                open = Some(Stop::unproven(format!("{snapshot:?} shows no revoked peer"), []));
                continue;
            }
            let refused = Refused::of(call.into(), self.control.clone(), self.probe.clone());
            match refused.evaluate(trace) {
                Ok(Pass(seen)) => evidence.extend(seen.evidence),
                Err(broken @ Stop::Broken(_)) => return Err(broken),
                Err(stop) => open = Some(stop),
            }
        }
        match open {
            Some(stop) => Err(stop),
            None => Ok(Pass::new("none of them is served", evidence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn a_peer_that_is_shown_as_revoked_and_served_is_broken() {
        let verdict = |status: &str, late: u16| {
            let mut builder =
                TraceBuilder::new().operation("snapshot", "peer.show", json!({"peer": {"status": status}}));
            for (label, status) in [("valid", 200), ("late", late), ("probe", 200)] {
                builder = builder.call(label, Exchange::to_target("alice").answered(status));
            }
            builder.verdict::<RevokedPeersAreRejected>(json!({
                "call": ["late"], "snapshot": ["snapshot"], "control": "valid", "probe": "probe",
            }))
        };
        assert_eq!(verdict("revoked", 401), Kept);
        assert_eq!(verdict("revoked", 200), Broken);
        assert_eq!(verdict("Revoked", 200), Broken);
        assert_eq!(verdict("active", 200), Unproven);
        assert_eq!(verdict("terminated", 200), Unproven);
    }
}
