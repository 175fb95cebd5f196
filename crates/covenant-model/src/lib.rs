//! Data types of `covenant`. The dependency tree of this crate has no socket and no TLS library.
//!
//! - [`contract`]: clauses, classes, aspects, versions and digests.
//! - [`clock`]: time, ids and random choices as parameters. No other module asks the system for them.
//! - [`operator`]: the methods of the operator plane, as one table.
//! - [`wire`]: messages, paths, headers, envelopes, grants, notices. Reading is lenient, writing is exact.
//! - [`transcript`]: recording, numbering, masking, reading back. Secrets are masked before anything is
//!   written.
//! - [`input`]: files that other people wrote; regular files alone, within limits.
//! - [`private`]: files that only their owner may read.
//! - [`secret`]: the secrets of this process, and the last pass over everything that it writes.
//! - [`shell`]: words of a command line that a person may copy.
//! - [`Fault`]: what prevents a scenario or a run from completing, with its [`Blame`].
//! - [`with_causes`]: the text of an error with its causes.

mod causes;
pub mod clock;
pub mod contract;
pub mod environment;
mod fault;
pub mod input;
pub mod operator;
pub mod private;
pub mod secret;
pub mod shell;
mod stage;
pub mod transcript;
pub mod wire;

pub use causes::with_causes;
pub use fault::{Blame, Fault};
pub use stage::Stage;
