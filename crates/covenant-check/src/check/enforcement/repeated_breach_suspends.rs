//! `repeated-breach-suspends`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::suspension::is_suspended;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_accepted};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, Scan, calls, labelled_calls, peer_id, peer_shown, scan};
use covenant_model::transcript::Trace;

/// The number of breaches that have to suspend.
const BREACHES: u64 = 5;

/// The fifth breach of one norm has suspended the peer, and the first alone has not. A breach counts if it reached
/// the target: a call of the same route was accepted before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RepeatedBreachSuspends {
    /// The breaches.
    pub call: Labels,
    /// The operator's snapshot of the peer of one breach.
    pub after_first: Label,
    /// The operator's snapshot of the peer of five breaches.
    pub after_fifth: Label,
    /// Valid calls of the peer of five breaches, made after that snapshot.
    pub probe: Label,
    /// The same calls, made before its breaches.
    pub control: Label,
    /// The scan before the breaches, where it is open what the target counts as one breach.
    pub before: Option<Label>,
    /// The scan after the breaches.
    pub after: Option<Label>,
    /// The peer of five breaches.
    pub peer: Option<PeerName>,
    /// A peer that did nothing wrong: kinds of findings about it too are no breaches.
    pub conforming: Option<PeerName>,
    /// The scans around the breaches, where these are of two forms in turn: one before the first breach, and one after each.
    /// Each breach has to have raised a finding of a kind that breaches of its form alone raise, and more than one of them.
    pub each: Option<Labels>,
}

impl Check for RepeatedBreachSuspends {
    const ID: &'static str = "repeated-breach-suspends";
    const EXPECTED: &'static [&'static str] =
        &["not suspended after one breach; suspended after five, and served no more"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut breaches = labelled_calls(trace, &self.call);
        if let Some(breach) = breaches.find(|breach| call_outcome(breach.exchange) == CallOutcome::Admitted) {
            let actual = "the breach was not noticed as one: it was accepted";
            return Err(Stop::unproven(actual, [breach.n()]));
        }
        self.breaches_arrived(trace)?;
        let snapshot = |label: &Label| peer_shown(trace, label).or_unproven("the peers were not shown");
        let (first, one) = snapshot(&self.after_first)?;
        let (fifth, five) = snapshot(&self.after_fifth)?;
        let evidence = [first, fifth];
        match (is_suspended(one), is_suspended(five)) {
            (Some(true), _) => return Err(Stop::broken("one breach alone suspended the peer", evidence)),
            (_, Some(false)) => return Err(self.not_suspended(trace, evidence)),
            (Some(false), Some(true)) => {}
            (None, _) | (_, None) => {
                let actual = format!("a status is not known: {}, {}", one["status"], five["status"]);
                return Err(Stop::unproven(actual, evidence));
            }
        }
        self.is_served_no_more(trace, evidence)?;
        Ok(Pass::new("suspended on repetition only, and served no more", evidence))
    }
}

impl RepeatedBreachSuspends {
    /// Ends the check unless each breach was refused, on a route that the target has. A route that it lacks
    /// refuses everything.
    fn breaches_arrived(&self, trace: &Trace) -> Result<(), Stop> {
        let made: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        if let Some(lost) = made.iter().find(|call| call.exchange.was_put_off()) {
            return Err(Stop::unproven(format!("a breach did not arrive: {}", lost.summary()), [lost.n()]));
        }
        let served: Vec<Call<'_>> = calls(trace).made_by_peer().accepted().collect();
        let name = |call: &Call<'_>| call.route().map(|route| route.name());
        let is_known =
            |call: &&Call<'_>| name(call).is_some() && served.iter().any(|one| name(one) == name(call));
        if let Some(breach) = made.iter().find(|call| !is_known(call)) {
            let actual =
                format!("no call of that route was accepted, so it may not exist: {}", breach.summary());
            return Err(Stop::unproven(actual, [breach.n()]));
        }
        Ok(())
    }

