//! `revocation-by-peer-is-honoured`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::revoked::{all_revoked, revoked_from};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, status_shown};
use covenant_model::transcript::Trace;

/// A peer's notice of its revocation is accepted, and the peer is then shown as revoked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RevocationByPeerIsHonoured {
    /// The notices.
    pub call: Labels,
    /// The operator's snapshots of those peers afterwards.
    pub snapshot: Labels,
    /// The operator's snapshots of those peers before. A state that none of them shows is not claimed.
    pub before: Option<Labels>,
    /// The heartbeat of a peer that is not enrolled, before its notice. Unless it was accepted, and the peer was shown as `accepted`
    /// afterwards, a refusal is unproven: a target need not hear such a peer.
    pub served: Option<Label>,
}

impl Check for RevocationByPeerIsHonoured {
    const ID: &'static str = "revocation-by-peer-is-honoured";
    const EXPECTED: &'static [&'static str] = &["every notice accepted, every peer revoked"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut evidence = vec![];
        if let Some(served) = &self.served {
            self.require_heard(trace, served)?;
        }
        let (mut put_off, mut failed) = (None, None);
        let mut arrived = vec![];
        for label in self.call.iter() {
            let Some(notice) = calls(trace).labelled(label).next_back() else {
                return Err(Stop::unproven(format!("{label:?} was not sent"), evidence));
            };
            evidence.push(notice.n());
            let actual = || format!("{label:?}: {}", notice.summary());
            if notice.exchange.was_refused() {
                return Err(Stop::broken(actual(), evidence));
            }
            arrived.push(!notice.exchange.was_put_off());
            if notice.exchange.was_put_off() {
                put_off.get_or_insert_with(actual);
            } else if !notice.exchange.succeeded() {
                failed.get_or_insert_with(actual);
            }
        }
        if let Some(actual) = put_off {
            // The peers whose notices arrived are revoked, whatever became of the others.
            if let Some(snapshots) = self.snapshots_of(&arrived) {
                all_revoked(trace, &snapshots, evidence.clone())?;
            }
            return Err(Stop::unproven(actual, evidence));
        }
        let Pass(mut seen) = all_revoked(trace, &self.snapshot, evidence.clone())?;
        if let Some(before) = &self.before {
            let shown = before.iter().filter_map(|label| status_shown(trace, label));
            seen.actual = revoked_from(shown.map(|(_, status)| status));
        }
        match failed {
            // The revocation was accepted all the same: the clause is not about the failed answer.
            Some(actual) => Err(Stop::unproven(actual, evidence)),
            None => Ok(Pass(seen)),
        }
    }
}

impl RevocationByPeerIsHonoured {
    /// Ends the check unless the target served this heartbeat, and then showed the peers as accepted.
    fn require_heard(&self, trace: &Trace, served: &str) -> Result<(), Stop> {
        let lacking = "the target hears no heartbeat of the peer before it is enrolled";
        let heard = calls(trace).labelled(served).accepted().first_or(lacking)?;
        let mut shown =
            self.before.iter().flat_map(Labels::iter).filter_map(|label| status_shown(trace, label));
        match shown.find(|(_, status)| !status.eq_ignore_ascii_case("accepted")) {
            Some((n, status)) => Err(Stop::unproven(format!("the peer is {status}"), [heard.n(), n])),
            None => Ok(()),
        }
    }

    /// Returns the snapshots of the peers whose notices arrived. Returns `None` if it is not known whose snapshot is whose.
    fn snapshots_of(&self, arrived: &[bool]) -> Option<Labels> {
        let snapshots = || self.snapshot.iter().zip(arrived);
        let shown = snapshots().filter(|(_, arrived)| **arrived).map(|(label, _)| label.to_owned());
        (self.snapshot.iter().count() == arrived.len()).then(|| Labels::Several(shown.collect()))
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
    fn a_notice_that_is_refused_or_has_no_effect_is_broken() {
        let verdict = |answer: u16, status: &str| {
            TraceBuilder::new()
                .call("leave", Exchange::to_target("alice").on("POST", "heartbeat").answered(answer))
                .operation("snapshot", "peer.show", json!({"peer": {"status": status}}))
                .verdict::<RevocationByPeerIsHonoured>(json!({"call": "leave", "snapshot": "snapshot"}))
        };
        assert_eq!(verdict(200, "revoked"), Kept);
        assert_eq!(verdict(200, "REVOKED"), Kept);
        assert_eq!(verdict(200, "active"), Broken);
        assert_eq!(verdict(200, "revoking"), Unproven, "until the grace ends");
        assert_eq!(verdict(422, "revoked"), Broken);
        assert_eq!(verdict(500, "revoked"), Unproven);
        assert_eq!(verdict(500, "active"), Broken);
        for status in [408, 425, 429, 502, 503, 504] {
            assert_eq!(verdict(status, "active"), Unproven, "{status}");
            assert_eq!(verdict(status, "revoked"), Unproven, "{status}");
        }
    }

    #[test]
    fn a_notice_that_was_put_off_hides_no_peer_whose_notice_arrived() {
        let verdict = |answers: [u16; 2], statuses: [&str; 2], shown: &[&str]| {
            let leave = |peer, status| Exchange::to_target(peer).on("POST", "heartbeat").answered(status);
            let show = |status| json!({"peer": {"status": status}});
            TraceBuilder::new()
                .call("leave-a", leave("alice", answers[0]))
                .call("leave-b", leave("bob", answers[1]))
                .operation("a", "peer.show", show(statuses[0]))
                .operation("b", "peer.show", show(statuses[1]))
                .verdict::<RevocationByPeerIsHonoured>(
                    json!({"call": ["leave-a", "leave-b"], "snapshot": shown}),
                )
        };
        let both = ["a", "b"];
        assert_eq!(verdict([429, 200], ["active", "active"], &both), Broken);
        assert_eq!(verdict([429, 200], ["active", "revoked"], &both), Unproven);
        assert_eq!(verdict([200, 429], ["revoked", "active"], &both), Unproven);
        assert_eq!(verdict([429, 429], ["active", "active"], &both), Unproven);
        assert_eq!(verdict([429, 200], ["active", "active"], &["b"]), Unproven, "whose it is, is open");
    }

    #[test]
    fn a_peer_that_is_not_enrolled_counts_where_it_is_heard() {
        let verdict = |heard: u16, before: &str, left: u16, after: &str| {
            let beat = |status: u16| Exchange::to_target("alice").on("POST", "heartbeat").answered(status);
            let show = |status: &str| json!({"peer": {"status": status}});
            TraceBuilder::new()
                .call("served", beat(heard))
                .operation("before", "peer.show", show(before))
                .call("leave", beat(left))
                .operation("snapshot", "peer.show", show(after))
                .verdict::<RevocationByPeerIsHonoured>(json!({
                    "call": "leave", "snapshot": "snapshot", "before": "before", "served": "served",
                }))
        };
        assert_eq!(verdict(200, "accepted", 200, "revoked"), Kept);
        assert_eq!(verdict(200, "accepted", 403, "accepted"), Broken);
        assert_eq!(verdict(200, "accepted", 200, "accepted"), Broken);
        assert_eq!(verdict(403, "accepted", 403, "accepted"), Unproven, "none of its heartbeats is heard");
        assert_eq!(verdict(401, "proposed", 401, "proposed"), Unproven, "its accept was refused");
        assert_eq!(verdict(200, "suspended", 403, "suspended"), Unproven, "it may not call");
    }
}
