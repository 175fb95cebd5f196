//! `denied-grace-is-reported`.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::grace::Grace;
use super::notice::{has_event, has_status};
use super::revocation::revocation;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls, has_running_clock, peer_id, scans};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The target reports a peer that refuses an open migration within the grace after its own notice, and no
/// peer that refuses one after the grace.
// A finding that is raised about every failed migration says nothing about the grace. A finding that is
// raised about a refusal just after the grace, but not about one long after it, blames a conforming peer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct DeniedGraceIsReported {
    /// The peer that refuses within the grace.
    pub peer: PeerName,
    /// The notice of that peer.
    pub revoke: Label,
    /// The scan before the notice.
    pub before: Label,
    /// The scan after the refusal.
    pub after: Label,
    /// A peer that refuses just after the grace.
    pub after_grace: PeerName,
    /// A peer that refuses long after the grace: kinds raised about it too prove nothing.
    pub long_after_grace: PeerName,
}

/// The part of the grace that has to be left if a cut has to be noticed: by one clock or another the grace
/// may be over.
const LEFT_MIN: SignedDuration = SignedDuration::from_millis(500);

/// The tolerance for two clocks that run.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

impl Check for DeniedGraceIsReported {
    const ID: &'static str = "denied-grace-is-reported";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["a new finding about the peer, and none of that kind about a peer that kept the grace"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (before, after) = scans(trace, &self.before, &self.after)?;
        let cut = self.cut_within_grace(trace).or_unproven_at(
            "the peer refused no commit while the grace was sure to last",
            &[before.n, after.n],
        )?;
        let evidence = [cut, before.n, after.n];
        let kinds_about = |peer: &str| -> BTreeSet<&str> {
            let id = peer_id(trace, peer).unwrap_or_default();
            after.new_about(&before, &id).into_iter().map(|finding| finding.kind.as_str()).collect()
        };
        let (raised, about_valid) = (kinds_about(&self.peer), kinds_about(&self.long_after_grace));
        let own: BTreeSet<&str> = raised.difference(&about_valid).copied().collect();
        if let Some(kind) = own.intersection(&kinds_about(&self.after_grace)).next() {
            let actual = format!("{kind} was raised about a peer that kept the grace, too");
            return Err(if self.is_after_grace_by_each_clock(trace) {
                Stop::broken(actual, evidence)
            } else {
                Stop::unproven(format!("{actual}, by a clock that runs"), evidence)
            });
        }
        if let Some(kind) = own.first() {
            return Ok(Pass::new(format!("{kind} was raised"), evidence));
        }
        let Some(kind) = raised.first() else {
            let id = peer_id(trace, &self.peer).unwrap_or_default();
            return Err(Stop::broken(after.nothing_about(&before, &id), evidence));
        };
        let actual = format!("only {kind} was raised, and about a valid refusal too");
        Err(Stop::unproven(actual, evidence))
    }
}

impl DeniedGraceIsReported {
    /// Returns whether the grace of the peer that refuses just after it was over by the target's clock, too. Clocks that run
    /// differ a little.
    fn is_after_grace_by_each_clock(&self, trace: &Trace) -> bool {
        if !has_running_clock(trace) {
            return true;
        }
        let mut commits = calls(trace).of(&self.after_grace).made_by_target().filter(|call| {
            matches!(call.route(), Some(Route::MigrationCommit { .. }))
                && call_outcome(call.exchange) == CallOutcome::Refused
        });
        let mut own = calls(trace).of(&self.after_grace).made_by_peer();
        let notice = own.rfind(|call| has_event(call.exchange) || has_status(call.exchange));
        let grace = notice.and_then(|notice| Grace::of(trace, notice.n(), &self.after_grace));
        grace.is_some_and(|grace| commits.all(|commit| grace.is_over(commit.at() - CLOCKS)))
    }

    /// Returns the commit that the peer refused after its own notice, while there was grace left by any clock.
    fn cut_within_grace(&self, trace: &Trace) -> Option<u64> {
        let revoked = revocation(trace, &self.revoke)?;
        let grace = Grace::of(trace, revoked, &self.peer)?;
        let cut = calls(trace).of(&self.peer).made_by_target().after(revoked).find(|call| {
            matches!(call.route(), Some(Route::MigrationCommit { .. }))
                && call_outcome(call.exchange) == CallOutcome::Refused
        })?;
        grace.is_left(cut.at(), LEFT_MIN).then_some(cut.n())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::{Value, json};

    fn findings(of: &[(&str, &str)]) -> Value {
        let findings = of.iter().map(|(peer, kind)| json!({"kind": kind, "federation_peer_id": peer}));
        json!({"findings": findings.collect::<Vec<_>>()})
    }

    /// Returns the verdict if alice refuses a commit this many seconds after her notice, and these findings
    /// are raised.
    fn cut(seconds: i64, found: &[(&str, &str)]) -> Verdict {
        cut_by(seconds, found, 301, 0)
    }

    /// Returns the verdict if carol also refuses one this many seconds after her own notice, by clocks that run on for the
    /// others.
    fn cut_by(seconds: i64, found: &[(&str, &str)], carol: i64, running: i64) -> Verdict {
        let mut builder = TraceBuilder::new();
        for peer in ["alice", "carol", "dave"] {
            builder = builder.operation(peer, "peer.join", json!({"peer_id": peer}));
        }
        let left = |peer: &str| {
            let notice = Exchange::to_target(peer).on("POST", "heartbeat");
            notice.sending(json!({"status": "revoked"})).answered_with(200, json!({}))
        };
        let refusal = |peer: &str| {
            let refused = Exchange::from_target(peer).on("POST", "migrations/m1/commit");
            refused.sending(json!({})).answered_with(401, json!({"error": "Certificate is revoked"}))
        };
        builder
            .operation("before", "governance.scan", findings(&[]))
            .pass(running)
            .call("revoke", left("alice"))
            .advance(seconds)
            .call_from_target(refusal("alice"))
            .call("carol-left", left("carol"))
            .advance(carol)
            .call_from_target(refusal("carol"))
            .operation("after", "governance.scan", findings(found))
            .verdict::<DeniedGraceIsReported>(json!({
                "peer": "alice", "revoke": "revoke", "before": "before", "after": "after",
                "after_grace": "carol", "long_after_grace": "dave",
            }))
    }

    #[test]
    fn a_peer_that_cuts_the_grace_is_reported_and_one_that_keeps_it_is_not() {
        assert_eq!(cut(299, &[("alice", "cut")]), Kept);
        assert_eq!(cut(299, &[]), Broken);
        assert_eq!(cut(299, &[("alice", "cut"), ("carol", "cut")]), Broken);
        assert_eq!(cut(300, &[]), Unproven, "the clock ran on");
    }

    #[test]
    fn clocks_that_run_decide_only_beyond_their_tolerance() {
        let both = [("alice", "cut"), ("carol", "cut")];
        assert_eq!(cut_by(297, &both, 301, 2), Unproven, "4:59 by the target's clock");
        assert_eq!(cut_by(297, &both, 306, 2), Broken);
        assert_eq!(cut_by(297, &[("alice", "cut")], 301, 2), Kept);
    }

    #[test]
    fn a_finding_about_every_failed_migration_says_nothing_of_the_grace() {
        let failed = [("alice", "failed"), ("carol", "failed"), ("dave", "failed")];
        assert_eq!(cut(299, &failed), Unproven);
        let with_cut = [("alice", "failed"), ("carol", "failed"), ("dave", "failed"), ("alice", "cut")];
        assert_eq!(cut(299, &with_cut), Kept);
    }
}
