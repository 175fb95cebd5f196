//! The embedded target: a small, conforming platform on SQLite that keeps every commitment. Its decisions can
//! be mutated one at a time.
//!
//! Peers drive it over the federation wire. Its operator drives it by JSON methods ([`Platform::call`]). All
//! changes of one call are one SQLite transaction, together with the audit entry. Every decision that a
//! defect can mutate is a named conforming function behind a plain function pointer. A defect is a patch of
//! those pointers.

mod capabilities;
mod defects;
mod governance;
mod handshake;
mod history;
mod inbound;
mod method_error;
mod migration;
mod operator_api;
mod options;
mod outbound;
mod patch;
mod peering;
mod platform;
mod policy;
mod process;
mod release_changes;
mod reply;
mod running;
mod store;
mod suspicion;
#[cfg(test)]
mod tests;
mod transaction;
mod variants;

pub use defects::{DEFECTS, defect};
pub use method_error::MethodError;
pub use options::{ContractVersion, Database, Options, Settings};
pub use patch::{Contradiction, Patch, PatchKind, contradiction};
pub use platform::{Platform, StartError};
pub use process::{Process, ProcessError, ProcessOptions, describe};
pub use release_changes::{ReleaseChange, release_change, release_changes};
pub use running::{Running, clock_ahead_seconds};
pub use store::StoreError;
pub use variants::{VARIANTS, variant};
