//! Answers that an open migration was applied, and stores nothing of it.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::apply::{self, Outcome};

pub(super) const PATCH: Patch = Patch::defect(
    "forgets-what-it-commits",
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
