//! The platform accepts a step whose payload has the id of another record, and stores it under that id.

use crate::Patch;
use crate::apply::Plan;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::Step;

pub(super) const PATCH: Patch = Patch::defect(
    "stores-step-by-payload-id",
    &[("7.4", Conduct)],
    "Takes a step whose payload is that of another record, and files it under that record's id.",
    |policy| {
        policy.migrations.ids_agree = |_| true;
        policy.migrations.kept_id = kept_id;
    },
);

fn kept_id(_: &Plan<'_>, step: &Step) -> String {
    step.payload.get("id").and_then(|id| id.as_str()).unwrap_or(&step.resource_id).to_owned()
}
