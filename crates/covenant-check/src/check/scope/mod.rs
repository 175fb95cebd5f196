//! Out of scope (O): the features that version 1 leaves out are off.

mod answer;
mod disclosure;
mod messages_disclose_no_other_peer;
mod out_of_scope_requests_have_no_effect;

use crate::check::definition::CheckDef;

/// The checks of this folder.
pub(super) const CHECKS: &[CheckDef] = &[
    CheckDef::of::<messages_disclose_no_other_peer::MessagesDiscloseNoOtherPeer>(),
    CheckDef::of::<out_of_scope_requests_have_no_effect::OutOfScopeRequestsHaveNoEffect>(),
];
