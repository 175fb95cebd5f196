//! Detection over several calls: floods (6.1), enumeration (6.4) and mass grants (6.2). The counts are in
//! memory, so a restart resets them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::policy::policy;
use crate::suspicion::Suspicion;
use covenant_model::wire::notice::finding;
use covenant_model::wire::path::Route;
use covenant_net::net::Inbound;

/// Window over which calls are counted, and the pause after which enumeration counts as a new one.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Number of different rejected targets that counts as enumeration.
const ENUMERATED_TARGETS: usize = 3;
/// Number of absent ids of a declared kind that counts as enumeration.
const ENUMERATED_ABSENT_IDS: usize = 20;
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
        name_caller: fn(&str) -> String = str::to_owned,
        /// Controls whether handshakes are counted.
        counts_handshakes: bool = true,
        /// Returns whether a heartbeat counts: each does, whatever it carries.
        counts_heartbeat: fn(&Inbound) -> bool = |_| true,
        /// Time for which a call counts.
        window: SignedDuration = WINDOW,
        /// Returns whether a call to this route resets its caller's count. The default never does.
        resets_at: fn(&Route) -> bool = |_| false,
        /// Returns whether one more call is too many, by the calls of the last 60 s and the platform's limit.
        is_flood: fn(usize, usize) -> bool = is_flood,
        /// Returns whether a flood is reported, by the time since the caller's last flood.
        reports_flood: fn(Option<SignedDuration>) -> bool = reports_flood,
        /// Returns whether these numbers of rejected targets and absent ids are enumeration.
        is_enumeration: fn(usize, usize) -> bool = is_enumeration,
        /// Returns whether these numbers of wide grants and of all grants within an hour are a mass.
        is_mass_grant: fn(usize, usize) -> bool = is_mass_grant,
    }
}

/// Returns whether the calls of the window have reached the limit.
pub(crate) fn is_flood(calls_before: usize, limit: usize) -> bool {
    calls_before >= limit
}

/// Returns whether 60 s have passed since the last report: a continuing flood is one act.
pub(crate) fn reports_flood(since_last: Option<SignedDuration>) -> bool {
    since_last.is_none_or(|ago| ago >= WINDOW)
}

/// Returns whether there are three different rejected targets or twenty absent ids.
pub(crate) fn is_enumeration(targets: usize, absent_ids: usize) -> bool {
    targets >= ENUMERATED_TARGETS || absent_ids >= ENUMERATED_ABSENT_IDS
}

/// Returns whether there are fifteen wide grants, or fifty grants in all.
pub(crate) fn is_mass_grant(wide: usize, all: usize) -> bool {
    wide >= WIDE_GRANTS || all >= GRANTS
}

/// The counts for each caller.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: BTreeMap<String, VecDeque<Timestamp>>,
    floods: BTreeMap<String, Timestamp>,
    enumerations: BTreeMap<String, Enumeration>,
    grants: BTreeMap<String, VecDeque<(Timestamp, bool)>>,
}

