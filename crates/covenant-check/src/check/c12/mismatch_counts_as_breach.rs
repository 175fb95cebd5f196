//! `mismatch-counts-as-breach`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::enforcement::is_suspended;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{peer_id, peer_shown, scan};
use covenant_model::transcript::Trace;

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
    /// The scan before the mismatch.
    pub before: Label,
    /// The scan after the mismatch.
    pub after: Label,
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
        let findings = self
            .findings_about(trace, name)
            .or_unproven_at("the findings could not be read", &[before, *after])?;
        let evidence = [before, *after, findings.n];
        let is_suspended = is_suspended(peer)
            .or_unproven_at(&format!("the status {} is not one of the wire", peer["status"]), &evidence)?;
        let (noticed, raised) = (findings.noticed, &findings.raised);
        match (is_suspended, raised.is_empty()) {
            (false, true) => Err(Stop::broken("it raised no finding, and suspended no one", evidence)),
            _ if noticed == 0 => Err(Stop::unproven("the breaches before it were not noticed", evidence)),
            (true, false) => Ok(Pass::new(format!("{} was suspended by the mismatch", &**name), evidence)),
            (true, true) => Err(Stop::broken("the mismatch raised no finding", evidence)),
            // It is open what counts as one breach: a claim that stays may be one, however often it is acted on.
            (false, _) if noticed < breaches => {
                let actual =
                    format!("of {breaches} breaches {noticed} were found, and one more does not suspend");
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

/// The findings about a peer.
struct FindingsAbout {
    /// The number of the entry of the scan after the mismatch.
    n: u64,
    /// The number of breaches before the mismatch; a finding may count several.
    noticed: usize,
    /// The findings that the mismatch raised or changed, as JSON.
    raised: Vec<Value>,
}

impl MismatchCountsAsBreach {
    fn findings_about(&self, trace: &Trace, peer: &str) -> Option<FindingsAbout> {
        let peer_id = peer_id(trace, peer)?;
        let about = |label: &str| {
            let scan = scan(trace, label).ok()?;
            let findings = scan.findings.into_iter();
            let about = findings.filter(|finding| finding.federation_peer_id.as_deref() == Some(&*peer_id));
            let about = about.filter_map(|finding| serde_json::to_value(finding).ok());
            Some((scan.n, about.collect::<Vec<Value>>()))
        };
        let (_, known) = about(&self.before)?;
        let (n, found) = about(&self.after)?;
        let noticed = known.iter().map(times).sum();
        let raised = found.into_iter().filter(|finding| !known.contains(finding)).collect();
        Some(FindingsAbout { n, noticed, raised })
    }
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

    /// Returns the verdict on the mismatch of a peer with two breaches.
    fn mismatch(before: &Value, after: &Value, status: &str) -> Verdict {
        let peer = |status: &str| json!({"peer": {"status": status}});
        let scan = |findings: &Value| json!({ "findings": findings });
        let accept = Exchange::to_target("alice")
            .on("POST", "accept")
            .sending(json!({"contract_version": 1, "contract_digest": "AB"}))
            .answered_with(200, json!({"data": {"peer_id": "1", "contract_version_agreed": 1}}));
        TraceBuilder::new()
            .call("accepted", accept)
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
                "before": "before", "after": "after",
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
}
