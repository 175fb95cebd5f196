//! The platform reports a migration from another minor version as completed, but applies none of it.

use semver::Version;

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use crate::handshake::release;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discards-adjacent-minor-migrations",
    &[("10.1", Conduct)],
    "Answers a migration from another minor version as completed, and applies none of it.",
    |policy| policy.migrations.apply = apply_of_its_like,
);

fn apply_of_its_like(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let ours = Version::parse(&release(plan.tx)?).ok();
    let theirs = plan.peer.platform_version.as_deref().and_then(|version| Version::parse(version).ok());
    let are_neighbours = ours
        .zip(theirs)
        .is_some_and(|(ours, theirs)| ours.major == theirs.major && ours.minor != theirs.minor);
    if !are_neighbours {
        return apply::apply(plan);
    }
    Ok(Outcome { applied: plan.request.steps.len() as u64, ..Outcome::default() })
}