#[derive(Debug, Default)]
struct Enumeration {
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

impl Counters {
    /// Counts an accept or heartbeat call.
    pub(crate) fn admit(
        &mut self,
        policy: &Policy,
        caller: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<(), TooOften> {
        let key = (policy.name_caller)(caller);
        if self.calls.len() >= CALLERS_MAX && !self.calls.contains_key(&key) {
            self.calls.pop_first();
        }
        let calls = self.calls.entry(key).or_default();
        while calls.front().is_some_and(|at| now.duration_since(*at) >= policy.window) {
            calls.pop_front();
        }
        if !(policy.is_flood)(calls.len(), limit) {
            calls.push_back(now);
            return Ok(());
        }
        let oldest = calls.front().copied().unwrap_or(now);
        let retry_after_seconds = (policy.window - now.duration_since(oldest)).as_secs().max(1);
        let since_last = self.floods.get(caller).map(|at| now.duration_since(*at));
        let suspicion = (policy.reports_flood)(since_last).then(|| {
            self.floods.insert(caller.to_owned(), now);
            let message = format!("more than {limit} accept and heartbeat calls within 60 s");
            Suspicion::breach(finding::HANDSHAKE_FLOOD, &[6], message, json!({"limit": limit}))
        });
        Err(TooOften { retry_after_seconds, suspicion })
    }

    /// Resets the count of the caller if the policy asks for it.
    pub(crate) fn pass(&mut self, policy: &Policy, caller: &str, route: &Route) {
        if (policy.resets_at)(route) {
            self.calls.remove(&(policy.name_caller)(caller));
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
        let enumeration = self.enumeration(peer_id, now);
        enumeration.targets.insert(target.to_owned());
        enumeration.check(policy)
    }

    /// Notes that a peer asked for an absent id.
    pub(crate) fn absent(
        &mut self,
        policy: &Policy,
        peer_id: &str,
        target: &str,
        now: Timestamp,
    ) -> Option<Suspicion> {
        let enumeration = self.enumeration(peer_id, now);
        enumeration.absent.insert(target.to_owned());
        enumeration.check(policy)
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
        if !(policy.is_mass_grant)(wide_count, grants.len()) {
            return None;
        }
        let payload = json!({"grants": grants.len(), "wide": wide_count});
        grants.clear();
        Some(Suspicion::breach(finding::MASS_GRANTS, &[6], "many grants at once, by no operator", payload))
    }

    fn enumeration(&mut self, peer_id: &str, now: Timestamp) -> &mut Enumeration {
        let enumeration = self.enumerations.entry(peer_id.to_owned()).or_default();
        if enumeration.last.is_none_or(|last| now.duration_since(last) >= WINDOW) {
            *enumeration = Enumeration::default();
        }
        enumeration.last = Some(now);
        enumeration
    }
}

impl Enumeration {
    fn check(&mut self, policy: &Policy) -> Option<Suspicion> {
        if self.reported || !(policy.is_enumeration)(self.targets.len(), self.absent.len()) {
            return None;
        }
        self.reported = true;
        let payload = json!({"refused": self.targets, "absent_ids": self.absent.len()});
        Some(Suspicion::breach(finding::PROBING, &[6], "enumeration of what was not declared", payload))
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
        let (mut counters, policy) = (Counters::default(), Policy::default());
        for _ in 0..3 {
            assert_eq!(counters.admit(&policy, "a", at(0), 3), Ok(()));
        }
        let refused = counters.admit(&policy, "a", at(59), 3).expect_err("too often");
        assert_eq!(refused.retry_after_seconds, 1);
        assert_eq!(counters.admit(&policy, "b", at(59), 3), Ok(()));
        assert_eq!(counters.admit(&policy, "a", at(60), 3), Ok(()));
    }

    #[test]
    fn a_flood_is_reported_once_in_a_minute() {
        let (mut counters, policy) = (Counters::default(), Policy::default());
        let reported = |counters: &mut Counters, second| {
            counters.admit(&policy, "a", at(second), 0).expect_err("too often").suspicion.is_some()
        };
        assert!(reported(&mut counters, 0));
        assert!(!reported(&mut counters, 59));
        assert!(reported(&mut counters, 60));
    }

    #[test]
    fn three_different_refusals_are_an_enumeration_which_is_reported_once() {
        let (mut counters, policy) = (Counters::default(), Policy::default());
        for target in ["x", "x", "y"] {
            assert_eq!(counters.refused(&policy, "a", target, at(0)), None);
        }
        assert!(counters.refused(&policy, "a", "z", at(1)).is_some());
        assert_eq!(counters.refused(&policy, "a", "w", at(2)), None);
    }

    #[test]
    fn ten_grants_are_no_mass_grant_and_twenty_wide_ones_are() {
        let (mut counters, policy) = (Counters::default(), Policy::default());
        assert!((0..10).all(|n| counters.granted(&policy, "a", true, at(n)).is_none()));
        assert!((0..10).any(|n| counters.granted(&policy, "a", true, at(n)).is_some()));
    }
}
