//! Commitment 3: truthful capabilities.

mod filters;
mod kinds;
mod schemas;

use super::Judge;

/// The judges of this commitment.
pub(super) const JUDGES: &[Judge] =
    &[kinds::DECLARED_KINDS_ARE_SERVED, schemas::DECLARED_SCHEMA_IS_RUN, filters::FILTER_IS_APPLIED];
