//! Serves only ids that end in an even digit under a grant for all of them.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::store::rows::Grant;

pub(super) const PATCH: Patch = Patch::defect(
    "narrows-a-grant-to-one-id",
    &[("2.2", Conduct)],
    "Serves only ids that end in an even digit under a grant for all of them.",
    |rules| rules.grants.covers_id = covers_id,
);

fn covers_id(grant: &Grant, id: &str) -> bool {
    match &grant.resource_id {
        Some(granted) => granted == id,
        None => id.bytes().last().is_some_and(|last| last % 2 == 0),
    }
}
