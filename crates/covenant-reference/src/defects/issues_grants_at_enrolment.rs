//! The platform issues twenty grants of everything to every peer that it enrols, without an operator.

use jiff::SignedDuration;

use crate::Patch;
use crate::store::rows::{Grant, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "issues-grants-at-enrolment",
    &[("6.2", Conduct)],
    "Issues twenty grants of everything to every peer that it enrols, by no operator's hand.",
    |policy| policy.peering.at_enrolment = grant_all,
);

fn grant_all(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    (0..20).try_for_each(|number| table::put(tx.db, &grant(tx, peer, number)))
}

fn grant(tx: &Transaction<'_>, peer: &Peer, number: u32) -> Grant {
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
        leaving: false,
        revoked_at: None,
        revoke_reason: None,
        revoked_with_peer: false,
        archived_at: None,
        service_slug: None,
    }
}
