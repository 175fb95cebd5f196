//! Out of scope (O): the features that version 1 leaves out are off.

mod answer;
mod out_of_scope_requests_have_no_effect;

pub(super) use out_of_scope_requests_have_no_effect::OutOfScopeRequestsHaveNoEffect;
