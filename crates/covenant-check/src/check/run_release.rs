//! A release that the user gave to the peers, and that is not compatible with the target's (`binding.md`,
//! reading 77).

use std::collections::BTreeSet;

use semver::Version;

use super::c10::{is_compatible, version_in};
use super::query::{Call, CallQuery, calls};
use super::{CheckResult, PlannedCheck, Verdict};
use covenant_model::contract::Section;
use covenant_model::transcript::{Direction, ScenarioStart, Trace};
use covenant_model::wire::path::Route;

/// The commitment whose clauses are about the releases of the two sides.
const RELEASES: Section = Section::Commitment(10);

impl CheckResult {
    /// Replaces a breach with `unproven` if it may be due to a release that the user gave to the peers. A
    /// target that treats such a peer as incompatible breaks nothing.
    pub(super) fn unless_due_to_user(self, check: &PlannedCheck, trace: &Trace) -> Self {
        if self.verdict != Verdict::Broken {
            return self;
        }
        let others = peers_of_other_release(trace);
        let Some(first) = others.first() else { return self };
        let names: BTreeSet<&str> = others.iter().map(|other| other.peer).collect();
        let frozen = calls(trace).made_by_peer().find(|call| is_frozen(call, &names));
        let reason = match frozen {
            Some(call) => format!(", and {}", call.summary()),
            None if check.clause.section == RELEASES => String::new(),
            None => return self,
        };
        let OtherRelease { peer, remote, local, .. } = first;
        let actual = format!(
            "{peer} reports {remote} by the user's choice, which is not compatible with {local}{reason}: {}",
            self.actual
        );
        let evidence = [first.n].into_iter().chain(frozen.map(|call| call.n())).chain(self.evidence);
        Self { verdict: Verdict::Unproven, actual, evidence: evidence.collect(), expected: self.expected }
    }
}

/// A peer that reports the release of the run, which is not compatible with the target's.
struct OtherRelease<'a> {
    /// The number of the entry of the handshake.
    n: u64,
    peer: &'a str,
    /// The release of the peer.
    remote: String,
    /// The release of the target.
    local: String,
}

/// Returns the peers whose release in a handshake is that of the run and is not compatible with the one that
/// the target reports there. By default the peers of a run report the target's own release.
fn peers_of_other_release(trace: &Trace) -> Vec<OtherRelease<'_>> {
    let of_run = trace.start().map(ScenarioStart::peers_of_run_release).unwrap_or_default();
    let first = trace.exchanges().find_map(|(_, exchange)| exchange.release_reported());
    let handshakes = calls(trace).filter(|call| {
        let is_plain = call.exchange.injected.is_empty() && of_run.contains(&call.exchange.peer);
        is_plain && call.route() == Some(Route::Accept)
    });
    let found = handshakes.filter_map(|call| {
        let remote = release_of_peer(&call)?;
        let local = call.exchange.release_reported().or_else(|| first.clone())?;
        let are_versions = Version::parse(&remote).is_ok() && Version::parse(&local).is_ok();
        (are_versions && !is_compatible(&local, &remote)).then_some(OtherRelease {
            n: call.n(),
            peer: &call.exchange.peer,
            remote,
            local,
        })
    });
    found.collect()
}

/// Returns the release that the peer reports in a handshake: in its accept, or in its answer to the target's.
fn release_of_peer(call: &Call<'_>) -> Option<String> {
    match call.exchange.direction {
        Direction::ToTarget => version_in(call.exchange.sent()?).map(ToOwned::to_owned),
        Direction::FromTarget => version_in(&call.exchange.data()?).map(ToOwned::to_owned),
    }
}

/// Returns whether a call of one of these peers was refused on a route that a target may freeze for a peer
/// of another release (`binding.md`, reading 45).
fn is_frozen(call: &Call<'_>, peers: &BTreeSet<&str>) -> bool {
    let may_be_frozen = matches!(
        call.route(),
        Some(Route::Sync | Route::Migrations | Route::MigrationCommit { .. } | Route::Resource { .. })
    );
    may_be_frozen && peers.contains(call.exchange.peer.as_str()) && call.exchange.was_refused()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::Verdict::{Broken, Unproven};
    use covenant_model::clock::{Clock, Seed};
    use covenant_model::contract::{Aspect, Basis};
    use covenant_model::transcript::{Exchange, Transcript, What};
    use serde_json::json;

    /// Returns the verdict on a breach of this clause. Alice, with this profile, reported a release to a
    /// target of 1.4.0, and her sync got this status.
    fn verdict(clause: &str, profile: &str, release: &str, sync: u16) -> Verdict {
        let source = format!("title = \"x\"\n[[peer]]\nname = \"alice\"\nprofile = {profile}\n");
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Transcript::in_memory().begin("x", ScenarioStart { source, seed: Seed(1) }, clock);
        let accept = Exchange::to_target("alice").on("POST", "accept");
        let accept = accept.sending(json!({ "platform_version": release }));
        let answer = json!({"data": {"platform_version": "1.4.0"}});
        recorder.record(None, None, What::Exchange(accept.answered_with(200, answer)));
        let synced = Exchange::to_target("alice").on("POST", "sync").sending(json!({}));
        recorder.record(None, None, What::Exchange(synced.answered(sync)));
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: clause.parse().expect("a clause"),
            aspect: Aspect::Detection,
            check: "finding-raised".to_owned(),
            basis: Basis::Proposed,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: BTreeMap::new(),
        };
        CheckResult::broken("no finding was raised", vec![])
            .unless_due_to_user(&check, &recorder.trace())
            .verdict
    }

    #[test]
    fn a_release_of_the_users_choice_is_not_the_targets_doing() {
        assert_eq!(verdict("E.1", "{}", "2.0.0", 409), Unproven);
        assert_eq!(verdict("E.1", "{}", "2.0.0", 200), Broken, "nothing was refused");
        assert_eq!(verdict("10.2", "{}", "2.0.0", 200), Unproven, "the clause is about releases");
        assert_eq!(verdict("E.1", "{}", "1.3.0", 409), Broken, "a neighbour");
        assert_eq!(verdict("E.1", "{}", "latest", 409), Broken, "no release at all");
        let own = r#"{ platform_version = "2.0.0" }"#;
        assert_eq!(verdict("10.2", own, "2.0.0", 409), Broken, "the choice of the scenario");
    }
}
