//! The ways in which the embedded target can differ and still keep every clause, by subject.

mod audit;
pub(crate) mod contract_text_2026_06;
mod governance;
mod grants;
pub(crate) mod handshake;
pub(crate) mod inventory;
mod messages;
mod operation;
mod statements;
pub(crate) mod sync;
mod transport;

use crate::patch::{Patch, count, joined};
pub(crate) use operation::{BEHIND_PROXY, FORBIDS_SUSPENDED};

/// The tables, in the order in which the variants are listed.
const TABLES: &[&[Patch]] = &[
    messages::PATCHES,
    audit::PATCHES,
    transport::PATCHES,
    operation::LIMITS,
    statements::PATCHES,
    handshake::PATCHES,
    governance::PATCHES,
    grants::SCOPES,
    operation::CLOCK,
    grants::TOKENS,
    grants::SUBSCRIPTIONS,
    grants::REVIEWS,
    grants::REVOCATIONS,
    operation::RELEASE,
    sync::PATCHES,
    inventory::PATCHES,
    contract_text_2026_06::PATCHES,
];

/// Every variant.
pub const VARIANTS: &[&Patch] = &joined::<{ count(TABLES) }>(TABLES);

/// Returns the variant of that name.
#[must_use]
pub fn variant(name: &str) -> Option<&'static Patch> {
    VARIANTS.iter().copied().find(|patch| patch.name == name)
}
