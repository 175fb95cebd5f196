//! The platform gives a record whose slug is taken both another slug and a new id.

use crate::Patch;
use crate::apply::{self, Plan};
use crate::store::records;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::{Step, policy};

pub(super) const PATCH: Patch = Patch::defect(
    "remaps-id-on-slug-conflict",
    &[("7.4", Conduct)],
    "Gives a record whose slug is taken not only another slug, but an id of its own making as well.",
    |policy| policy.migrations.kept_id = kept_id,
);

fn kept_id(plan: &Plan<'_>, step: &Step) -> String {
    let renames = step.conflict_policy.as_deref() == Some(policy::RENAME_WITH_SUFFIX);
    let slug = step.payload.get("slug").and_then(|slug| slug.as_str());
    let is_taken =
        |slug| records::with_slug(plan.tx.db, &step.resource_kind, slug).is_ok_and(|s| s.is_some());
    if renames && slug.is_some_and(is_taken) { plan.tx.new_id() } else { apply::kept_id(plan, step) }
}
