//! `no-acknowledgement-recorded`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::peer_shown;
use crate::check::versioning::agreement::{is_unacknowledged, on_record};
use covenant_model::transcript::Trace;

/// The peers' records hold no contract version, and the record of a conforming peer holds one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoAcknowledgementRecorded {
    /// The operator's snapshots of the peers.
    pub snapshot: Labels,
    /// The snapshot of a peer that acknowledged a version.
    pub conforming_snapshot: Label,
    /// The snapshot of a peer that was proposed, and did nothing yet.
    pub proposed_snapshot: Label,
}

impl Check for NoAcknowledgementRecorded {
    const ID: &'static str = "no-acknowledgement-recorded";
    const EXPECTED: &'static [&'static str] = &["no contract_version_agreed, or zero"];
    const CONTROL: Option<&'static str> = Some("the record of a conforming peer shows a version");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let proposed = peer_shown(trace, &self.proposed_snapshot);
        if let Some((n, _)) =
            proposed.filter(|(_, peer)| on_record(peer).is_some_and(|it| !is_unacknowledged(it)))
        {
            return Err(Stop::unproven("a version is on record before any accept", [n]));
        }
        let mut evidence = vec![];
        for label in self.snapshot.iter() {
            let Some((n, peer)) = peer_shown(trace, label) else {
                return Err(Stop::unproven(format!("{label:?} shows no peer"), evidence));
            };
            evidence.push(n);
            if let Some(agreed) = on_record(peer).filter(|agreed| !is_unacknowledged(agreed)) {
                let actual = format!("{label:?} shows the acknowledgement of {agreed}");
                return Err(Stop::broken(actual, evidence));
            }
        }
        // If the record of a conforming peer shows no version either, its absence says nothing.
        let conforming = peer_shown(trace, &self.conforming_snapshot);
        if conforming.and_then(|(_, peer)| on_record(peer)).is_none_or(is_unacknowledged) {
            let actual = "the record of a conforming peer shows no version either";
            return Err(Stop::unproven(actual, evidence));
        }
        Ok(Pass::new("nothing is on record", evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::acknowledgement::fixture::{record, snapshot};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    fn evaluated(builder: TraceBuilder, refused: &Value, conforming: &Value) -> Verdict {
        let builder = snapshot(builder, "after", refused);
        snapshot(builder, "conforming", conforming).verdict::<NoAcknowledgementRecorded>(json!({
            "snapshot": "after", "conforming_snapshot": "conforming", "proposed_snapshot": "proposed",
        }))
    }

    #[test]
    fn an_acknowledgement_on_record_after_a_refusal_is_broken() {
        let none = TraceBuilder::new;
        let acknowledged = record(&json!(1));
        for (version, expected) in [(json!(null), Kept), (json!(0.0), Kept), (json!(1), Broken)] {
            assert_eq!(evaluated(none(), &record(&version), &acknowledged), expected, "{version}");
        }
        assert_eq!(evaluated(none(), &json!({}), &acknowledged), Kept);
        assert_eq!(evaluated(none(), &json!({}), &json!({"status": "active"})), Unproven);
        let filled = snapshot(none(), "proposed", &acknowledged);
        assert_eq!(evaluated(filled, &acknowledged, &acknowledged), Unproven);
    }
}
