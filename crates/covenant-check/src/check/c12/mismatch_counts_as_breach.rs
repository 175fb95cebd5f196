//! `mismatch-counts-as-breach`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::enforcement::is_suspended;
use crate::check::general::all_put_off;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Scan, peer_id, peer_shown, scan};
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::Finding;

/// A contract mismatch counts as one breach more of a norm: it suspends a peer that was one breach short of
/// suspension.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MismatchCountsAsBreach {
    /// Peers with one breach, with two, and so on.
    pub peers: Vec<PeerName>,
    /// The commitment that they breached: 3 or 6.
    pub norm: u64,
    /// The `peer.show` of each peer after its breaches.
    pub snapshots_before: Labels,
    /// The `peer.show` of each peer after its mismatch.
    pub snapshots_after: Labels,
    /// The scan before the first breach: what stands there is no breach.
    pub baseline: Label,
    /// The scan before the mismatch.
    pub before: Label,
    /// The scan after the mismatch.
    pub after: Label,
    /// The `peer.show` of peers with as many breaches each, after one more breach of the norm in another way. The one that
    /// stands for the peer has to be suspended: the target counts breaches of different ways together, and so a mismatch.
    pub together: Option<Labels>,
}

impl Check for MismatchCountsAsBreach {
    const ID: &'static str = "mismatch-counts-as-breach";
    const EXPECTED: &'static [&'static str] =
        &["the mismatch counts against the norm: one breach more, which suspends"];

    fn expected(&self) -> Vec<String> {
        vec![format!("the mismatch counts against {}: one breach more, which suspends", self.norm)]
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let shown = |labels: &Labels| -> Result<Vec<(u64, &Value)>, Stop> {
            let shown: Option<Vec<_>> = labels.iter().map(|label| peer_shown(trace, label)).collect();
            shown.or_unproven("the peers were not shown")
        };
        let (before, after) = (shown(&self.snapshots_before)?, shown(&self.snapshots_after)?);
        // If a platform suspends at the third breach, the peer with two breaches shows it.
        let last = before.iter().rposition(|(_, peer)| is_suspended(peer) == Some(false));
        let last = last.and_then(|last| Some((last, after.get(last)?, self.peers.get(last)?)));
        let (last, (after, peer), name) = last.or_unproven("the first breach had suspended every peer")?;
        let (breaches, before) = (last + 1, before[last].0);
        let first = self.peers.first().filter(|_| last > 0);
        let findings = self
            .findings_about(trace, name, first)
            .or_unproven_at("the findings could not be read", &[before, *after])?;
        let evidence = [before, *after, findings.n];
        let is_suspended = is_suspended(peer)
            .or_unproven_at(&format!("the status {} is not one of the wire", peer["status"]), &evidence)?;
        let together =
            self.together.as_ref().map(|labels| count_together(trace, labels, last)).transpose()?;
        if let Some(lost) = all_put_off(trace, name, [findings.before, findings.n]) {
            let actual = format!("each call of {} was put off: {}", &**name, lost.summary());
            return Err(Stop::unproven(actual, evidence.into_iter().chain([lost.n()])));
        }
        let (noticed, raised) = (findings.noticed, &findings.raised);
        match (is_suspended, raised.is_empty()) {
            (false, true) => Err(Stop::broken("it raised no finding, and suspended no one", evidence)),
            _ if noticed == 0 => Err(Stop::unproven("the breaches before it were not noticed", evidence)),
            (true, false) => Ok(Pass::new(format!("{} was suspended by the mismatch", &**name), evidence)),
            (true, true) => Err(Stop::broken("the mismatch raised no finding", evidence)),
            (false, _) if together.is_some() => {
                let actual = "one breach more of another way suspends, and the mismatch does not";
                Err(Stop::broken(actual, evidence.into_iter().chain(together)))
            }
            // It is open what counts as one breach: a claim that stays may be one, however often it is acted on.
            (false, _) if findings.counted < breaches => {
                let actual = format!(
                    "of {breaches} breaches {} were found, and one more does not suspend",
                    findings.counted
                );
                Err(Stop::unproven(actual, evidence))
            }
            // It is open whether breaches are counted by clause or by commitment.
            (false, _) if raised.iter().any(|finding| names_norm(finding, self.norm)) => {
                Err(Stop::unproven("the finding names the norm, and does not suspend", evidence))
            }
            (false, _) => {
                let actual = format!("{} is not suspended, and no finding names the norm", &**name);
                Err(Stop::broken(actual, evidence))
            }
        }
    }
}

