//! The platform uses its own names for its findings, except the one that the contract names.

use crate::Patch;
use covenant_model::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::variant(
    "renames-findings",
    "Names its findings its own way, but for the one that the contract names.",
    |policy| policy.govern.finding_name = finding_name,
);

fn finding_name(default: &str) -> String {
    if default == finding::CAPABILITY_DRIFT { default.to_owned() } else { format!("federation/{default}") }
}
