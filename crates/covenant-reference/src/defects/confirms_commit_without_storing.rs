//! The platform reports an open migration as applied, but stores nothing of it.

use crate::Patch;
use crate::apply::{self, Outcome};
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "confirms-commit-without-storing",
    &[("4.3", Conduct), ("7.2", Conduct), ("7.3", Conduct)],
    "Answers that an open migration was applied, and stores nothing of it.",
    |policy| {
        policy.migrations.apply = |plan| match plan.request.commit {
            Some(false) => {
                let applied = u64::try_from(plan.request.steps.len()).unwrap_or(u64::MAX);
                Ok(Outcome { applied, ..Outcome::default() })
            }
            _ => apply::apply(plan),
        }
    },
);