    /// Returns the stop for a peer that is not suspended. If the target noticed less than five breaches, though
    /// some, it may count them otherwise.
    fn not_suspended(&self, trace: &Trace, snapshots: [u64; 2]) -> Stop {
        if let Some(scans) = &self.each {
            return match self.found_each(trace, scans) {
                Ok(found) => {
                    let actual = "each of five breaches raised a finding, and they did not suspend the peer";
                    Stop::broken(actual, snapshots.into_iter().chain(found))
                }
                Err(reason) => Stop::unproven(reason, snapshots),
            };
        }
        match self.noticed(trace) {
            None => Stop::broken("five breaches did not suspend the peer", snapshots),
            Some((n, 0)) => {
                let actual = "five breaches raised no finding about the peer, and did not suspend it";
                Stop::broken(actual, snapshots.into_iter().chain([n]))
            }
            Some((n, noticed @ 1..BREACHES)) => {
                let actual = format!("of five breaches {noticed} were found, and the peer is not suspended");
                Stop::unproven(actual, snapshots.into_iter().chain([n]))
            }
            Some((n, noticed)) => {
                let actual = format!("{noticed} breaches were found, and did not suspend the peer");
                Stop::broken(actual, snapshots.into_iter().chain([n]))
            }
        }
    }

    /// Returns the entries of the scans if the target found each breach: from one scan to the next a kind rose about the peer
    /// that rose at another breach of the same form too, and at none of the other form. Otherwise returns the reason for which
    /// that is not shown.
    fn found_each(&self, trace: &Trace, scans: &Labels) -> Result<Vec<u64>, String> {
        let read = |label: &str| scan(trace, label).map_err(|_| format!("{label:?} was not read"));
        let scans = scans.iter().map(read).collect::<Result<Vec<Scan>, String>>()?;
        let peer = self.peer.as_ref().and_then(|peer| peer_id(trace, peer));
        let peer = peer.ok_or("the peer's id is not known")?;
        let common = self.conforming.as_ref().and_then(|peer| peer_id(trace, peer));
        let is_common = |kind: &str| {
            let about = |scan: &Scan, peer: &String| scan.times_about(peer).contains_key(kind);
            common.as_ref().is_some_and(|peer| scans.iter().any(|scan| about(scan, peer)))
        };
        let risen = |pair: &[Scan]| {
            let known = pair[0].times_about(&peer);
            let later = pair[1].times_about(&peer).into_iter();
            let is_more = |(kind, times): &(String, u64)| {
                !is_common(kind) && *times > known.get(kind).copied().unwrap_or_default()
            };
            later.filter(is_more).map(|(kind, _)| kind).collect::<BTreeSet<String>>()
        };
        let raised: Vec<BTreeSet<String>> = scans.windows(2).map(risen).collect();
        let is_of_form = |number: usize, kind: &String| {
            let at = (0..raised.len()).filter(|other| raised[*other].contains(kind));
            let others: Vec<usize> = at.filter(|other| *other != number).collect();
            !others.is_empty() && others.iter().all(|other| other % 2 == number % 2)
        };
        for (number, kinds) in raised.iter().enumerate() {
            if !kinds.iter().any(|kind| is_of_form(number, kind)) {
                let what = if kinds.is_empty() { "no finding" } else { "no finding of its form alone" };
                return Err(format!("breach {} raised {what}, so it may not count as one", number + 1));
            }
        }
        if u64::try_from(scans.len()).is_ok_and(|scans| scans <= BREACHES) {
            return Err(format!("fewer than {BREACHES} breaches were found"));
        }
        Ok(scans.iter().map(|scan| scan.n).collect())
    }

    /// Returns the entry of the later scan, and the number of breaches of one kind that it shows beyond the earlier
    /// one. Returns `None` if there are no scans to compare.
    fn noticed(&self, trace: &Trace) -> Option<(u64, u64)> {
        let (before, after) = (self.before.as_ref()?, self.after.as_ref()?);
        let (before, after) = (scan(trace, before).ok()?, scan(trace, after).ok()?);
        let peer = peer_id(trace, self.peer.as_ref()?)?;
        let common = self.conforming.as_ref().and_then(|peer| peer_id(trace, peer));
        let known = before.times_about(&peer);
        let is_common =
            |kind: &str| common.as_ref().is_some_and(|peer| after.times_about(peer).contains_key(kind));
        let counts = after.times_about(&peer).into_iter().filter(|(kind, _)| !is_common(kind));
        let new =
            counts.map(|(kind, times)| times.saturating_sub(known.get(&kind).copied().unwrap_or_default()));
        Some((after.n, new.max().unwrap_or_default()))
    }

