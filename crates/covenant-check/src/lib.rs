//! Checks, scores and reports: pure functions of a finished trace.
//!
//! The crate sees `covenant-model` alone. No socket, TLS library, runtime or clock is in its dependency tree, so that
//! a transcript evaluated again gives the same verdicts.
//!
//! - [`check`]: one check evaluates one clause and aspect over a [`Trace`](covenant_model::transcript::Trace).
//! - [`score`]: verdicts → clauses → commitments → certification. Broken outranks unproven, and unproven outranks kept.
//! - [`report`]: terminal, JSON, JUnit. Text that came from a target is escaped in each.

pub mod check;
pub mod report;
pub mod score;
