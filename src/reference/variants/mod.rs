//! Ways in which the embedded target can lawfully be different: everything is still kept.

mod admin_implies_all;
mod bare_envelopes;
mod extra_members;
mod http1_only;
mod leaves_the_anonymous_accepted;
mod loose_limits;
mod other_finding_names;
mod promises_excerpts;
mod strict_limits;
mod suspends_at_the_second_breach;
mod tls12_only;

use super::Patch;

/// Every variant.
pub const VARIANTS: &[&Patch] = &[
    &extra_members::PATCH,
    &bare_envelopes::PATCH,
    &promises_excerpts::PATCH,
    &http1_only::PATCH,
    &tls12_only::PATCH,
    &strict_limits::PATCH,
    &loose_limits::PATCH,
    &other_finding_names::PATCH,
    &leaves_the_anonymous_accepted::PATCH,
    &suspends_at_the_second_breach::PATCH,
    &admin_implies_all::PATCH,
];

/// The variant of that name.
#[must_use]
pub fn variant(name: &str) -> Option<&'static Patch> {
    VARIANTS.iter().copied().find(|patch| patch.name == name)
}