/// Returns the entry which shows that breaches of different ways count together: a peer with as many breaches as this one, and one
/// of another way, is suspended.
fn count_together(trace: &Trace, labels: &Labels, place: usize) -> Result<u64, Stop> {
    let shown = labels.iter().nth(place).and_then(|label| peer_shown(trace, label));
    let (n, peer) = shown.or_unproven("the peers of the control were not shown")?;
    if is_suspended(peer) == Some(true) {
        return Ok(n);
    }
    Err(Stop::unproven("breaches of different ways do not count together", [n]))
}

/// The findings about a peer.
struct FindingsAbout {
    /// The number of the entry of the scan before the mismatch.
    before: u64,
    /// The number of the entry of the scan after the mismatch.
    n: u64,
    /// The number of times that anything was found before the mismatch and after the baseline.
    noticed: usize,
    /// The number of breaches that were found: of the most frequent kind that is found more often about this peer than about one
    /// with a single breach. What is found about a peer for another reason is no breach.
    counted: usize,
    /// The findings that the mismatch raised or changed, as JSON.
    raised: Vec<Value>,
}

impl MismatchCountsAsBreach {
    /// Returns the findings about a peer; `first` is the one with a single breach, unless this is it.
    fn findings_about(&self, trace: &Trace, peer: &str, first: Option<&PeerName>) -> Option<FindingsAbout> {
        let scan = |label: &str| scan(trace, label).ok();
        let (baseline, before, after) = (scan(&self.baseline)?, scan(&self.before)?, scan(&self.after)?);
        let peer_id = peer_id(trace, peer)?;
        let found_about = |id: &str| {
            let mut found: BTreeMap<&str, usize> = BTreeMap::new();
            for finding in before.new_about(&baseline, id) {
                *found.entry(&finding.kind).or_default() += times(&as_json(finding));
            }
            found
        };
        let own = found_about(&peer_id);
        let of_first = match first {
            Some(first) => found_about(&self::peer_id(trace, first)?),
            None => BTreeMap::new(),
        };
        let of_breaches =
            own.iter().filter(|(kind, times)| of_first.get(*kind).is_none_or(|one| one < *times));
        let about = |scan: &Scan| -> Vec<Value> {
            let about = scan.findings.iter();
            let about = about.filter(|finding| finding.federation_peer_id.as_deref() == Some(&*peer_id));
            about.map(as_json).collect()
        };
        let known = about(&before);
        let raised = about(&after).into_iter().filter(|finding| !known.contains(finding)).collect();
        let counted = of_breaches.map(|(_, times)| *times).max().unwrap_or_default();
        Some(FindingsAbout { before: before.n, n: after.n, noticed: own.values().sum(), counted, raised })
    }
}

fn as_json(finding: &Finding) -> Value {
    serde_json::to_value(finding).unwrap_or_default()
}

