//! Names its findings its own way, but for the one that the contract names.

use crate::reference::Patch;
use crate::wire::notice::finding;

pub(super) const PATCH: Patch = Patch::variant(
    "other-finding-names",
    "Names its findings its own way, but for the one that the contract names.",
    |rules| rules.govern.finding_name = finding_name,
);

fn finding_name(usual: &str) -> String {
    if usual == finding::CAPABILITY_DRIFT { usual.to_owned() } else { format!("federation/{usual}") }
}