    /// Ends the check unless the suspended peer, which was served before, is refused.
    /// `snapshots` are the entries of both snapshots.
    fn is_served_no_more(&self, trace: &Trace, snapshots: [u64; 2]) -> Result<(), Stop> {
        let [_, fifth] = snapshots;
        let made = |label: &Label| calls(trace).labelled(label).collect::<Vec<Call<'_>>>();
        let (controls, probes) = (made(&self.control), made(&self.probe));
        if let Some(probe) = probes.iter().find(|probe| is_accepted(probe.exchange)) {
            let actual = format!("the peer is shown as suspended, and served: {}", probe.summary());
            return Err(Stop::broken(actual, [fifth, probe.n()]));
        }
        let was_served = !controls.is_empty() && controls.iter().all(|control| is_accepted(control.exchange));
        if probes.is_empty() || !was_served {
            return Err(Stop::unproven("the peer was not served before its breaches either", snapshots));
        }
        if let Some(probe) = probes.iter().find(|probe| call_outcome(probe.exchange) != CallOutcome::Refused)
        {
            let actual = format!("neither refused nor accepted: {}", probe.summary());
            return Err(Stop::unproven(actual, [fifth, probe.n()]));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on peers of these statuses, if the suspended one gets these answers before and
    /// after.
    fn repeated(one: &str, five: &str, before: u16, after: u16) -> Verdict {
        let call = |status: u16| {
            let call = Exchange::to_target("alice").on("POST", "accept").sending(json!({}));
            call.answered_with(status, json!({"data": {}}))
        };
        TraceBuilder::new()
            .call("control", call(before))
            .operation("after-one", "peer.show", json!({"peer": {"status": one}}))
            .operation("after-five", "peer.show", json!({"peer": {"status": five}}))
            .call("probe", call(after))
            .verdict::<RepeatedBreachSuspends>(json!({
                "call": [], "after_first": "after-one", "after_fifth": "after-five", "probe": "probe",
                "control": "control",
            }))
    }

    /// Returns the verdict on a peer that is not suspended, about which the target counts this number of breaches.
    fn not_suspended(times: Option<u64>) -> Verdict {
        let about = |peer: &str, kind: &str, times: u64| json!({"kind": kind, "federation_peer_id": peer, "payload": {}, "message": "", "count": times});
        let stale = [about("p", "stale", 9), about("a", "stale", 9)];
        let found: Vec<_> =
            times.map(|times| about("p", "probing", times)).into_iter().chain(stale).collect();
        let accept = |peer: &str, id: &str| {
            let call = Exchange::to_target(peer).on("POST", "accept").sending(json!({}));
            call.answered_with(200, json!({"data": {"peer_id": id}}))
        };
        let builder =
            TraceBuilder::new().call("control", accept("often", "p")).call("x", accept("alice", "a"));
        builder
            .operation("before", "governance.scan", json!({"findings": []}))
            .operation("after", "governance.scan", json!({ "findings": found }))
            .operation("after-one", "peer.show", json!({"peer": {"status": "active"}}))
            .operation("after-five", "peer.show", json!({"peer": {"status": "active"}}))
            .verdict::<RepeatedBreachSuspends>(json!({
                "call": [], "after_first": "after-one", "after_fifth": "after-five", "probe": "probe",
                "control": "control", "before": "before", "after": "after", "peer": "often",
                "conforming": "alice",
            }))
    }

    #[test]
    fn a_target_that_counts_fewer_breaches_is_unproven() {
        assert_eq!(not_suspended(None), Broken, "it noticed nothing");
        assert_eq!(not_suspended(Some(2)), Unproven);
        assert_eq!(not_suspended(Some(5)), Broken);
    }

    #[test]
    fn a_breach_on_a_route_that_accepts_nothing_is_none() {
        let breached = |route: &str| {
            let fetch =
                |status: u16| Exchange::to_target("alice").on("GET", "resources/skill/a").answered(status);
            let breach = Exchange::to_target("alice").on("POST", route).sending(json!({})).answered(404);
            TraceBuilder::new()
                .call("control", fetch(200))
                .call("valid", Exchange::to_target("alice").on("POST", "migrations").answered(201))
                .call("breach", breach)
                .operation("after-one", "peer.show", json!({"peer": {"status": "active"}}))
                .operation("after-five", "peer.show", json!({"peer": {"status": "active"}}))
                .call("probe", fetch(200))
                .verdict::<RepeatedBreachSuspends>(json!({
                    "call": "breach", "after_first": "after-one", "after_fifth": "after-five",
                    "probe": "probe", "control": "control",
                }))
        };
        assert_eq!([breached("migrations"), breached("sync")], [Broken, Unproven]);
    }

    /// Returns the verdict on a peer that is not suspended, about which the scans show these numbers of two kinds.
    fn not_suspended_by_kinds(found: &[[u64; 2]]) -> Verdict {
        not_suspended_beside(found, &[], None)
    }

    /// Returns the same verdict if the last scan shows these kinds about the conforming peer, and if this label replaces that of
    /// the last scan.
    fn not_suspended_beside(found: &[[u64; 2]], common: &[&str], last: Option<&str>) -> Verdict {
        let about_one = |peer: &str, kind: &str, times: u64| json!({"kind": kind, "federation_peer_id": peer, "payload": {}, "message": "", "count": times});
        let about = |kind: &str, times: u64| about_one("p", kind, times);
        let accept = |peer: &str, id: &str| {
            let call = Exchange::to_target(peer).on("POST", "accept").sending(json!({}));
            call.answered_with(200, json!({"data": {"peer_id": id}}))
        };
        let builder = TraceBuilder::new().call("control", accept("often", "p"));
        let mut builder = builder.call("x", accept("alice", "a"));
        let mut labels: Vec<String> = (0..found.len()).map(|number| format!("found-{number}")).collect();
        for (label, times) in labels.iter().zip(found) {
            let is_last = labels.last() == Some(label);
            let beside = common.iter().filter(|_| is_last).map(|kind| about_one("a", kind, 1));
            let findings: Vec<_> = ["probing", "corrupt"]
                .into_iter()
                .zip(times)
                .filter(|(_, times)| **times > 0)
                .map(|(kind, times)| about(kind, *times))
                .chain(beside)
                .collect();
            builder = builder.operation(label, "governance.scan", json!({ "findings": findings }));
        }
        for label in ["after-one", "after-five"] {
            builder = builder.operation(label, "peer.show", json!({"peer": {"status": "active"}}));
        }
        if let (Some(label), Some(last)) = (labels.last_mut(), last) {
            last.clone_into(label);
        }
        builder.verdict::<RepeatedBreachSuspends>(json!({
            "call": [], "after_first": "after-one", "after_fifth": "after-five", "probe": "probe",
            "control": "control", "peer": "often", "conforming": "alice", "each": labels,
        }))
    }

    #[test]
    fn breaches_of_two_kinds_count_together_if_each_was_found() {
        let all = [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 3]];
        assert_eq!(not_suspended_by_kinds(&all), Broken);
        let merged = [[0, 0], [0, 1], [1, 1], [1, 2], [1, 2], [1, 3]];
        assert_eq!(not_suspended_by_kinds(&merged), Unproven, "the second enumeration raised nothing");
        assert_eq!(not_suspended_by_kinds(&[[0, 0]; 6]), Unproven);
        assert_eq!(not_suspended_by_kinds(&all[..5]), Unproven, "four breaches");
        let of_one_kind = [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 5]];
        assert_eq!(not_suspended_by_kinds(&of_one_kind), Unproven, "it may rise with time");
        let late = [[0, 0], [0, 1], [1, 1], [2, 2], [3, 2], [3, 3]];
        assert_eq!(
            not_suspended_by_kinds(&late),
            Unproven,
            "an enumeration is also found at the next breach"
        );
        assert_eq!(not_suspended_beside(&all, &["stale"], None), Broken);
        assert_eq!(not_suspended_beside(&all, &["corrupt"], None), Unproven, "alice has one too");
        assert_eq!(not_suspended_beside(&all, &["probing"], None), Unproven);
        assert_eq!(not_suspended_beside(&all, &[], Some("lost")), Unproven, "no scan has that label");
    }

    #[test]
    fn suspension_at_once_or_never_or_in_name_only_is_broken() {
        assert_eq!(repeated("active", "suspended", 200, 401), Kept);
        assert_eq!(repeated("suspended", "suspended", 200, 401), Broken);
        assert_eq!(repeated("active", "active", 200, 401), Broken);
        assert_eq!(repeated("active", "suspended", 200, 200), Broken);
        assert_eq!(repeated("active", "Suspended (review)", 200, 401), Kept);
        assert_eq!(repeated("active", "quarantined", 200, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 401, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 200, 500), Unproven);
    }
}
