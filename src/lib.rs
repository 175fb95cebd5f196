//! `covenant`: conformance suite and peer simulator for the Powernode Federation Social Contract.
//!
//! It plays the other platform of a federation, conforming or misbehaving in chosen ways, over real
//! mutual TLS, against a platform under test (the **target**), and says for each of the twelve
//! commitments whether the target keeps it, with the evidence.
//!
//! # The rooms, and what holds in each
//!
//! Arrows point from a room to those above it in this list, and never back.
//!
//! - [`contract`]: clauses, classes, aspects, versions and digests. Data and its types; depends on nothing.
//! - [`clock`]: time, ids and chance as parameters. No other room asks the system for any of them.
//! - [`wire`]: messages, paths, headers, envelopes, grants, notices. Lenient in, exact out.
//! - [`pki`]: authorities, leaves, requests, revocation. The only room that names rcgen's and rustls' types.
//! - [`net`]: sockets and HTTP on both ends, with limits on every read. Knows no federation message.
//! - [`transcript`]: recording, numbering, masking, reading back. Secrets are masked before anything is written.
//! - [`peer`]: the simulated platform. One correct peer, and behaviours as small labelled deviations.
//! - [`mod@reference`]: the embedded target, a whole small platform on SQLite. Defects and variants are patches
//!   of real decisions, one file each. Shares no logic with `peer`: a mistake in one is caught by the other.
//! - [`operator`]: the operator on the target: the methods of the operator plane, and what plugs into them.
//! - [`scenario`]: the file format, its loader with positions, the runner. It checks nothing.
//! - [`property`]: generated scenarios, shrinking. It is told what breaks; it does not know why.
//! - [`golden`]: recorded exchanges, normalised and compared by structure.
//! - [`check`]: the results, one file a commitment. Pure: a finished trace in, a verdict out; nothing here
//!   moves, waits or looks at the time.
//! - [`score`]: verdicts → clauses → commitments → certification. Broken outranks unproven outranks kept; what
//!   was not observed was not kept.
//! - [`report`]: terminal, JSON, JUnit. What came from a target is escaped in each.
//! - [`suite`]: one whole run: announce, play, check, score. A run's report is made of its transcript as it was
//!   written, so that a run and a later result of it can't differ.
//! - [`cli`]: one file a subcommand. Parses, calls, prints; decides nothing about verdicts.
//!
//! # One thread to pull
//!
//! A commitment has the same id everywhere: [`contract`]'s clause `7.1` → `scenarios/07-…` → `check/c07/` →
//! a defect of [`mod@reference`] that breaks it → the report's row.
//!
//! # A test in Rust
//!
//! ```no_run
//! use covenant::suite::{Plan, Selection};
//! use covenant::score::Overall;
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let run = Plan { selection: Selection::new(&[], &[7])?, ..Plan::default() };
//! assert_eq!(run.run_to_report().await?.score.overall, Overall::Kept);
//! # Ok(())
//! # }
//! ```

pub mod check;
pub mod cli;
pub mod clock;
pub mod contract;
pub mod golden;
pub mod net;
pub mod operator;
pub mod peer;
pub mod pki;
pub mod property;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod score;
pub mod suite;
pub mod transcript;
pub mod wire;
