//! The scope of a run: how much was proved, and on which basis.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AspectScore, Standing};
use covenant_model::contract::ClauseId;

/// The part of the contract that a run proved, by the basis on which it rests. The headline of a report is made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// The number of aspects that the contract has.
    pub aspects: u64,
    /// The number of aspects that are kept, and that checks of the observed wire show to be kept.
    pub kept_observed: u64,
    /// The number of aspects that are kept, and that no check of the observed wire shows to be kept.
    pub kept_proposed_alone: u64,
    /// The clauses that are broken on the observed wire.
    pub broken_observed: Vec<ClauseId>,
    /// The clauses that are broken on the proposed binding, and not on the observed wire.
    pub broken_proposed_alone: Vec<ClauseId>,
}

impl Scope {
    /// Returns the scope of the aspects of a contract.
    pub(super) fn of(aspects: &[AspectScore]) -> Self {
        let is_kept = |aspect: &&AspectScore| aspect.standing == Standing::Kept;
        let (observed, proposed): (Vec<&AspectScore>, Vec<&AspectScore>) =
            aspects.iter().filter(is_kept).partition(|aspect| aspect.by_basis.observed == Standing::Kept);
        let broken = broken(aspects, |aspect| aspect.standing);
        let on_wire = self::broken(aspects, |aspect| aspect.by_basis.observed);
        Self {
            aspects: aspects.len() as u64,
            kept_observed: observed.len() as u64,
            kept_proposed_alone: proposed.len() as u64,
            broken_proposed_alone: broken.difference(&on_wire).copied().collect(),
            broken_observed: on_wire.into_iter().collect(),
        }
    }

    /// Returns the number of aspects that are kept, on whatever basis.
    #[must_use]
    pub const fn kept(&self) -> u64 {
        self.kept_observed + self.kept_proposed_alone
    }
}

/// Returns the clauses of which an aspect has a broken standing.
fn broken(aspects: &[AspectScore], standing: impl Fn(&AspectScore) -> Standing) -> BTreeSet<ClauseId> {
    let broken = aspects.iter().filter(|aspect| standing(aspect) == Standing::Broken);
    broken.map(|aspect| aspect.clause).collect()
}