/// Returns the number of breaches that a finding counts.
fn times(finding: &Value) -> usize {
    let count = finding["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    count.unwrap_or(1).clamp(1, 99)
}

/// Returns whether a finding names a commitment, or one of its clauses, anywhere: as a number or in a text.
fn names_norm(finding: &Value, norm: u64) -> bool {
    match finding {
        Value::Array(items) => items.iter().any(|item| names_norm(item, norm)),
        // A count and a time are no names.
        Value::Object(members) => {
            members.iter().any(|(name, member)| name != "count" && names_norm(member, norm))
        }
        Value::Number(number) => number.as_u64() == Some(norm),
        Value::String(text) => {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            words.any(|word| is_of_norm(word.trim_matches('.'), norm))
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// Returns whether a word names the commitment: `3`, `c3` or `3.2`, but no release such as `3.2.0`.
fn is_of_norm(word: &str, norm: u64) -> bool {
    let word = word.trim_start_matches(['c', 'C']);
    let (commitment, clause) = word.split_once('.').unwrap_or((word, "1"));
    commitment == norm.to_string() && clause.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on the mismatch of a peer with two breaches, of which nothing was found about it before.
    fn mismatch(before: &Value, after: &Value, status: &str) -> Verdict {
        mismatch_since(&json!([]), before, after, status)
    }

    /// Returns the same verdict, where these findings stood before the first breach.
    fn mismatch_since(baseline: &Value, before: &Value, after: &Value, status: &str) -> Verdict {
        let peer = |status: &str| json!({"peer": {"status": status}});
        let scan = |findings: &Value| json!({ "findings": findings });
        let accept = |peer: &str, id: &str| {
            Exchange::to_target(peer)
                .on("POST", "accept")
                .sending(json!({"contract_version": 1, "contract_digest": "AB"}))
                .answered_with(200, json!({"data": {"peer_id": id, "contract_version_agreed": 1}}))
        };
        TraceBuilder::new()
            .call("accepted", accept("alice", "1"))
            .call("accepted", accept("bob", "2"))
            .operation("baseline", "governance.scan", scan(baseline))
            .operation("shown-before", "peer.show", peer("active"))
            .operation("before", "governance.scan", scan(before))
            .operation("after", "governance.scan", scan(after))
            .operation("shown-after", "peer.show", peer(status))
            .operation("shown-before-2", "peer.show", peer("active"))
            .operation("shown-after-2", "peer.show", peer(status))
            .verdict::<MismatchCountsAsBreach>(json!({
                "peers": ["bob", "alice"], "norm": 3,
                "snapshots_before": ["shown-before", "shown-before-2"],
                "snapshots_after": ["shown-after", "shown-after-2"],
                "baseline": "baseline", "before": "before", "after": "after",
            }))
    }

    #[test]
    fn a_mismatch_that_does_not_suspend_has_to_name_the_norm() {
        let finding =
            |kind: &str, payload: Value| json!({"kind": kind, "federation_peer_id": "1", "payload": payload});
        let two = json!([finding("drift", json!({"row": "a"})), finding("drift", json!({"row": "b"}))]);
        let with = |payload: Value| json!([two[0], two[1], finding("mismatch", payload)]);
        assert_eq!(mismatch(&two, &with(json!({})), "suspended"), Kept);
        assert_eq!(mismatch(&two, &two, "suspended"), Broken);
        assert_eq!(mismatch(&two, &with(json!({"version": 7002, "at": "3.0.1"})), "active"), Broken);
        for named in
            [json!({"norms": ["3", "6"]}), json!({"why": "counts against C3."}), json!({"clause": 3})]
        {
            assert_eq!(mismatch(&two, &with(named.clone()), "active"), Unproven, "{named}");
        }
        let one = json!([two[0]]);
        assert_eq!(mismatch(&one, &with(json!({})), "active"), Unproven);
        assert_eq!(mismatch(&json!([]), &with(json!({})), "suspended"), Unproven);
        assert_eq!(mismatch(&json!([]), &json!([]), "active"), Broken);
    }

    #[test]
    fn a_finding_for_another_reason_is_no_breach() {
        let finding = |kind: &str, peer: &str, row: &str| json!({"kind": kind, "federation_peer_id": peer, "payload": {"row": row}});
        let with_mismatch =
            |before: &[Value]| Value::from([before, &[finding("mismatch", "1", "m")]].concat());
        let verdict = |baseline: &[Value], before: &[Value]| {
            mismatch_since(&json!(baseline), &json!(before), &with_mismatch(before), "active")
        };
        let standing =
            [finding("new_peer", "1", "x"), finding("no_rotation", "1", "x"), finding("weak", "1", "x")];
        let once = [&standing[..], &[finding("drift", "1", "a")]].concat();
        assert_eq!(verdict(&standing, &once), Unproven, "a standing claim is one breach (reading 53)");
        let stale = |peer: &str| [finding("stale", peer, "a"), finding("stale", peer, "b")];
        let aged = [&once[..], &stale("1"), &stale("2")].concat();
        assert_eq!(verdict(&standing, &aged), Unproven, "the peer with one breach was silent as often");
        let twice = [&aged[..], &[finding("drift", "1", "b"), finding("drift", "2", "a")]].concat();
        assert_eq!(verdict(&standing, &twice), Broken);
        let counted =
            json!({"kind": "drift", "federation_peer_id": "1", "payload": {"row": "a"}, "count": 2});
        assert_eq!(verdict(&standing, &[&standing[..], &[counted]].concat()), Broken);
    }

    #[test]
    fn a_mismatch_that_was_put_off_counts_as_nothing() {
        let verdict = |statuses: &[u16]| {
            let peer = json!({"peer": {"status": "active"}});
            let scan = || json!({"findings": [{"kind": "drift", "federation_peer_id": "1"}]});
            let data = json!({"data": {"peer_id": "1", "contract_version_agreed": 1}});
            let accept = Exchange::to_target("alice").on("POST", "accept").sending(json!({}));
            let beat = |status| Exchange::to_target("alice").on("POST", "heartbeat").answered(status);
            let builder = TraceBuilder::new()
                .call("accepted", accept.answered_with(200, data))
                .operation("baseline", "governance.scan", json!({"findings": []}))
                .operation("shown-before", "peer.show", peer.clone())
                .operation("before", "governance.scan", scan());
            statuses
                .iter()
                .fold(builder, |builder, status| builder.call("mismatch", beat(*status)))
                .operation("after", "governance.scan", scan())
                .operation("shown-after", "peer.show", peer)
                .verdict::<MismatchCountsAsBreach>(json!({
                    "peers": ["alice"], "norm": 3, "snapshots_before": "shown-before",
                    "snapshots_after": "shown-after", "baseline": "baseline", "before": "before",
                    "after": "after",
                }))
        };
        assert_eq!([verdict(&[200]), verdict(&[422]), verdict(&[429, 200])], [Broken; 3]);
        assert_eq!([verdict(&[429]), verdict(&[503, 429])], [Unproven; 2]);
    }

    #[test]
    fn a_mismatch_counts_where_another_breach_counts_together_with_as_many() {
        let peer = |status: &str| json!({"peer": {"status": status}});
        let finding =
            |row: &str| json!({"kind": "corrupt", "federation_peer_id": "1", "payload": {"row": row}});
        let verdict = |before: [&str; 2], mixed: [&str; 2], after: [&str; 2]| {
            let scan =
                |rows: &[&str]| json!({"findings": rows.iter().map(|row| finding(row)).collect::<Vec<_>>()});
            let accept = |peer: &str, id: &str| {
                let data = json!({"data": {"peer_id": id}});
                Exchange::to_target(peer).on("POST", "accept").sending(json!({})).answered_with(200, data)
            };
            let mut builder = TraceBuilder::new().call("", accept("one", "1")).call("", accept("two", "1"));
            for (name, statuses) in [("before", before), ("mixed", mixed), ("after", after)] {
                for (place, status) in statuses.into_iter().enumerate() {
                    builder = builder.operation(&format!("{name}-{place}"), "peer.show", peer(status));
                }
            }
            builder
                .operation("baseline", "governance.scan", scan(&[]))
                .operation("scan", "governance.scan", scan(&["a"]))
                .operation("scan-again", "governance.scan", scan(&["a", "6 mismatch"]))
                .verdict::<MismatchCountsAsBreach>(json!({
                    "peers": ["one", "two"], "norm": 6, "snapshots_before": ["before-0", "before-1"],
                    "snapshots_after": ["after-0", "after-1"], "baseline": "baseline", "before": "scan",
                    "after": "scan-again", "together": ["mixed-0", "mixed-1"],
                }))
        };
        let (up, down) = ("active", "suspended");
        // The second breach suspends, or the third.
        assert_eq!(verdict([up, down], [down, down], [down, down]), Kept);
        assert_eq!(verdict([up, up], [up, down], [up, down]), Kept);
        assert_eq!(verdict([up, down], [down, down], [up, down]), Broken);
        assert_eq!(verdict([up, up], [up, down], [up, up]), Broken);
        assert_eq!(verdict([up, up], [up, up], [up, up]), Unproven, "it counts by clause");
        assert_eq!(verdict([down, down], [down, down], [down, down]), Unproven);
    }
}
