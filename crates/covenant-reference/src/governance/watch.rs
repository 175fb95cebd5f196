//! Detection over several calls: floods (6.1), enumeration (6.4) and mass grants (6.2). The counts are in
//! memory, so a restart resets them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Suspicion;
use crate::policy::policy;
use covenant_model::wire::notice::finding;
use covenant_model::wire::path::Route;

/// Window over which calls are counted, and the pause after which enumeration counts as a new one.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Number of different rejected targets that counts as enumeration.
const WALK_TARGETS: usize = 3;
/// Number of absent ids of a declared kind that counts as enumeration.
const WALK_ABSENT_IDS: usize = 20;
/// Number of wide grants within an hour that counts as a mass: whole-kind grants with a scope that changes
/// something.
const WIDE_GRANTS: usize = 15;
const GRANTS: usize = 50;
/// Maximum number of callers that are remembered at once.
const CALLERS_MAX: usize = 10_000;

policy! {
    /// The policy for limits over several calls.
    Policy {
        /// Returns the name under which a caller's accept and heartbeat calls are counted.
        counted_as: fn(&str) -> String = str::to_owned,
        /// Controls whether handshakes are counted.
        counts_handshakes: bool = true,
        /// Time for which a call counts.
        counts_for: SignedDuration = WINDOW,
        /// Returns whether a call to this route resets its caller's count. The default never does.
        forgets_calls_at: fn(&Route) -> bool = |_| false,
        /// Returns whether one more call is too many, by the calls of the last 60 s and the platform's limit.
        is_flood: fn(usize, usize) -> bool = is_flood,
        /// Returns whether a flood is reported, by the time since the caller's last flood.
        flood_is_reported: fn(Option<SignedDuration>) -> bool = flood_is_reported,
        /// Returns whether these numbers of rejected targets and absent ids are enumeration.
        is_walk: fn(usize, usize) -> bool = is_walk,
        /// Returns whether these numbers of wide grants and of all grants within an hour are a mass.
        is_mass: fn(usize, usize) -> bool = is_mass,
    }
}

/// Returns whether the calls of the window have reached the limit.
pub(crate) fn is_flood(calls_before: usize, limit: usize) -> bool {
    calls_before >= limit
}

/// Returns whether 60 s have passed since the last report: a continuing flood is one act.
pub(crate) fn flood_is_reported(since_last: Option<SignedDuration>) -> bool {
    since_last.is_none_or(|ago| ago >= WINDOW)
}

/// Returns whether there are three different rejected targets or twenty absent ids.
pub(crate) fn is_walk(targets: usize, absent_ids: usize) -> bool {
    targets >= WALK_TARGETS || absent_ids >= WALK_ABSENT_IDS
}

/// Returns whether there are fifteen wide grants, or fifty grants in all.
pub(crate) fn is_mass(wide: usize, all: usize) -> bool {
    wide >= WIDE_GRANTS || all >= GRANTS
}

/// The counts for each caller.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    calls: BTreeMap<String, VecDeque<Timestamp>>,
    floods: BTreeMap<String, Timestamp>,
    walks: BTreeMap<String, Walk>,
    grants: BTreeMap<String, VecDeque<(Timestamp, bool)>>,
}

#[derive(Debug, Default)]
struct Walk {
    targets: BTreeSet<String>,
    absent: BTreeSet<String>,
    last: Option<Timestamp>,
    reported: bool,
}

/// The response to a caller that calls too often.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TooOften {
    pub(crate) retry_after_seconds: i64,
    /// The suspicion to report. `None` if this flood is already reported.
    pub(crate) suspicion: Option<Suspicion>,
}

