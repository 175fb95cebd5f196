//! `silent-peer-is-marked`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::Check;
use crate::check::general::FindingRaised;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::status_shown;
use covenant_model::transcript::Trace;

/// The target reports a peer that fell silent, or shows it in another state than a peer that did not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct SilentPeerIsMarked {
    /// The peer that falls silent.
    pub peer: PeerName,
    /// A peer that goes on as before.
    pub conforming: PeerName,
    /// The scan before the silence.
    pub before: Label,
    /// The scan after the silence.
    pub after: Label,
    /// The `peer.show` of the silent peer, after the silence.
    pub snapshot: Label,
    /// The `peer.show` of the conforming peer, after the silence.
    pub conforming_snapshot: Label,
}

impl Check for SilentPeerIsMarked {
    const ID: &'static str = "silent-peer-is-marked";
    const EXPECTED: &'static [&'static str] =
        &["a new finding about the peer", "another state of the peer than that of a conforming one"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let reported = self.finding().evaluate(trace);
        if reported.is_ok() {
            return reported;
        }
        let silent = status_shown(trace, &self.snapshot);
        let conforming = status_shown(trace, &self.conforming_snapshot);
        match silent.zip(conforming) {
            Some(((silent_n, silent), (conforming_n, conforming))) if silent != conforming => {
                Ok(Pass::new(format!("the peer is shown as {silent}"), [silent_n, conforming_n]))
            }
            Some(_) => reported,
            None => Err(Stop::unproven("the states of the peers could not be read", [])),
        }
    }
}

impl SilentPeerIsMarked {
    /// Returns the check that a finding is raised about the silent peer.
    fn finding(&self) -> FindingRaised {
        FindingRaised::about((&*self.peer).into(), [&self.before, &self.after], Some(&self.conforming))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    #[test]
    fn silence_is_reported_or_shown() {
        let marked = |found: &[(&str, &str)], status: &str| {
            let found = found.iter().map(|(peer, kind)| json!({"kind": kind, "federation_peer_id": peer}));
            let found: Vec<Value> = found.collect();
            TraceBuilder::new()
                .operation("alice", "peer.join", json!({"peer_id": "alice"}))
                .operation("bob", "peer.join", json!({"peer_id": "bob"}))
                .operation("before", "governance.scan", json!({"findings": []}))
                .operation("after", "governance.scan", json!({ "findings": found }))
                .operation("silent", "peer.show", json!({"peer": {"status": status}}))
                .operation("conforming", "peer.show", json!({"peer": {"status": "active"}}))
                .verdict::<SilentPeerIsMarked>(json!({
                    "peer": "alice", "conforming": "bob", "before": "before", "after": "after",
                    "snapshot": "silent", "conforming_snapshot": "conforming",
                }))
        };
        assert_eq!(marked(&[("alice", "stale")], "active"), Kept);
        assert_eq!(marked(&[], "degraded"), Kept);
        assert_eq!(marked(&[], "active"), Broken);
        assert_eq!(marked(&[("alice", "stale"), ("bob", "stale")], "active"), Broken);
    }
}
