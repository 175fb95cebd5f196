//! Commitment 3: truthful capabilities.

mod filters;
mod kinds;
mod schemas;

use super::legacy::LegacyCheck;

/// The checks of this commitment.
pub(super) const CHECKS: &[LegacyCheck] =
    &[kinds::DECLARED_KINDS_ARE_SERVED, schemas::DECLARED_SCHEMA_IS_RUN, filters::FILTER_IS_APPLIED];