impl Watch {
    /// Counts an accept or heartbeat call.
    pub(crate) fn admit(
        &mut self,
        policy: &Policy,
        caller: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<(), TooOften> {
        let key = (policy.counted_as)(caller);
        if self.calls.len() >= CALLERS_MAX && !self.calls.contains_key(&key) {
            self.calls.pop_first();
        }
        let calls = self.calls.entry(key).or_default();
        while calls.front().is_some_and(|at| now.duration_since(*at) >= policy.counts_for) {
            calls.pop_front();
        }
        if !(policy.is_flood)(calls.len(), limit) {
            calls.push_back(now);
            return Ok(());
        }
        let oldest = calls.front().copied().unwrap_or(now);
        let retry_after_seconds = (policy.counts_for - now.duration_since(oldest)).as_secs().max(1);
        let since_last = self.floods.get(caller).map(|at| now.duration_since(*at));
        let suspicion = (policy.flood_is_reported)(since_last).then(|| {
            self.floods.insert(caller.to_owned(), now);
            let message = format!("more than {limit} accept and heartbeat calls within 60 s");
            Suspicion::breach(finding::HANDSHAKE_FLOOD, &[6], message, json!({"limit": limit}))
        });
        Err(TooOften { retry_after_seconds, suspicion })
    }

    /// Resets the count of the caller if the policy asks for it.
    pub(crate) fn pass(&mut self, policy: &Policy, caller: &str, route: &Route) {
        if (policy.forgets_calls_at)(route) {
            self.calls.remove(&(policy.counted_as)(caller));
        }
    }

    /// Notes that a peer was refused `target`: a kind, an id or a path outside its peering.
    pub(crate) fn refused(
        &mut self,
        policy: &Policy,
        peer_id: &str,
        target: &str,
        now: Timestamp,
    ) -> Option<Suspicion> {
        let walk = self.walk(peer_id, now);
        walk.targets.insert(target.to_owned());
        walk.check(policy)
    }

    /// Notes that a peer asked for an absent id.
    pub(crate) fn absent(
        &mut self,
        policy: &Policy,
        peer_id: &str,
        target: &str,
        now: Timestamp,
    ) -> Option<Suspicion> {
        let walk = self.walk(peer_id, now);
        walk.absent.insert(target.to_owned());
        walk.check(policy)
    }

    /// Notes a grant that a peer issued without an operator.
    pub(crate) fn granted(
        &mut self,
        policy: &Policy,
        peer_id: &str,
        wide: bool,
        now: Timestamp,
    ) -> Option<Suspicion> {
        let grants = self.grants.entry(peer_id.to_owned()).or_default();
        grants.retain(|(at, _)| now.duration_since(*at) < HOUR);
        grants.push_back((now, wide));
        let wide_count = grants.iter().filter(|(_, wide)| *wide).count();
        if !(policy.is_mass)(wide_count, grants.len()) {
            return None;
        }
        let payload = json!({"grants": grants.len(), "wide": wide_count});
        grants.clear();
        Some(Suspicion::breach(finding::MASS_GRANTS, &[6], "many grants at once, by no operator", payload))
    }

    fn walk(&mut self, peer_id: &str, now: Timestamp) -> &mut Walk {
        let walk = self.walks.entry(peer_id.to_owned()).or_default();
        if walk.last.is_none_or(|last| now.duration_since(last) >= WINDOW) {
            *walk = Walk::default();
        }
        walk.last = Some(now);
        walk
    }
}

impl Walk {
    fn check(&mut self, policy: &Policy) -> Option<Suspicion> {
        if self.reported || !(policy.is_walk)(self.targets.len(), self.absent.len()) {
            return None;
        }
        self.reported = true;
        let payload = json!({"refused": self.targets, "absent_ids": self.absent.len()});
        Some(Suspicion::breach(finding::PROBING, &[6], "a walk over what was not declared", payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).expect("a time")
    }

    #[test]
    fn a_caller_is_limited_alone_and_only_for_a_minute() {
        let (mut watch, policy) = (Watch::default(), Policy::default());
        for _ in 0..3 {
            assert_eq!(watch.admit(&policy, "a", at(0), 3), Ok(()));
        }
        let refused = watch.admit(&policy, "a", at(59), 3).expect_err("too often");
        assert_eq!(refused.retry_after_seconds, 1);
        assert_eq!(watch.admit(&policy, "b", at(59), 3), Ok(()));
        assert_eq!(watch.admit(&policy, "a", at(60), 3), Ok(()));
    }

    #[test]
    fn a_flood_is_reported_once_in_a_minute() {
        let (mut watch, policy) = (Watch::default(), Policy::default());
        let reported = |watch: &mut Watch, second| {
            watch.admit(&policy, "a", at(second), 0).expect_err("too often").suspicion.is_some()
        };
        assert!(reported(&mut watch, 0));
        assert!(!reported(&mut watch, 59));
        assert!(reported(&mut watch, 60));
    }

    #[test]
    fn three_different_refusals_are_a_walk_and_one_walk_is_reported_once() {
        let (mut watch, policy) = (Watch::default(), Policy::default());
        for target in ["x", "x", "y"] {
            assert_eq!(watch.refused(&policy, "a", target, at(0)), None);
        }
        assert!(watch.refused(&policy, "a", "z", at(1)).is_some());
        assert_eq!(watch.refused(&policy, "a", "w", at(2)), None);
    }

    #[test]
    fn ten_grants_of_any_kind_are_no_mass_and_twenty_wide_ones_are() {
        let (mut watch, policy) = (Watch::default(), Policy::default());
        assert!((0..10).all(|n| watch.granted(&policy, "a", true, at(n)).is_none()));
        assert!((0..10).any(|n| watch.granted(&policy, "a", true, at(n)).is_some()));
    }
}
