//! Checks, scores and reports: pure functions of a finished trace.
//!
//! Of the workspace, the crate depends on `covenant-model` alone. No socket, TLS library, runtime or clock is
//! in its dependency tree, so that a transcript gives the same verdicts when it is evaluated again.
//!
//! - [`check`]: one check evaluates one clause and aspect over a
//!   [`Trace`](covenant_model::transcript::Trace).
//! - [`score`]: verdicts → clauses → commitments → certification. Broken outranks unproven, and unproven
//!   outranks kept.
//! - [`warning`]: what a run saw that no clause covers.
//! - [`report`]: terminal, JSON, JUnit, HTML. Each escapes text that came from a target.

pub mod check;
pub mod report;
pub mod score;
pub mod warning;
