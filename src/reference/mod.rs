//! The embedded target: a small, honest platform on SQLite that keeps every commitment, and whose
//! decisions can be bent one at a time.
//!
//! It is driven over the federation wire by its peers and by JSON verbs by its operator
//! ([`Platform::perform`]). Everything that one call changes is one SQLite transaction, together
//! with its audit entry. Every decision that a defect might bend is a named honest function behind
//! a plain function pointer; a defect is a patch of those pointers.

mod act;
mod apply;
mod capabilities;
mod defects;
mod govern;
mod handshake;
mod history;
mod operate;
mod options;
mod out;
mod patch;
mod peering;
mod platform;
mod rules;
mod running;
mod serve;
mod store;
#[cfg(test)]
mod tests;
mod variants;

pub use act::Crash;
pub use defects::{DEFECTS, defect};
pub use operate::OperatorError;
pub use options::{ContractVersion, Database, Options, Settings};
pub use patch::{Patch, PatchKind};
pub use platform::{Platform, StartError};
pub use running::{Running, clock_ahead_seconds, stands_behind_a_proxy};
pub use store::StoreError;
pub use variants::{VARIANTS, variant};
