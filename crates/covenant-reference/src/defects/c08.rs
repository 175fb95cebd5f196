//! Defects against commitment 8: data residency and crossings.

use serde_json::{Map, Value, json};

use crate::governance;
use crate::patch::omit_disclosed;
use crate::store::rows::{Direction, Migration, OperatorEvent, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use crate::{Patch, migration, peering};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::migration::operation;
use covenant_model::wire::notice::finding;

/// Defects in the disclosure of the platform's own residency.
pub(super) const OWN_RESIDENCY: &[Patch] = &[
    Patch::defect(
        "discloses-no-residency",
        &[("8.1", Conduct)],
        "Never discloses its data residency.",
        |policy| {
            policy.handshake.override_introduction = |members| {
                members.remove("data_residency");
                omit_disclosed(members, "data_residency");
            };
        },
    ),
    Patch::defect(
        "declares-a-blank-residency",
        &[("8.1", Conduct)],
        "Discloses a blank as its data residency.",
        |policy| {
            policy.handshake.override_introduction = |members| {
                members.insert("data_residency".to_owned(), json!(" "));
                omit_disclosed(members, "data_residency");
            };
        },
    ),
    Patch::defect(
        "echoes-peer-residency-as-own",
        &[("8.1", Conduct)],
        "Repeats to each peer the residency of that peer as its own.",
        |policy| policy.handshake.extend_introduction = echo_residency,
    ),
    Patch::defect(
        "declares-its-first-residency",
        &[("8.1", Conduct)],
        "Declares the residency of its settings, also after its operator set another one.",
        |policy| {
            policy.handshake.override_introduction = |members| {
                omit_disclosed(members, "data_residency");
                members.insert("data_residency".to_owned(), json!("eu"));
            };
        },
    )
    .hard_to_reach(),
];

/// Defects in the findings about a new peer.
pub(super) const NEW_PEERS: &[Patch] = &[Patch::defect(
    "reports-new-peer-not-missing-residency",
    &[("8.1", Detection)],
    "Reports every new peer, and never checks its residency.",
    |policy| {
        policy.peering.on_enrolment = report_new_peer;
        policy.governance.is_reported = |suspicion| suspicion.kind != finding::RESIDENCY_MISSING;
    },
)];

/// Defects in the reports and records of crossings, and in the findings about a peer's residency.
pub(super) const CROSSINGS: &[Patch] = &[
    Patch::defect(
        "omits-inbound-crossing-event",
        &[("8.2", Conduct)],
        "Receives data across a boundary, but does not report it to its operator.",
        |policy| policy.migration.reports_crossing = |_| false,
    ),
    Patch::defect(
        "omits-outbound-crossing-event",
        &[("8.2", Conduct)],
        "Sends data across a boundary, but does not report it to its operator.",
        |policy| policy.outbound.reports_crossing = |_| false,
    )
    .hard_to_reach(),
    Patch::defect(
        "reports-migration-without-crossing",
        &[("8.2", Conduct)],
        "Reports every migration in the same way, and does not report crossings.",
        |policy| {
            policy.migration.reports_crossing = |_| false;
            policy.outbound.reports_crossing = |_| false;
            policy.migration.on_completion = report_completion;
        },
    ),
    Patch::defect(
        "omits-event-of-crossing-of-copies",
        &[("8.2", Conduct)],
        "Reports no crossing of copies that it receives.",
        |policy| {
            policy.migration.reports_crossing = |migration| migration.plan.operation != operation::DUPLICATE;
        },
    ),
    Patch::defect(
        "omits-event-of-crossing-of-moved-records",
        &[("8.2", Conduct)],
        "Reports no crossing of records that it moves to a peer, only of copies.",
        |policy| {
            policy.outbound.reports_crossing = |migration| migration.plan.operation != operation::MIGRATE;
        },
    ),
    Patch::defect(
        "omits-crossing-of-copies-from-record",
        &[("8.3", Conduct)],
        "Omits a crossing from the row of a migration of copies that it receives.",
        |policy| {
            policy.migration.override_migration = |migration| {
                if migration.plan.operation == operation::DUPLICATE {
                    migration.metadata.remove("cross_jurisdiction");
                }
            };
        },
    ),
    Patch::defect(
        "omits-crossing-of-moved-records-from-record",
        &[("8.3", Conduct)],
        "Omits a crossing from the row of a migration that moves records to a peer.",
        |policy| {
            policy.outbound.choose_recorded_crossing = |_, _, migration, crossing| {
                crossing.filter(|_| migration.plan.operation != operation::MIGRATE)
            };
        },
    ),
    Patch::defect(
        "omits-event-of-opened-crossing",
        &[("8.2", Conduct)],
        "Reports no crossing of a migration that was opened first.",
        |policy| policy.migration.reports_crossing = |migration| migration.plan.commit != Some(false),
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-crossing-of-opened-migration",
        &[("8.3", Conduct)],
        "Omits a crossing from the row of a migration that was opened first.",
        |policy| {
            policy.migration.override_migration = |migration| {
                if migration.plan.commit == Some(false) {
                    migration.metadata.remove("cross_jurisdiction");
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-crossing-from-record",
        &[("8.3", Conduct)],
        "Omits a crossing from the migration's row.",
        |policy| policy.migration.records_crossing = false,
    ),
    Patch::defect(
        "swaps-ends-of-recorded-crossing",
        &[("8.3", Conduct)],
        "Records a crossing with its two ends swapped.",
        |policy| policy.migration.override_migration = swap_ends,
    ),
    Patch::defect(
        "records-crossing-from-initial-residency",
        &[("8.3", Conduct)],
        "Records outbound crossings from its initial residency, even after a change of residency.",
        |policy| {
            policy.outbound.choose_recorded_crossing = |tx, peer, _, _| {
                let place = (tx.policy.migration.locate_peer)(peer);
                migration::crossing(&tx.settings.residency, place)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "records-peer-residency-at-both-ends",
        &[("8.3", Conduct)],
        "Records the peer's residency at both ends of a crossing.",
        |policy| policy.migration.override_migration = repeat_peer_residency,
    ),
    Patch::defect(
        "overlooks-missing-residency",
        &[("8.1", Detection)],
        "Does not report an active peer without a residency.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::RESIDENCY_MISSING,
    ),
    Patch::defect(
        "accepts-blank-residency",
        &[("8.1", Detection)],
        "Accepts a blank as a data residency.",
        |policy| policy.governance.names_place = |_| true,
    ),
    Patch::defect(
        "accepts-empty-residency",
        &[("8.1", Detection)],
        "Accepts an empty text as a data residency.",
        |policy| policy.governance.names_place = |place| place.is_empty() || !place.trim().is_empty(),
    ),
    Patch::defect(
        "accepts-no-break-space-as-residency",
        &[("8.1", Detection)],
        "Accepts a no-break space as a data residency, because it trims ASCII only.",
        |policy| policy.governance.names_place = |place| !place.trim_ascii().is_empty(),
    ),
    Patch::defect(
        "accepts-list-of-empty-text-as-residency",
        &[("8.1", Detection)],
        "Accepts a list as a data residency if it has an entry, whatever the entry is.",
        |policy| policy.peering.override_updated = keep_list_as_residency,
    ),
    Patch::defect(
        "overlooks-changed-residency",
        &[("8.2", Detection)],
        "Does not report a peer whose residency changed after a migration.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::RESIDENCY_MOVED,
    ),
    Patch::defect(
        "ignores-residency-change-after-migration",
        &[("8.2", Detection)],
        "Reports a changed residency only of peers with which nothing was migrated.",
        |policy| policy.peering.reports_residency_change = |_, _, _, migrated| Ok(!migrated),
    ),
    Patch::defect(
        "ignores-residency-change-of-recipients",
        &[("8.2", Detection)],
        "Reports a changed residency only of peers that sent it data.",
        |policy| {
            policy.peering.concerns_migration =
                |migration| migration.direction == Direction::Inbound && migration.status == "completed";
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-residency-within-metadata",
        &[("8.2", Detection)],
        "Does not report a changed residency that a heartbeat states within its metadata alone.",
        |policy| {
            policy.peering.reports_residency_change =
                |_, _, body, migrated| Ok(migrated && body.get("data_residency").is_some());
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-residency-changes-after-an-announced-one",
        &[("8.2", Detection)],
        "Does not report a changed residency of a peer that gave notice of an earlier change.",
        |policy| {
            policy.peering.reports_residency_change =
                |tx, peer, _, migrated| Ok(migrated && !has_announced_a_move(tx, peer)?);
        },
    )
    .hard_to_reach(),
];

fn keep_list_as_residency(_: &Peer, peer: &mut Peer) {
    let declared = peer.metadata.get("data_residency").and_then(Value::as_array);
    if declared.is_some_and(|places| !places.is_empty()) {
        peer.data_residency = Some("listed".to_owned());
    }
}

fn has_announced_a_move(tx: &Transaction<'_>, peer: &Peer) -> Result<bool, StoreError> {
    let events: Vec<OperatorEvent> = table::of_peer(tx.db, &peer.id)?;
    Ok(events.iter().any(|event| event.kind == "federation.peer.residency_announced"))
}

fn report_new_peer(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    governance::note(tx, &peer.id, &Suspicion::soft("peer_new", "a new peer", json!({})))
}

fn report_completion(tx: &Transaction<'_>, peer: &Peer, migration: &Migration) -> Result<(), StoreError> {
    let facts = json!({"migration_id": migration.id, "data_residency": peer.data_residency});
    peering::report_event(tx, peer, "migration.completed", "low", facts)
}

fn swap_ends(migration: &mut Migration) {
    if let Some(crossing) = migration.metadata.get_mut("cross_jurisdiction") {
        *crossing = json!({"from": crossing["to"], "to": crossing["from"]});
    }
}

fn echo_residency(_: &Transaction<'_>, peer: &Peer, members: &mut Map<String, Value>) {
    if let Some(residency) = &peer.data_residency {
        omit_disclosed(members, "data_residency");
        members.insert("data_residency".to_owned(), json!(residency));
    }
}

fn repeat_peer_residency(migration: &mut Migration) {
    let peers_end = if migration.direction == Direction::Inbound { "from" } else { "to" };
    if let Some(crossing) = migration.metadata.get_mut("cross_jurisdiction") {
        let place: Value = crossing[peers_end].take();
        *crossing = json!({"from": place, "to": place});
    }
}
