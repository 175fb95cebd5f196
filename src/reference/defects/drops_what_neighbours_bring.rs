//! Answers a migration from another minor version as completed, and applies none of it.

use semver::Version;

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::apply::{self, Failure, Outcome, Plan};
use crate::reference::handshake::release;

pub(super) const PATCH: Patch = Patch::defect(
    "drops-what-neighbours-bring",
    &[("10.1", Conduct)],
    "Answers a migration from another minor version as completed, and applies none of it.",
    |rules| rules.migrations.apply = apply_of_its_like,
);

fn apply_of_its_like(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let minor = |version: &str| Version::parse(version).ok().map(|version| version.minor);
    let theirs = minor(plan.peer.platform_version.as_deref().unwrap_or_default());
    if theirs == minor(&release(plan.act)?) {
        return apply::apply(plan);
    }
    Ok(Outcome { applied: plan.request.steps.len() as u64, ..Outcome::default() })
}
