//! `short-notice-is-reported`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, peer_id, scans};
use covenant_model::transcript::Trace;

/// A finding is raised about a peer that broke too soon after its notice, of a kind that is not raised about
/// one that broke when its notice was old enough.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct ShortNoticeIsReported {
    /// The peer that broke too soon after its notice.
    pub peer: PeerName,
    /// A peer that broke when its notice was old enough.
    pub after_notice: PeerName,
    /// A peer that broke without a notice.
    pub without_notice: PeerName,
    /// The heartbeats in which they broke.
    pub breaks: Label,
    /// The scan before they broke.
    pub before: Label,
    /// The scan after it.
    pub after: Label,
}

impl Check for ShortNoticeIsReported {
    const ID: &'static str = "short-notice-is-reported";
    const EXPECTED: &'static [&'static str] =
        &["a new finding about the peer that broke too soon, and none of its kind about the one that waited"];

    // A peer of another major version is drift, whatever it announced (10.1). Only a kind of finding that is
    // not raised about the peer that waited is about the notice.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        if let Some(call) = calls(trace).labelled(&self.breaks).find(|call| !call.exchange.succeeded()) {
            return Err(Stop::unproven(format!("a break was not accepted: {}", call.summary()), [call.n()]));
        }
        let (before, after) = scans(trace, &self.before, &self.after)?;
        let evidence = [before.n, after.n];
        let kinds = |peer: &PeerName| -> Result<BTreeSet<&str>, Stop> {
            let id = peer_id(trace, peer).or_unproven_at("a peer's id is not known", &evidence)?;
            let raised = after.new_about(&before, &id).into_iter();
            Ok(raised.map(|finding| finding.kind.as_str()).collect())
        };
        let (short, waited, silent) =
            (kinds(&self.peer)?, kinds(&self.after_notice)?, kinds(&self.without_notice)?);
        if let Some(kind) = short.difference(&waited).next() {
            return Ok(Pass::new(format!("{kind} was raised"), evidence));
        }
        if short.is_empty() {
            let id = peer_id(trace, &self.peer).unwrap_or_default();
            return Err(Stop::broken(after.nothing_about(&before, &id), evidence));
        }
        Err(match silent.difference(&waited).next() {
            Some(kind) => {
                let actual =
                    format!("{kind} was raised about a break without a notice, and not about this one");
                Stop::broken(actual, evidence)
            }
            None => Stop::unproven("only what was raised about the one that waited, too", evidence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, answer, routed};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    /// Returns the verdict on a break after too short a notice, by the kinds of findings raised about it,
    /// about one that waited and about one without a notice.
    fn noticed(short: &[&str], waited: &[&str], silent: &[&str], breaks: u16) -> Verdict {
        let mut findings = vec![];
        let mut builder = TraceBuilder::new();
        for (peer, kinds) in [("short", short), ("waited", waited), ("silent", silent)] {
            let about = |kind: &&str| json!({"kind": kind, "federation_peer_id": peer, "message": peer});
            findings.extend(kinds.iter().map(about));
            let accepted = answer(200, &json!({ "peer_id": peer }));
            builder = builder.call("accept", routed(peer, ("POST", "accept"), &json!({}), accepted));
        }
        builder.served("breaks", breaks).scans(&json!(findings)).verdict::<ShortNoticeIsReported>(json!({
            "peer": "short", "after_notice": "waited", "without_notice": "silent", "breaks": "breaks",
            "before": "before", "after": "after",
        }))
    }

    #[test]
    fn a_short_notice_is_reported_apart_from_one_that_was_waited_for() {
        assert_eq!(noticed(&["drift", "early"], &["drift"], &["drift", "early"], 200), Kept);
        assert_eq!(noticed(&["drift"], &["drift"], &["drift", "early"], 200), Broken);
        assert_eq!(noticed(&[], &[], &[], 200), Broken);
        assert_eq!(noticed(&["drift"], &["drift"], &["drift"], 200), Unproven);
        assert_eq!(noticed(&["drift"], &["drift"], &["drift", "early"], 401), Unproven);
    }
}
