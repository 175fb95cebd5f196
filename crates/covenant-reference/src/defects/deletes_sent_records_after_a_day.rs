//! The platform deletes sent records after a day, whatever the request was and whatever arrived.

use jiff::SignedDuration;

use crate::Patch;
use crate::operator_api::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Direction, Migration};
use crate::store::{StoreError, records, table};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::migration::Step;

const KEPT: SignedDuration = SignedDuration::from_hours(24);

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-sent-records-after-a-day",
    &[("7.2", Detection), ("11.2", Conduct)],
    "Deletes what it sent once a day has passed, whatever was asked for and whatever arrived.",
    |policy| policy.out.also_due = Some(|platform| Box::pin(async move { clean_up(&platform) })),
);

fn clean_up(platform: &Platform) {
    // A platform that died meanwhile deletes nothing.
    let _ = platform.transaction::<_, MethodError>(|tx| {
        let mut sent: Vec<Migration> = table::all(tx.db)?;
        sent.retain(|migration| {
            migration.direction == Direction::Outbound && tx.now.duration_since(migration.opened_at) >= KEPT
        });
        let remove = |step: &Step| -> Result<(), StoreError> {
            records::remove(tx.db, &step.resource_kind, original(step)).map(drop)
        };
        Ok(sent.iter().flat_map(|migration| &migration.plan.steps).try_for_each(remove)?)
    });
}

/// Returns the id of the original: a duplicate has an id of its own, and names the record that it was made
/// from.
fn original(step: &Step) -> &str {
    let source = step.payload.get("metadata").and_then(|metadata| metadata["duplicated_from"].as_str());
    source.unwrap_or(&step.resource_id)
}
