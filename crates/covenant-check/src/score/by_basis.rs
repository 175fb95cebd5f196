//! One value for each basis of a check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use covenant_model::contract::Basis;

/// A value for each basis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByBasis<T> {
    /// The part on the observed wire.
    pub observed: T,
    /// The part on the proposed binding.
    pub proposed: T,
}

impl<T> ByBasis<T> {
    /// Computes the value of each basis.
    pub fn of(mut value: impl FnMut(Basis) -> T) -> Self {
        Self { observed: value(Basis::Observed), proposed: value(Basis::Proposed) }
    }

    /// Returns the value of a basis.
    #[must_use]
    pub const fn on(&self, basis: Basis) -> &T {
        match basis {
            Basis::Observed => &self.observed,
            Basis::Proposed => &self.proposed,
        }
    }

    /// Changes both values in the same way.
    #[must_use]
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> ByBasis<U> {
        ByBasis { observed: change(self.observed), proposed: change(self.proposed) }
    }
}
