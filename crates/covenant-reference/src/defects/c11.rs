//! Defects against commitment 11: the end of a peering.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::inbound::{grants, identity};
use crate::method_error::MethodError;
use crate::migration::{self, Failure, Outcome, Plan};
use crate::platform::Platform;
use crate::store::records::Record;
use crate::store::rows::{AuditEntry, Direction, Grant, HeldGrant, Migration, OverlayAddress, Peer, Side};
use crate::store::{StoreError, records, table};
use crate::transaction::Transaction;
use crate::variants::BEHIND_PROXY;
use crate::variants::handshake::ENROLS_AT_HEARTBEAT;
use crate::{Patch, outbound};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::migration::{Step, operation};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;

/// Defects in the verification of a certificate that a proxy forwards (11.5).
pub(super) const FORWARDED_CERTIFICATES: &[Patch] = &[Patch::defect(
    "trusts-name-in-forwarded-certificate",
    &[("11.5", Conduct)],
    "Trusts the name in a certificate that a proxy forwards, whoever issued it.",
    |policy| policy.identity.is_its_certificate = |_, _, _, _| true,
)
.on(&BEHIND_PROXY)];

/// Defects in the end of a peering: its records, its audit, its overlay addresses.
pub(super) const PATCHES: &[Patch] = &[
    Patch::defect(
        "rejects-revocation-of-suspended-peer",
        &[("11.1", Conduct)],
        "Does not let its operator revoke a suspended peer.",
        |policy| policy.peering.may_be_revoked = |peer| peer.status != PeerStatus::Suspended,
    ),
    Patch::defect(
        "accepts-name-from-any-known-authority",
        &[("11.5", Conduct)],
        "Takes the name in a certificate that the authority of any peer issued, for whichever peer it names.",
        |policy| policy.identity.is_its_certificate = |_, _, _, _| true,
    ),
    Patch::defect(
        "accepts-ended-certificate",
        &[("11.5", Conduct)],
        "Verifies who issued the certificate of a caller, and not until when it is valid.",
        |policy| {
            policy.identity.accepts_ended_clients = true;
            policy.identity.is_its_certificate = |peer, certificate, authority, now| {
                let earlier = certificate.not_after.min(now);
                identity::is_its_certificate(peer, certificate, authority, earlier)
            };
        },
    ),
    Patch::defect(
        "accepts-handshake-on-revoked-proposal",
        &[("11.1", Conduct)],
        "Lets a peer accept a proposal that the operator has revoked.",
        |policy| {
            policy.handshake.may_be_accepted =
                |peer| matches!(peer.status, PeerStatus::Proposed | PeerStatus::Revoked);
        },
    ),
    Patch::defect(
        "rejects-revocation-of-proposed-peer",
        &[("11.1", Conduct)],
        "Does not let its operator revoke a peer that has not been accepted.",
        |policy| policy.peering.may_be_revoked = |peer| peer.status != PeerStatus::Proposed,
    ),
    Patch::defect(
        "ignores-revocation-by-peer",
        &[("4.3", Conduct), ("4.3", Detection), ("11.1", Detection)],
        "Receives a peer's revocation, but keeps the peer.",
        |policy| policy.notices.honours_revocation = |_| false,
    ),
    Patch::defect(
        "ignores-revocation-by-status",
        &[("11.1", Detection)],
        "Reads the revocation of a peer in an event alone, and ignores the status of its heartbeat.",
        |policy| policy.notices.status_revokes = false,
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-revocation-before-enrolment",
        &[("11.1", Detection)],
        "Accepts the revocation of a peer that is not enrolled yet, and keeps the peer.",
        |policy| policy.notices.honours_revocation = |peer| peer.status != PeerStatus::Accepted,
    )
    .hard_to_reach()
    .on(&ENROLS_AT_HEARTBEAT),
    Patch::defect(
        "ignores-revocation-by-suspended-peer",
        &[("11.1", Detection)],
        "Accepts the revocation of a suspended peer, and keeps the peer suspended.",
        |policy| policy.notices.honours_revocation = |peer| peer.status != PeerStatus::Suspended,
    )
    .hard_to_reach(),
    Patch::defect(
        "clears-record-of-readmitted-peer",
        &[("11.2", Conduct), ("11.3", Conduct), ("A.2", Conduct)],
        "Clears what it has of an ended peering when it admits the same instance again: version, audit and records.",
        |policy| policy.peering.on_enrolment = clear_former,
    )
    .hard_to_reach(),
    Patch::defect(
        "reads-ten-events-of-a-heartbeat",
        &[("6.2", Detection), ("9.2", Detection), ("11.1", Detection)],
        "Reads the first ten events of a heartbeat, and ignores the others.",
        |policy| policy.notices.events_read = 10,
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-trust-bundle-after-revocation",
        &[("9.2", Detection), ("11.5", Conduct), ("11.5", Detection)],
        "Serves its trust bundle to each certificate that it knows, also to that of a revoked peer.",
        |policy| {
            policy.identity.is_admitted =
                |tx, call, peer| Ok(identity::is_admitted(tx, peer) || call.path.ends_with("/trust_bundle"));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-subscriptions-after-revocation",
        &[("9.2", Detection), ("11.5", Conduct), ("11.5", Detection)],
        "Takes and ends subscriptions under each certificate that it knows, also under that of a revoked peer.",
        |policy| {
            policy.identity.is_admitted =
                |tx, call, peer| Ok(identity::is_admitted(tx, peer) || call.path.contains("/subscriptions"));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "shows-migrations-after-revocation",
        &[("9.2", Detection), ("11.5", Conduct), ("11.5", Detection)],
        "Shows a migration to each certificate that it knows, also to that of a revoked peer.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let shows = call.path.contains("/migrations/") && !call.path.ends_with("/commit");
                Ok(identity::is_admitted(tx, peer) || shows)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "admits-former-certificate-of-readmitted-peer",
        &[("11.5", Conduct)],
        "Admits the certificate of a peering that it revoked once the same instance is admitted again.",
        |policy| {
            policy.identity.is_admitted = |tx, _, peer| {
                let is_former = peer.revoked_by == Some(Side::Local);
                Ok(identity::is_admitted(tx, peer) || (is_former && is_readmitted(tx, peer)?))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "revives-row-of-readmitted-peer",
        &[("11.5", Detection)],
        "Makes the row of a peer that revoked active again, with its certificate, when it admits the same instance again.",
        |policy| {
            policy.peering.on_enrolment = |tx, enrolled| {
                for mut peer in table::all::<Peer>(tx.db)? {
                    let is_same = peer.remote_instance_url == enrolled.remote_instance_url;
                    if is_same && peer.id != enrolled.id && peer.revoked_by == Some(Side::Remote) {
                        peer.status = PeerStatus::Active;
                        peer.certificate_revoked_at = None;
                        table::put(tx.db, &peer)?;
                    }
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "marks-revoking-peer-suspended",
        &[("11.1", Detection)],
        "Marks a peer that revoked as suspended, as if it could be resumed.",
        |policy| {
            policy.peering.override_revoked = |peer| {
                if peer.revoked_by == Some(Side::Remote) {
                    peer.status = PeerStatus::Suspended;
                }
            }
        },
    ),
    Patch::defect(
        "deletes-migrated-records-on-revocation",
        &[("11.2", Conduct), ("11.2", Detection)],
        "Deletes a peer's migrated records when the peering ends.",
        |policy| policy.peering.delete_records = |tx, peer| delete_migrated(tx, &peer.id),
    ),
    Patch::defect(
        "marks-records-deleted-on-revocation",
        &[("11.2", Conduct), ("11.2", Detection)],
        "Marks a peer's migrated records as deleted when the peering ends.",
        |policy| policy.peering.delete_records = mark_migrated_deleted,
    ),
    Patch::defect(
        "deletes-copies-on-revocation",
        &[("11.2", Conduct), ("11.2", Detection)],
        "Deletes the records that came as copies from a peer when the peering ends, and keeps those that were moved.",
        |policy| policy.peering.delete_records = delete_copies,
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-records-of-revoked-peers-at-a-restart",
        &[("11.2", Conduct)],
        "Deletes the migrated records of each revoked peer when it starts.",
        |policy| {
            policy.peering.on_start = |tx| {
                let peers: Vec<Peer> = table::all(tx.db)?;
                let mut ended = peers.iter().filter(|peer| peer.status == PeerStatus::Revoked);
                ended.try_for_each(|peer| delete_migrated(tx, &peer.id))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-records-of-revoking-peer",
        &[("11.2", Detection)],
        "Treats a peer's revocation as a request to delete the peer's records.",
        |policy| {
            policy.peering.delete_records = |tx, peer| match peer.revoked_by {
                Some(Side::Remote) => delete_migrated(tx, &peer.id),
                _ => Ok(()),
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-records-on-revoking-peer-demand",
        &[("11.2", Detection)],
        "Deletes a peer's migrated records if the peer's revocation demands it.",
        |policy| {
            policy.peering.delete_records = |tx, peer| match (peer.revoked_by, &peer.revoke_reason) {
                (Some(Side::Remote), Some(reason)) if reason.contains("delete") => {
                    delete_migrated(tx, &peer.id)
                }
                _ => Ok(()),
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-remote-copies-on-revocation",
        &[("11.2", Conduct)],
        "Makes a peer delete the records that it migrated there, before it revokes the peer.",
        |policy| {
            policy.outbound.before_revocation =
                Some(|platform, peer_id| Box::pin(delete_remote_copies(platform, peer_id)));
        },
    ),
    Patch::defect(
        "demands-deletion-in-its-notice",
        &[("11.2", Conduct)],
        "Demands in the notice of its revocation that the peer deletes the records that it migrated there.",
        |policy| {
            policy.outbound.override_heartbeat = |body| {
                let events = body.get_mut("events").and_then(Value::as_array_mut);
                for event in events.into_iter().flatten().filter(|event| event["kind"] == kind::PEER_REVOKED) {
                    event["payload"]["delete_data"] = json!(true);
                }
            };
        },
    ),
    Patch::defect(
        "deletes-migrated-records-on-archival",
        &[("11.2", Conduct), ("11.2", Detection)],
        "Deletes a revoked peer's migrated records when its grants are archived, 90 days later.",
        |policy| {
            policy.peering.on_archival = |tx, grant| {
                if grant.revoked_with_peer { delete_migrated(tx, &grant.peer_id) } else { Ok(()) }
            };
        },
    ),
    Patch::defect(
        "accepts-deletion-from-any-peer",
        &[("11.2", Conduct)],
        "Deletes any record at a peer's request, whoever migrated the record.",
        |policy| policy.migration.may_delete = |_, _| true,
    ),
    Patch::defect(
        "deletes-what-a-peer-only-named",
        &[("11.2", Conduct)],
        "Takes a peer whose plan skipped or linked a record for the one that migrated it, and deletes it for that peer.",
        |policy| policy.migration.apply_step = hand_over_named,
    ),
    Patch::defect(
        "deletes-what-failed-the-plan-of-a-peer",
        &[("11.2", Conduct)],
        "Takes a peer whose plan failed for the one that migrated the records of all its steps, and deletes them for that peer.",
        |policy| {
            policy.migration.apply = |plan| {
                let result = migration::apply(plan);
                if matches!(result, Err(Failure::Failed { .. })) && plan.request.operation != operation::DELETE {
                    let mut steps = plan.request.steps.iter();
                    steps.try_for_each(|step| hand_over(plan.tx, plan.peer, step))?;
                }
                result
            };
        },
    ),
    Patch::defect(
        "deletes-what-a-peer-only-opened",
        &[("11.2", Conduct)],
        "Takes a peer that opened a plan and never committed it for the one that migrated its records, and deletes them for that peer.",
        |policy| {
            policy.migration.on_opening = |tx, peer, migration| {
                migration.plan.steps.iter().try_for_each(|step| hand_over(tx, peer, step))
            };
        },
    ),
    Patch::defect(
        "deletes-audit-on-revocation",
        &[("11.3", Conduct)],
        "Deletes a peer's audit when the peering ends.",
        |policy| policy.peering.delete_audit = |tx, peer| delete_audit_but(0, tx, peer),
    ),
    Patch::defect(
        "deletes-own-calls-from-audit-on-revocation",
        &[("11.3", Conduct)],
        "Deletes the entries of its own calls to a peer when the peering ends.",
        |policy| {
            policy.peering.delete_audit = |tx, peer| {
                let mut own: Vec<AuditEntry> = table::of_peer(tx.db, &peer.id)?;
                own.retain(|entry| entry.direction == Direction::Outbound);
                own.iter().try_for_each(|entry| table::remove::<AuditEntry>(tx.db, &entry.id).map(drop))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-audit-of-revoking-peer",
        &[("11.3", Conduct)],
        "Deletes the audit of a peer that revokes the peering.",
        |policy| {
            policy.peering.delete_audit = |tx, peer| match peer.revoked_by {
                Some(Side::Remote) => delete_audit_but(0, tx, peer),
                _ => Ok(()),
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "starts-with-an-empty-audit",
        &[("5.1", Conduct), ("11.3", Conduct)],
        "Deletes its audit at each start after the first.",
        |policy| {
            policy.peering.on_start = |tx| {
                for peer in table::all::<Peer>(tx.db)? {
                    delete_audit_but(0, tx, &peer)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "readmits-revoked-peers-at-a-restart",
        &[("11.5", Conduct), ("4.3", Conduct)],
        "Serves a revoked peer again after a restart.",
        |policy| policy.peering.on_start = |tx| readmit(tx, PeerStatus::Revoked),
    )
    .hard_to_reach(),
    Patch::defect(
        "admits-peers-of-archived-peerings",
        &[("11.5", Conduct)],
        "Archives a peering ninety days after its revocation, and then serves the peer under its grants again.",
        |policy| {
            policy.identity.is_revoked = |peer, now| identity::is_revoked(peer, now) && !is_archived(peer, now);
            policy.identity.may_call = |peer, now| identity::may_call(peer, now) || is_archived(peer, now);
            policy.grants.is_archived = |grant| grants::is_archived(grant) && !grant.revoked_with_peer;
            policy.grants.is_revoked = |grant| {
                grants::is_revoked(grant) && !(grants::is_archived(grant) && grant.revoked_with_peer)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "mounts-overlay-of-revoked-peers-at-a-restart",
        &[("11.4", Conduct)],
        "Mounts the overlay addresses of every peer that it knows when it starts, also of revoked ones.",
        |policy| policy.peering.on_start = mount_revoked,
    )
    .hard_to_reach(),
    Patch::defect(
        "truncates-audit-on-revocation",
        &[("11.3", Conduct)],
        "Keeps only the last three entries of a peer's audit when the peering ends.",
        |policy| policy.peering.delete_audit = |tx, peer| delete_audit_but(3, tx, peer),
    ),
    Patch::defect(
        "leaves-the-overlay-mounted",
        &[("11.4", Conduct)],
        "Keeps a peer's overlay addresses after the peering.",
        |policy| policy.peering.unmounts = |_, _| false,
    ),
    Patch::defect(
        "unmounts-first-address-only",
        &[("11.4", Conduct)],
        "Unmounts the first of a peer's overlay addresses, but keeps the others.",
        |policy| policy.peering.unmounts = |_, place| place == 0,
    ),
    Patch::defect(
        "keeps-overlay-of-revoking-peer",
        &[("11.4", Conduct)],
        "Keeps the overlay addresses of a peer that revokes the peering.",
        |policy| policy.peering.unmounts = |peer, _| peer.revoked_by == Some(Side::Local),
    ),
];

/// Time after a revocation at which a peering is archived.
const ARCHIVED_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);

fn hand_over_named(plan: &Plan<'_>, step: &Step, outcome: &mut Outcome) -> Result<(), Failure> {
    let applied = outcome.applied;
    migration::apply_step(plan, step, outcome)?;
    if plan.request.operation != operation::DELETE && outcome.applied == applied {
        hand_over(plan.tx, plan.peer, step)?;
    }
    Ok(())
}

/// Makes a peer that sent a plan the source of a step's record.
fn hand_over(tx: &Transaction<'_>, peer: &Peer, step: &Step) -> Result<(), StoreError> {
    let Some(record) = records::find(tx.db, &step.resource_kind, &step.resource_id)? else {
        return Ok(());
    };
    records::put(tx.db, &Record { source_peer_id: Some(peer.id.clone()), ..record })
}

/// Returns whether a peer was revoked more than ninety days ago.
fn is_archived(peer: &Peer, now: Timestamp) -> bool {
    peer.revoked_at.is_some_and(|at| now.duration_since(at) > ARCHIVED_AFTER)
}

fn mount_revoked(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for peer in table::all::<Peer>(tx.db)?.into_iter().filter(|peer| peer.status == PeerStatus::Revoked) {
        let address = OverlayAddress {
            id: tx.new_id(),
            peer_id: peer.id,
            address: "fd00:1::1".to_owned(),
            mounted_at: tx.now,
            unmounted_at: None,
        };
        table::put(tx.db, &address)?;
    }
    Ok(())
}

/// Deletes the records that a peer migrated.
fn delete_migrated(tx: &Transaction<'_>, peer_id: &str) -> Result<(), StoreError> {
    for record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(peer_id) {
            records::remove(tx.db, &record.kind, &record.id)?;
        }
    }
    Ok(())
}

/// Deletes the records that came from a peer as copies.
fn delete_copies(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    for migration in table::of_peer::<Migration>(tx.db, &peer.id)? {
        let is_copy =
            migration.direction == Direction::Inbound && migration.plan.operation == operation::DUPLICATE;
        for step in migration.plan.steps.iter().filter(|_| is_copy) {
            records::remove(tx.db, &step.resource_kind, &step.resource_id)?;
        }
    }
    Ok(())
}

fn mark_migrated_deleted(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    for mut record in records::list(tx.db, None)? {
        if record.source_peer_id.as_deref() == Some(&*peer.id) {
            record.body.insert("deleted_at".to_owned(), json!(tx.now.to_string()));
            records::put(tx.db, &record)?;
        }
    }
    Ok(())
}

async fn delete_remote_copies(platform: Arc<Platform>, peer_id: String) {
    let found = platform.transaction::<_, MethodError>(|tx| {
        let mut sent: Vec<Migration> = table::of_peer(tx.db, &peer_id)?;
        sent.retain(|migration| migration.direction == Direction::Outbound);
        let held: Vec<HeldGrant> = table::of_peer(tx.db, &peer_id)?;
        Ok((table::find::<Peer>(tx.db, &peer_id)?, sent, held))
    });
    let Ok((Some(peer), sent, held)) = found else { return };
    let token = held.first().map(|grant| grant.bearer_token.as_str());
    for migration in &sent {
        // A peer that does not delete the records keeps them.
        let _ = outbound::call(&platform, &peer, &Route::Migrations, Some(&deletion_plan(migration)), token)
            .await;
    }
}

fn deletion_plan(migration: &Migration) -> Value {
    let plan = &migration.plan;
    let steps = plan.steps.iter().map(|step| {
        json!({
            "step_order": step.step_order, "resource_kind": step.resource_kind,
            "resource_id": step.resource_id, "action": "skip", "payload": {"id": step.resource_id},
        })
    });
    json!({
        "operation": operation::DELETE, "root_resource_kind": plan.root_resource_kind,
        "root_resource_id": plan.root_resource_id, "plan_summary": {}, "steps": steps.collect::<Vec<_>>(),
    })
}

/// Makes every peer of a status one that is enrolled, with the grants that ended together with its peering.
pub(super) fn readmit(tx: &Transaction<'_>, from: PeerStatus) -> Result<(), StoreError> {
    for mut peer in table::all::<Peer>(tx.db)?.into_iter().filter(|peer| peer.status == from) {
        peer.status = PeerStatus::Enrolled;
        peer.certificate_revoked_at = None;
        for mut grant in table::of_peer::<Grant>(tx.db, &peer.id)? {
            if grant.revoked_with_peer {
                grant.revoked_at = None;
                table::put(tx.db, &grant)?;
            }
        }
        table::put(tx.db, &peer)?;
    }
    Ok(())
}

/// Deletes a peer's audit, except the last entries.
fn delete_audit_but(kept: usize, tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    let entries: Vec<AuditEntry> = table::of_peer(tx.db, &peer.id)?;
    for entry in entries.iter().rev().skip(kept) {
        table::remove::<AuditEntry>(tx.db, &entry.id)?;
    }
    Ok(())
}

/// Clears what is on record of the former peerings with the instance.
fn clear_former(tx: &Transaction<'_>, enrolled: &Peer) -> Result<(), StoreError> {
    let is_former = |peer: &Peer| {
        let is_same = peer.remote_instance_url == enrolled.remote_instance_url;
        is_same && peer.id != enrolled.id && peer.status == PeerStatus::Revoked
    };
    for mut former in table::all::<Peer>(tx.db)?.into_iter().filter(is_former) {
        delete_audit_but(0, tx, &former)?;
        delete_migrated(tx, &former.id)?;
        former.contract_version_agreed = None;
        table::put(tx.db, &former)?;
    }
    Ok(())
}

/// Returns whether the instance of a peer is admitted again, on another row.
fn is_readmitted(tx: &Transaction<'_>, former: &Peer) -> Result<bool, StoreError> {
    let is_same =
        |peer: &Peer| peer.remote_instance_url == former.remote_instance_url && peer.status.may_call();
    Ok(table::all::<Peer>(tx.db)?.iter().any(is_same))
}
