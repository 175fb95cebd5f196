//! The data of `covenant` and its types: no socket and no TLS library is in its dependency tree.
//!
//! - [`contract`]: clauses, classes, aspects, versions and digests.
//! - [`clock`]: time, ids and chance as parameters. No other module asks the system for them.
//! - [`wire`]: messages, paths, headers, envelopes, grants, notices. Lenient in, exact out.
//! - [`transcript`]: recording, numbering, masking, reading back. Secrets are masked before anything is written.

pub mod clock;
pub mod contract;
pub mod transcript;
pub mod wire;
