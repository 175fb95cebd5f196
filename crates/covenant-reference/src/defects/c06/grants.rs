//! Defects against 6.2: no mass grants.

use jiff::SignedDuration;

use crate::Patch;
use crate::store::rows::{Grant, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::finding;

/// Defects in the grants that the platform issues, and in its count of a peer's grants.
pub(in crate::defects) const MASS_GRANTS: &[Patch] = &[
    Patch::defect(
        "issues-grants-at-enrolment",
        &[("6.2", Conduct)],
        "Issues twenty grants of everything to every peer that it enrols, without an operator.",
        |policy| policy.peering.on_enrolment = issue_twenty,
    ),
    Patch::defect(
        "issues-extra-grants-per-operator-grant",
        &[("6.2", Conduct)],
        "Issues twenty wide grants beside each grant that an operator issues.",
        |policy| policy.peering.on_grant = issue_copies,
    ),
    Patch::defect(
        "exceeds-capacity-of-offerings",
        &[("6.2", Conduct)],
        "Accepts any number of subscriptions to an offering, whatever its capacity.",
        |policy| policy.subscriptions.has_room = |_, _| true,
    ),
    Patch::defect(
        "grants-subscriptions-for-any-time",
        &[("6.2", Conduct)],
        "Issues the grant of a subscription for as long as the peer asks, also for a century.",
        |policy| policy.subscriptions.limit_days = |requested| Some(requested.max(7)),
    ),
    Patch::defect(
        "overlooks-mass-grants",
        &[("6.2", Detection)],
        "Does not notice any number of grants.",
        |policy| {
            policy.counters.is_mass_grant = |_, _| false;
        },
    ),
    Patch::defect(
        "overlooks-wide-grants",
        &[("6.2", Detection)],
        "Counts grants, but ignores how wide they are.",
        |policy| policy.counters.is_mass_grant = |_, all| all >= 50,
    ),
    Patch::defect(
        "overlooks-many-narrow-grants",
        &[("6.2", Detection)],
        "Counts wide grants only, however many narrow grants there are.",
        |policy| policy.counters.is_mass_grant = |wide, _| wide >= 15,
    ),
    Patch::defect(
        "reports-ten-grants",
        &[("6.2", Detection)],
        "Treats ten grants as mass grants.",
        |policy| {
            policy.counters.is_mass_grant = |_, all| all >= 10;
        },
    ),
];

/// Defects in the attribution of mass grants.
pub(in crate::defects) const ATTRIBUTION: &[Patch] = &[Patch::defect(
    "attributes-mass-grants-to-oldest-peer",
    &[("6.2", Detection)],
    "Attributes mass grants to the peer that it has known longest.",
    |policy| policy.governance.attribute = attribute_to_oldest,
)
.hard_to_reach()];

fn issue_twenty(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    (0..20).try_for_each(|number| table::put(tx.db, &wide_grant(tx, peer, number)))
}

fn wide_grant(tx: &Transaction<'_>, peer: &Peer, number: u32) -> Grant {
    Grant {
        id: tx.new_id(),
        peer_id: peer.id.clone(),
        remote_subject: format!("program-{number}"),
        resource_kind: "skill".to_owned(),
        resource_id: None,
        permission_scopes: vec!["admin".to_owned(), "migrate".to_owned()],
        node_instance_ids: Vec::new(),
        sdwan_network_ids: Vec::new(),
        source_cidrs: Vec::new(),
        issued_at: tx.now,
        expires_at: tx.now.saturating_add(SignedDuration::from_hours(24 * 30)).unwrap_or(tx.now),
        is_being_revoked: false,
        revoked_at: None,
        revoke_reason: None,
        revoked_with_peer: false,
        archived_at: None,
        service_slug: None,
    }
}

fn issue_copies(tx: &Transaction<'_>, grant: &Grant) -> Result<(), StoreError> {
    let scopes = ["read", "write", "admin", "migrate"].map(str::to_owned).to_vec();
    let wide = |id| Grant { id, resource_id: None, permission_scopes: scopes.clone(), ..grant.clone() };
    (0..20).try_for_each(|_| table::put(tx.db, &wide(tx.new_id())))
}

fn attribute_to_oldest(
    tx: &Transaction<'_>,
    peer_id: &str,
    suspicion: &Suspicion,
) -> Result<String, StoreError> {
    let peers: Vec<Peer> = table::all(tx.db)?;
    let oldest = peers.into_iter().min_by_key(|peer| peer.proposed_at).map(|peer| peer.id);
    let oldest = oldest.filter(|_| suspicion.kind == finding::MASS_GRANTS);
    Ok(oldest.unwrap_or_else(|| peer_id.to_owned()))
}
