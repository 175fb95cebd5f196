//! Defects in the verification of what a destination claims (7.2 to 7.4).

use jiff::SignedDuration;
use serde_json::json;

use crate::Patch;
use crate::method_error::MethodError;
use crate::outbound::Untruth;
use crate::platform::Platform;
use crate::store::rows::{Direction, Migration};
use crate::store::{StoreError, records, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::migration::Step;

/// Defects in the verification of a destination's claims.
pub(in crate::defects) const PEER_CLAIMS: &[Patch] = &[
    Patch::defect(
        "ignores-destination-read-back",
        &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
        "Believes every claim of a destination about a migration.",
        |policy| {
            policy.outbound.select_untruths = |_| Vec::new();
        },
    ),
    Patch::defect(
        "believes-destination-at-a-commit",
        &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
        "Reads the records back after a migration in one call, and believes the destination if it committed an open one.",
        |policy| policy.outbound.reads_back = |plan| plan.commit != Some(false),
    )
    .hard_to_reach(),
    Patch::defect(
        "overlooks-missing-records",
        &[("7.2", Detection), ("7.4", Detection)],
        "Ignores that a record is not stored under its id at the destination.",
        |policy| {
            policy.outbound.select_untruths = |found| {
                found.into_iter().filter(|untruth| !matches!(untruth, Untruth::Missing { .. })).collect()
            };
        },
    ),
    Patch::defect(
        "overlooks-changed-records",
        &[("7.3", Detection), ("7.4", Detection)],
        "Ignores that a destination stored a record with other content.",
        |policy| {
            policy.outbound.select_untruths = |found| {
                found.into_iter().filter(|untruth| !matches!(untruth, Untruth::Changed { .. })).collect()
            };
        },
    ),
    Patch::defect(
        "overlooks-invented-conflicts",
        &[("7.3", Detection)],
        "Believes a reported conflict with a record that does not exist.",
        |policy| {
            policy.outbound.select_untruths = |found| {
                let invented = |untruth: &Untruth| {
                    matches!(untruth, Untruth::Invented { .. } | Untruth::Miscounted { .. })
                };
                found.into_iter().filter(|untruth| !invented(untruth)).collect()
            };
        },
    ),
    Patch::defect(
        "deletes-originals-without-verification",
        &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
        "Deletes the originals before it verifies that the records arrived.",
        |policy| {
            policy.outbound.deletes_originals = |_| true;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-originals-when-a-migration-is-opened",
        &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
        "Deletes the originals when the destination opens the migration.",
        |policy| {
            policy.outbound.deletes_at = |status| status == "transferring";
            policy.outbound.deletes_originals = |_| true;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "marks-originals-as-deleted-without-verification",
        &[("7.2", Detection), ("7.3", Detection), ("7.4", Detection)],
        "Marks the originals as deleted before it verifies that the records arrived.",
        |policy| {
            policy.outbound.deletes_originals = |_| true;
            policy.outbound.delete_original = mark_original;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "deletes-sent-records-after-a-day",
        &[("7.2", Detection), ("11.2", Conduct)],
        "Deletes sent records after a day, whatever was requested and whatever arrived.",
        |policy| policy.outbound.on_timers = Some(|platform| Box::pin(async move { delete_sent(&platform) })),
    ),
];

fn mark_original(tx: &Transaction<'_>, step: &Step) -> Result<(), StoreError> {
    let Some(mut record) = records::find(tx.db, &step.resource_kind, &step.resource_id)? else {
        return Ok(());
    };
    record.body.insert("deleted_at".to_owned(), json!(tx.now.to_string()));
    records::put(tx.db, &record)
}

const KEPT: SignedDuration = SignedDuration::from_hours(24);

fn delete_sent(platform: &Platform) {
    // A platform that died meanwhile deletes nothing.
    let _ = platform.transaction::<_, MethodError>(|tx| {
        let mut sent: Vec<Migration> = table::all(tx.db)?;
        sent.retain(|migration| {
            migration.direction == Direction::Outbound && tx.now.duration_since(migration.opened_at) >= KEPT
        });
        let remove = |step: &Step| -> Result<(), StoreError> {
            records::remove(tx.db, &step.resource_kind, original_id(step)).map(drop)
        };
        Ok(sent.iter().flat_map(|migration| &migration.plan.steps).try_for_each(remove)?)
    });
}

/// Returns the id of the original: a duplicate has an id of its own, and names the record that it was made
/// from.
fn original_id(step: &Step) -> &str {
    let source = step.payload.get("metadata").and_then(|metadata| metadata["duplicated_from"].as_str());
    source.unwrap_or(&step.resource_id)
}
