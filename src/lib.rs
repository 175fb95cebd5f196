//! `covenant`: conformance suite and peer simulator for the Powernode Federation Social Contract.
//!
//! It plays the other platform of a federation, conforming or misbehaving in chosen ways, over real mutual
//! TLS, against a platform under test (the **target**). For each of the twelve commitments it reports whether
//! the target keeps it, with evidence.
//!
//! # Modules
//!
//! Five crates hold the parts that need no runner; their manifests list their dependencies. This package
//! re-exports them under the names of their modules.
//!
//! - `covenant-model`: [`contract`], [`clock`], [`wire`], [`transcript`], [`Fault`]. Data and its types.
//! - `covenant-net`: [`pki`], [`net`]. Certificates, sockets and HTTP, with limits on every read.
//! - `covenant-peer`: [`peer`], the simulated platform. One conforming peer, and behaviours as named deviations.
//! - `covenant-reference`: [`mod@reference`], the embedded target on SQLite, with defects and variants. It never sees
//!   `peer`: a mistake in one is detected by the other.
//! - `covenant-check`: [`check`], [`score`], [`report`]. Pure functions of a finished trace.
//! - [`operator`]: the operator clients and their implementations.
//! - [`scenario`]: the file format, its loader with positions, the scenario runner. It evaluates nothing.
//! - [`property`]: generated scenarios, with shrinking. It evaluates nothing; a callback reports whether a
//!   case breaks.
//! - [`known`]: the file of known breaches, applied to a report and renewed from one.
//! - [`golden`]: recorded exchanges, normalised and compared by structure.
//! - [`runner`]: plan, find the contract text, play, evaluate, score. The report of a run is made from its transcript,
//!   so that a run and `covenant verify` of its transcript agree. What follows uses it.
//! - [`audit`]: an audit of someone else's platform, its dry run and its clean-up, and its watch over days.
//! - [`redact`]: the copy of a run to share.
//! - [`certify`]: profiles, signed attestations of a run, and their verification.
//! - [`adapter`]: the check of an adapter, method by method.
//! - [`simulate`]: the simulated peers on their own, beside a platform under development.
//! - [`selftest`]: the suite measured with every defect and every variant.
//! - [`doctor`]: the diagnosis before a run.
//! - [`docs`]: the generated pages of `docs/`.
//! - [`cli`]: one file per subcommand. Parses, calls and prints.
//!
//! # One id
//!
//! A clause has one id everywhere: [`contract`]'s clause `7.1` → `scenarios/07-…` → `check/c07/` → a defect of
//! [`mod@reference`] that breaks it → the report's row.
//!
//! # A test in Rust
//!
//! ```no_run
//! use covenant::contract::Section;
//! use covenant::runner::{Plan, Selection};
//! use covenant::score::Overall;
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let run = Plan { selection: Selection::new(&[], &[Section::Commitment(7)])?, ..Plan::default() };
//! assert_eq!(run.run_to_report().await?.score.overall, Overall::Kept);
//! # Ok(())
//! # }
//! ```

pub mod adapter;
pub mod audit;
pub mod certify;
pub mod cli;
pub mod docs;
pub mod doctor;
pub mod gate;
pub mod golden;
pub mod known;
mod nearest;
pub mod operator;
pub mod property;
pub mod redact;
pub mod runner;
#[cfg(test)]
#[path = "../crates/covenant-check/src/report/sample.rs"]
mod sample;
pub mod scenario;
pub mod selftest;
pub mod simulate;

pub use covenant_check::{check, report, score, warning};
pub use covenant_model::{
    Blame, Fault, Stage, clock, contract, input, private, secret, shell, transcript, wire, with_causes,
};
pub use covenant_net::{net, pki};
pub use covenant_peer as peer;
pub use covenant_reference as reference;
