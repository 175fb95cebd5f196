//! The embedded target: a small, honest platform on SQLite that keeps every commitment, and whose
//! decisions can be bent one at a time.
//!
//! It is driven over the federation wire by its peers and by JSON verbs by its operator
//! ([`Platform::perform`]). Everything that one call changes is one SQLite transaction, together
//! with its audit entry. Every decision that a defect might bend is a named honest function behind
//! a plain function pointer; a defect is a patch of those pointers.

mod act;
mod operate;
mod options;
mod out;
mod platform;
mod rules;
mod store;

pub use act::Crash;
pub use operate::OperatorError;
pub use options::{ContractVersion, Database, Options, Settings};
pub use platform::{Platform, StartError};
pub use store::StoreError;
