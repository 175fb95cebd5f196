//! The usual fix of a breach, by clause and aspect. Advice to an implementer; no check depends on it.

use super::Aspect::{self, Conduct, Detection};
use super::ClauseId;

/// Returns what usually fixes a breach of a clause in an aspect; `None` if the clause has no such aspect.
#[must_use]
pub fn fix(id: ClauseId, aspect: Aspect) -> Option<&'static str> {
    let id = id.to_string();
    let row = FIXES.iter().find(|(clause, of, _)| *clause == id && *of == aspect);
    row.map(|(_, _, text)| *text)
}

/// The advice: clause, aspect, text.
const FIXES: &[(&str, Aspect, &str)] = &[
    (
        "1.1",
        Conduct,
        "Put `operator_contact` into the `metadata` of accept and of every heartbeat: an email address, or a PGP identifier.",
    ),
    (
        "1.1",
        Detection,
        "Validate `operator_contact` at accept and at every heartbeat; raise a finding when it is missing, blank or no address.",
    ),
    ("1.2", Conduct, "Put `jurisdiction` into the `metadata` of accept and of every heartbeat."),
    (
        "1.2",
        Detection,
        "Validate `jurisdiction` at accept and at every heartbeat; raise a finding when it is missing or blank.",
    ),
    ("1.3", Conduct, "Send `platform_version` as a semantic version, without a leading `v`."),
    (
        "1.3",
        Detection,
        "Parse the peer's `platform_version` as a semantic version; raise a finding when that fails.",
    ),
    ("1.4", Conduct, "Send `last_known_good_release`, the tag of a release that exists."),
    ("1.4", Detection, "Validate `last_known_good_release`; raise a finding when it is missing or blank."),
    (
        "1.5",
        Detection,
        "Require all four disclosure members before a peer becomes `enrolled`; refuse the accept otherwise.",
    ),
    (
        "2.1",
        Conduct,
        "Compare the expiry with the full timestamp, not with its date or minute, and do not cache a refusal.",
    ),
    (
        "2.1",
        Detection,
        "Raise a finding when a peer refuses a call under a grant of its own that is neither expired nor revoked.",
    ),
    (
        "2.2",
        Conduct,
        "Authorise each call by the grant's stored scopes, kinds, ids and allowlists; stop at expiry and revocation at once.",
    ),
    (
        "2.2",
        Detection,
        "Compare what a peer's grant allows with what it serves; raise a finding when one scope stops working.",
    ),
    (
        "2.3",
        Conduct,
        "Queue the notice of a revoked grant and deliver it with the next heartbeat, also to a peer that was away.",
    ),
    ("2.3", Detection, "When a peer refuses a grant before its expiry and sent no notice, raise a finding."),
    ("3.1", Conduct, "Derive the declared kinds from the kinds that the resource route serves."),
    (
        "3.1",
        Detection,
        "Fetch from each declared kind; raise `peer_capability_drift` when the peer answers that it has none.",
    ),
    ("3.2", Conduct, "Declare the schema version that the importer accepts, from one constant."),
    (
        "3.2",
        Detection,
        "Raise `peer_capability_drift` when a peer refuses the schema version that it declared.",
    ),
    (
        "3.3",
        Conduct,
        "Apply the declared filter in the query that selects what is sent, for every key of the filter.",
    ),
    (
        "3.3",
        Detection,
        "Evaluate a peer's declared filter on each record that arrives; refuse the rest and raise a finding.",
    ),
    (
        "3.4",
        Detection,
        "Raise `peer_capability_drift` for each claim that fails, also for extensions without any capability.",
    ),
    (
        "4.1",
        Conduct,
        "Deliver the `platform.peer.revoked` event first; refuse calls only after the peer acknowledged it.",
    ),
    ("4.1", Detection, "Raise a finding when a peer refuses every call and sent no revocation event."),
    ("4.2", Conduct, "Send a heartbeat with `status: revoked` before the first refused call."),
    (
        "4.2",
        Detection,
        "Raise a finding, or show the peer as degraded, when its heartbeats stop without `status: revoked`.",
    ),
    (
        "4.3",
        Conduct,
        "Accept the commit of a migration in flight for 300 seconds from the revocation, and refuse it afterwards.",
    ),
    (
        "4.3",
        Detection,
        "Raise a finding when a peer refuses the commit of a migration in flight within the 300 seconds.",
    ),
    ("4.4", Conduct, "Inform the operator of a high-trust peer out of band, and attest it."),
    (
        "5.1",
        Conduct,
        "Write one audit entry for each call, also for refused ones, with `federation_peer_id`.",
    ),
    (
        "5.2",
        Conduct,
        "Write `remote_subject` into the entry: the subject of the grant or of the client certificate.",
    ),
    (
        "5.3",
        Conduct,
        "Answer the request for an excerpt at once or with a promise, and deliver within 72 hours.",
    ),
    (
        "5.3",
        Detection,
        "Keep the time of each request for an excerpt; raise a finding when 72 hours have passed.",
    ),
    (
        "5.4",
        Conduct,
        "Filter an excerpt by the id of the asking peer, in the query and not in its parameters.",
    ),
    ("6.1", Conduct, "Space handshakes and heartbeats; back off when the peer answers with errors."),
    (
        "6.1",
        Detection,
        "Limit calls per peer within 60 seconds with 429, raise a finding, and keep serving other peers.",
    ),
    ("6.2", Conduct, "Issue grants on an operator's action only."),
    (
        "6.2",
        Detection,
        "Count the grants that a peer reports; raise a finding for hundreds of wide ones within an hour.",
    ),
    ("6.3", Conduct, "Compute the batch digest over the records as they are sent, once, in canonical form."),
    (
        "6.3",
        Detection,
        "Verify digest, order and cursor of a batch before anything is stored; refuse it and raise a finding.",
    ),
    ("6.4", Conduct, "Call only routes, kinds and ids that the peer declared or granted."),
    (
        "6.4",
        Detection,
        "Answer undeclared kinds and ids alike, without a record; raise a finding when refusals add up.",
    ),
    ("7.1", Conduct, "Apply all steps of a plan in one database transaction; roll back on any failure."),
    ("7.2", Conduct, "Set `applied_count` and `status` from what was committed, after the commit."),
    (
        "7.2",
        Detection,
        "Read back what a destination claims to have applied; keep the originals and raise a finding on a difference.",
    ),
    (
        "7.3",
        Conduct,
        "Add one `conflict_log` entry for each step that conflicts with an existing record, and none for the others.",
    ),
    (
        "7.3",
        Detection,
        "Compare the destination's `conflict_log` with its records; raise a finding on a difference.",
    ),
    (
        "7.4",
        Conduct,
        "Store each record under the id of its step, and leave ids inside payloads as they are.",
    ),
    (
        "7.4",
        Detection,
        "Read migrated records back by id; raise a finding when an id or a reference changed.",
    ),
    ("7.5", Conduct, "Exclude kinds whose policy is `migration_only` from the streams that sync sends."),
    ("7.5", Detection, "Refuse a batch of a kind whose policy is `migration_only`, and raise a finding."),
    ("8.1", Conduct, "Send `data_residency` in every heartbeat, or in the answer to the peer's."),
    ("8.1", Detection, "Raise `peer_residency_missing` for an active peer without `data_residency`."),
    ("8.2", Conduct, "Write an event for the operator when a migration's two residencies differ."),
    (
        "8.2",
        Detection,
        "Compare each heartbeat's `data_residency` with the one before; raise a finding on a change after a migration.",
    ),
    ("8.3", Conduct, "Store `cross_jurisdiction` with both places in the migration's record, source first."),
    (
        "9.1",
        Conduct,
        "Send `platform.peer.compromised` to every enrolled, active and degraded peer at once, and retry for 24 hours.",
    ),
    (
        "9.1",
        Detection,
        "Compare `detected_at` with the time of receipt; raise a finding if the difference exceeds 24 hours.",
    ),
    (
        "9.2",
        Detection,
        "Suspend the peer that disclosed a compromise, refuse its calls, and let the operator resume it.",
    ),
    (
        "10.1",
        Conduct,
        "Compare major and minor versions only: one minor version apart is compatible, whatever patch or pre-release.",
    ),
    (
        "10.1",
        Detection,
        "Report an incompatible version in `schema_compatibility` and as a finding, and keep its heartbeats.",
    ),
    (
        "10.2",
        Conduct,
        "Serve the major version before until 30 days after its deprecation was announced to every partner.",
    ),
    (
        "10.2",
        Detection,
        "Raise a finding when a peer changes its major version without a notice that is 30 days old.",
    ),
    ("11.1", Conduct, "Allow a revocation from every state of a peer."),
    ("11.1", Detection, "Accept a peer's revocation in every state, and show the peer as `revoked`."),
    (
        "11.2",
        Conduct,
        "Do not couple migrated records to the peer's row: no cascade on its deletion or revocation.",
    ),
    (
        "11.2",
        Detection,
        "Ignore a demand for deletion that comes with a revocation; only an explicit deletion removes a record.",
    ),
    ("11.3", Conduct, "Keep audit entries when a peer is revoked; no cascade, no clean-up job."),
    ("11.4", Conduct, "Remove the peer's overlay addresses when the revocation takes effect."),
    ("11.5", Conduct, "Check the peer's state on each request, not only at the TLS handshake."),
    ("11.5", Detection, "Refuse a revoked certificate on new and on kept connections, from every state."),
    (
        "12.1",
        Conduct,
        "Agree to the requested contract version only if it is supported; refuse every other value.",
    ),
    (
        "12.1",
        Detection,
        "Compare the version that a peer advertises with the one agreed; raise a finding on a difference.",
    ),
    ("12.2", Detection, "Count a version mismatch as a breach of commitments 3 and 6 as well."),
    (
        "E.1",
        Detection,
        "Run the governance scan on every hard norm by itself, without an operator's request.",
    ),
    (
        "E.2",
        Detection,
        "Count the breaches of a peer over time; suspend it after repeated ones, not after the first.",
    ),
    ("E.3", Conduct, "Show the findings of soft norms in the operator's view of the peer."),
    (
        "V.1",
        Conduct,
        "Store the SHA-256 of each contract text beside its version, over the exact bytes that were published.",
    ),
    ("V.2", Conduct, "Store the agreed version with the peer, and refuse an answer with another one."),
    ("V.2", Detection, "Refuse an accept whose answer states another contract version than was asked."),
    ("V.3", Conduct, "Serve the contract version before beside the new one for one release."),
    ("V.4", Conduct, "Refuse a deprecated contract version at accept, and leave existing peers as they are."),
    (
        "A.1",
        Conduct,
        "Record an acknowledgement only for a positive integer version; refuse zero, null and anything else.",
    ),
    ("A.2", Conduct, "Keep the acknowledged version when a peering is revoked."),
    (
        "O.1",
        Conduct,
        "Leave federated sign-in, audit replication, multi-hop migrations and meshes off without an explicit opt-in.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::V1_2026_05;

    #[test]
    fn each_aspect_of_the_register_has_one_fix() {
        let aspects: Vec<_> = V1_2026_05.aspects().collect();
        for (clause, aspect) in &aspects {
            assert!(fix(*clause, *aspect).is_some(), "{clause} {aspect} has none");
        }
        assert_eq!(FIXES.len(), aspects.len());
    }
}
